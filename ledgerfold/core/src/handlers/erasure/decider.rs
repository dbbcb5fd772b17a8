use std::{fmt, marker::PhantomData};

use serde::Serialize;

use crate::{
    Access, Caller, Category, Claim, Command, CommandName, Decider, DecisionContext, Snapshots,
};

/// A domain whose streams are each about one person, under the id of the stream, and who can be erased.
pub trait Erasable: Decider {
    /// Whether the caller may erase the person, and place and lift legal holds. The state is that of the person's stream.
    fn may_erase(caller: &Caller, state: &Self::State) -> Access;

    /// The events that record the erasure. Their [claims](Decider::claims) release the unique keys of the person, and the
    /// state after them refuses every command with [`RejectionKind::Erased`](crate::RejectionKind::Erased).
    ///
    /// # Errors
    /// The reason to refuse: there is no such person, or it was erased before. A legal hold is not a reason: the library
    /// keeps it.
    fn erase(state: &Self::State) -> Result<Vec<Self::Event>, Self::Rejection>;
}

/// Records the erasure of a person in its stream. The key is destroyed already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EraseSubject {
    /// The legal basis.
    pub basis: String,
    /// Who asked for it.
    pub requested_by: String,
}

impl Command for EraseSubject {
    fn name(&self) -> CommandName {
        CommandName::from_static("EraseSubject")
    }
}

/// The decider of [`EraseSubject`] over the streams of another domain. It needs no keys, as they are gone.
pub struct Erasing<D>(PhantomData<fn() -> D>);

impl<D> fmt::Debug for Erasing<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Erasing")
    }
}

impl<D: Erasable> Decider for Erasing<D> {
    type Command = EraseSubject;
    type Event = D::Event;
    type State = D::State;
    type Rejection = D::Rejection;

    const CATEGORY: Category = D::CATEGORY;
    const CLAIMS_REVISION: u32 = D::CLAIMS_REVISION;

    fn initial() -> D::State {
        D::initial()
    }

    fn evolve(state: D::State, event: &D::Event) -> D::State {
        D::evolve(state, event)
    }

    fn may(caller: &Caller, _: &EraseSubject, state: &D::State) -> Access {
        D::may_erase(caller, state)
    }

    fn decide(
        state: &D::State,
        _: &EraseSubject,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<D::Event>, D::Rejection> {
        D::erase(state)
    }

    fn snapshots() -> Option<Snapshots<D::State>> {
        D::snapshots()
    }

    fn claims(event: &D::Event) -> Vec<Claim> {
        D::claims(event)
    }
}
