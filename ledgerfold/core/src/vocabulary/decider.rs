use std::fmt;

use serde::Serialize;

use crate::{
    Access, Caller, Category, Claim, CommandName, Event, Snapshots, Timestamp,
    sealed::FingerprintKey,
};

/// A domain: its events and the rules for them. It consists of two pure functions and an initial state. It has no
/// clock, no input or output, and nothing of AWS.
///
/// A team writes nothing else for its write side. The front page of the crate shows a complete decider.
pub trait Decider: Send + Sync + 'static {
    /// The commands of the domain.
    type Command: Command;
    /// The events of the domain.
    type Event: Event;
    /// The state that decisions need, and no more.
    type State: Clone + fmt::Debug + Send + Sync + 'static;
    /// The reasons to refuse a command.
    type Rejection: Rejection;

    /// The category of this domain's streams.
    const CATEGORY: Category;

    /// The revision of [`Decider::claims`]. Raise it whenever a stored event claims other keys than
    /// before: the reservations of the earlier revision then count as incomplete until they are built
    /// again.
    const CLAIMS_REVISION: u32 = 1;

    /// The state of a stream without events.
    fn initial() -> Self::State;

    /// The state after an event. Every stored event has happened, so this function must accept all of them.
    fn evolve(state: Self::State, event: &Self::Event) -> Self::State;

    /// Whether the caller may send the command, in the state in which it would be decided. Without this function every
    /// caller of the tenant may send every command.
    ///
    /// The rule sees the same state as the decision, so nothing can change between the two. It is asked first. Hide an
    /// entity that belongs to somebody else, so that nobody learns which ids exist.
    fn may(_caller: &Caller, _command: &Self::Command, _state: &Self::State) -> Access {
        Access::Allowed
    }

    /// The events of the command in this state. They are committed together. An empty list means that nothing needs
    /// to change.
    ///
    /// # Errors
    /// The domain's reason to refuse.
    fn decide(
        state: &Self::State,
        command: &Self::Command,
        context: &DecisionContext<'_>,
    ) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// The rules for snapshots of the state. By default there are no snapshots, and a stream is read from its first
    /// event unless its state is cached.
    fn snapshots() -> Option<Snapshots<Self::State>> {
        None
    }

    /// The effect of an event on unique keys, for example on the e-mail address of a new account. This function must
    /// be pure, so that reservations can be rebuilt from the events. A commit without claims is one Put. A commit with
    /// claims is a transaction, which costs twice as much.
    ///
    /// Existing streams have no reservations when a domain starts to use claims. [`claims`](crate::claims) explains
    /// how to build them.
    fn claims(_event: &Self::Event) -> Vec<Claim> {
        Vec::new()
    }
}

/// The time and the caller of a decision. The commit records both, so a decision can be explained later.
#[derive(Clone, Copy, Debug)]
pub struct DecisionContext<'a> {
    /// The time of the decision, by the clock of the function. A later decision may have an earlier time, because clocks
    /// differ.
    pub at: Timestamp,
    /// The caller.
    pub caller: &'a Caller,
}

/// A command of a domain. Its serialized form only goes into its [`Fingerprint`](crate::vocabulary::Fingerprint)
/// and is not stored. If you add a field later, make it optional, or give it a default with the meaning of older
/// requests. Then a retry of an older request is still recognised.
pub trait Command: Clone + fmt::Debug + Serialize + Send + Sync + 'static {
    /// Whether some of these commands are [`Idempotency::Strict`]. Their deployment then has a table for their results.
    const SOME_ARE_STRICT: bool = false;

    /// Whether these commands contain personal data, which the domain seals. Their fingerprints must then be keyed: an
    /// unkeyed one is stored with the commit and confirms guesses for ever. [`Keyed`](crate::sealed::Keyed) sets it.
    const SEALS: bool = false;

    /// The command's name, for example `PlaceOrder`.
    fn name(&self) -> CommandName;

    /// How long a repetition of this command is recognised.
    fn idempotency(&self) -> Idempotency {
        Idempotency::Window
    }

    /// The key of the command's fingerprint, for a domain that seals.
    fn fingerprint_key(&self) -> Option<&FingerprintKey> {
        None
    }
}

/// How long a repeated command is recognised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Idempotency {
    /// At least as long as it is among the newest
    /// [`IDEMPOTENCY_WINDOW`](crate::vocabulary::IDEMPOTENCY_WINDOW) commands of its stream. This costs nothing,
    /// because the ids are in the commits. A command without events has no commit, so its repetition is decided
    /// again.
    #[default]
    Window,
    /// For ever, on the command's stream. The command's id and its answer are stored in the transaction that commits
    /// its events. A command without events is stored as well, so a later repetition has no effect either. Costs
    /// three write units more than a commit of one. Use it for commands that must never take effect twice, not even
    /// after a year, for example moving money.
    Strict,
}

/// A domain's reason to refuse a command. Callers read its `Display`.
pub trait Rejection: std::error::Error + Send + Sync + 'static {
    /// The rule in kebab-case, for example `order-already-paid`. It is part of the domain's contract.
    fn rule(&self) -> &'static str;

    /// The meaning of the refusal to a caller.
    fn kind(&self) -> RejectionKind {
        RejectionKind::Conflict
    }
}

/// The meaning of a refusal to a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectionKind {
    /// The entity does not exist.
    NotFound,
    /// The current state does not allow the command.
    Conflict,
    /// The data of the person was erased.
    Erased,
}
