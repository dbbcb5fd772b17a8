use std::fmt;

use serde::Serialize;

use crate::{Category, Claim, CommandName, Event, Snapshots};

/// A domain: its possible events, and the rules by which they happen. Two pure functions and an initial state; no
/// clock, no input or output, nothing of AWS.
///
/// This is the whole write side that a team writes. The crate's page shows a complete one.
pub trait Decider: Send + Sync + 'static {
    /// The commands of the domain.
    type Command: Command;
    /// The events of the domain.
    type Event: Event;
    /// The part of the past that decisions need, and no more.
    type State: Clone + fmt::Debug + Send + Sync + 'static;
    /// Why a command can be refused.
    type Rejection: Rejection;

    /// The category of the streams that this domain keeps.
    const CATEGORY: Category;

    /// The revision of [`Decider::claims`]. Raise it whenever a stored event claims other keys than
    /// before: the reservations of the earlier revision then count as incomplete until they are built
    /// again.
    const CLAIMS_REVISION: u32 = 1;

    /// The state of a stream in which nothing has happened.
    fn initial() -> Self::State;

    /// The state after an event. Total: a stored event has happened, so this function never refuses it.
    fn evolve(state: Self::State, event: &Self::Event) -> Self::State;

    /// The events of the command in this state, which are committed together. No events means that nothing needs to
    /// change.
    ///
    /// # Errors
    /// The domain's reason to refuse.
    fn decide(
        state: &Self::State,
        command: &Self::Command,
    ) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// The rules for snapshots of the state. A domain has none by default; then a stream is read whole unless its
    /// state is cached.
    fn snapshots() -> Option<Snapshots<Self::State>> {
        None
    }

    /// The effect of an event on unique keys, for example the e-mail address of a new account. Pure, so that
    /// reservations can be built again from the events. A commit without claims is one Put; a commit with claims is a
    /// transaction, which costs twice as much.
    ///
    /// Streams that are older than the claims own keys without a reservation. [`claims`](crate::claims) explains how
    /// to build these reservations.
    fn claims(_event: &Self::Event) -> Vec<Claim> {
        Vec::new()
    }
}

/// A command of a domain. Its serialized form makes its [`Fingerprint`](crate::vocabulary::Fingerprint), and is
/// stored nowhere. A field that you add later must be optional, or its default must have the meaning of older
/// requests. Then a retry of an older request is still recognised.
pub trait Command: Clone + fmt::Debug + Serialize + Send + Sync + 'static {
    /// The command's name, for example `PlaceOrder`.
    fn name(&self) -> CommandName;

    /// How long a repetition of it is recognised.
    fn idempotency(&self) -> Idempotency {
        Idempotency::Window
    }
}

/// How long a repeated command is recognised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Idempotency {
    /// Among the newest [`IDEMPOTENCY_WINDOW`](crate::vocabulary::IDEMPOTENCY_WINDOW) commands of its stream at
    /// least. Costs nothing: the ids are in the commits. A success without events has no commit, so a
    /// repetition of it is decided again.
    #[default]
    Window,
    /// For ever, on the stream that the command was sent to: the command's id and its answer are stored in the
    /// transaction that commits its events. A command without events is stored as well, so that it has no effect when
    /// it comes again later. Costs three write units more than a commit of one. Use it for commands that must not
    /// take effect twice, not even after a year, for example moving money.
    Strict,
}

/// A domain's reason to refuse a command. Its `Display` is read by the caller.
pub trait Rejection: std::error::Error + Send + Sync + 'static {
    /// The rule, in kebab-case, as `order-already-paid`: part of the domain's contract.
    fn rule(&self) -> &'static str;

    /// The meaning of the refusal to a caller.
    fn kind(&self) -> RejectionKind {
        RejectionKind::Conflict
    }
}

/// The meaning of a refusal to a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectionKind {
    /// There is no such thing.
    NotFound,
    /// The current state does not allow it.
    Conflict,
}
