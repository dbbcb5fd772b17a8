use std::fmt;

use serde::Serialize;

use crate::{Category, Claim, CommandName, Event, Snapshots};

/// A domain: what may happen, and what follows from what has happened. Two pure functions and where
/// they start; no clock, no input or output, nothing of AWS.
///
/// This is all that a team writes for its write side. See the crate's page for a whole one.
pub trait Decider: Send + Sync + 'static {
    /// What can be asked.
    type Command: Command;
    /// What can happen.
    type Event: Event;
    /// What a decision needs to know of the past; no more.
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

    /// The state after an event. Total: what is stored has happened, and is not argued with.
    fn evolve(state: Self::State, event: &Self::Event) -> Self::State;

    /// What happens when the command meets this state: any number of events, which are committed
    /// together. No events: nothing needs to change, which is an answer too.
    ///
    /// # Errors
    /// The domain's reason to refuse.
    fn decide(
        state: &Self::State,
        command: &Self::Command,
    ) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// How the state is kept in snapshots; not at all unless a domain says so. Without them a stream
    /// is read whole by whoever does not remember it.
    fn snapshots() -> Option<Snapshots<Self::State>> {
        None
    }

    /// What an event does to keys that only one stream may have, as the e-mail address of a new
    /// account. Pure, so that reservations can be made again from the events. A commit without claims
    /// is one Put; one with claims is a transaction, which costs twice as much.
    ///
    /// Streams that are older than the claims own keys that nobody has reserved for them:
    /// [`claims`](crate::claims) says how to build these reservations.
    fn claims(_event: &Self::Event) -> Vec<Claim> {
        Vec::new()
    }
}

/// Something asked of a domain. Its serialized form makes its [`Fingerprint`](crate::vocabulary::Fingerprint), and is
/// stored nowhere. A field that you add later must be optional, or have a default that means what older
/// requests meant; then a retry of an older request is still recognised.
pub trait Command: Clone + fmt::Debug + Serialize + Send + Sync + 'static {
    /// What is asked, as `PlaceOrder`.
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
    /// For ever, on the one stream that it was sent to: the command's id and its answer are stored in the
    /// transaction that commits its events. That a command needed no events is stored as well, so that it
    /// has no effect when it comes again later. Costs three write units more than a commit of one. For
    /// what must not happen twice after a year either, as moving money.
    Strict,
}

/// A domain's reason to refuse a command. Its `Display` is read by the caller.
pub trait Rejection: std::error::Error + Send + Sync + 'static {
    /// The rule, in kebab-case, as `order-already-paid`: part of the domain's contract.
    fn rule(&self) -> &'static str;

    /// What the refusal means to a caller.
    fn kind(&self) -> RejectionKind {
        RejectionKind::Conflict
    }
}

/// What a refusal means to a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectionKind {
    /// There is no such thing.
    NotFound,
    /// The current state does not allow it.
    Conflict,
}
