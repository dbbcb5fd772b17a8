use std::fmt;

use ledgerfold::Decider;

/// A domain's rule as an example: given these events, when this command comes, then these events follow.
///
/// ```ignore
/// Given::<Orders>::events([placed(900)])
///     .when(pay(900))
///     .then([paid(900)]);
/// ```
#[must_use = "an example without `when` proves nothing"]
pub struct Given<D: Decider> {
    state: D::State,
}

/// The decision of an example, to be compared.
#[must_use = "an example without `then` proves nothing"]
pub struct Decided<D: Decider> {
    decision: Result<Vec<D::Event>, D::Rejection>,
}

impl<D: Decider> Given<D> {
    /// Nothing has happened.
    pub fn nothing() -> Self {
        Self::events([])
    }

    /// This has happened, oldest first.
    pub fn events(events: impl IntoIterator<Item = D::Event>) -> Self {
        Self {
            state: events.into_iter().fold(D::initial(), |state, event| D::evolve(state, &event)),
        }
    }

    /// This is asked.
    #[expect(clippy::needless_pass_by_value, reason = "an example reads better without references")]
    pub fn when(self, command: D::Command) -> Decided<D> {
        Decided { decision: D::decide(&self.state, &command) }
    }
}

impl<D: Decider> Decided<D>
where
    D::Rejection: PartialEq,
    D: fmt::Debug,
{
    /// These events happen.
    ///
    /// # Panics
    /// If others happen, or the command is refused.
    pub fn then(self, expected: impl IntoIterator<Item = D::Event>) {
        assert_eq!(self.decision, Ok(expected.into_iter().collect()));
    }

    /// The command is refused.
    ///
    /// # Panics
    /// If it is refused for another reason, or not.
    #[expect(clippy::needless_pass_by_value, reason = "an example reads better without references")]
    pub fn then_refused(self, expected: D::Rejection) {
        assert_eq!(self.decision.as_ref().err(), Some(&expected), "decided: {:?}", self.decision);
    }
}
