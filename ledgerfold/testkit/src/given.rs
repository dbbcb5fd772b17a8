use ledgerfold::Decider;

/// An example of a domain's rule: given these events, when this command is handled, then these events follow.
///
/// ```
/// use ledgerfold_testkit::{Given, bank::{AccountCommand, Accounts, Deposited, Opened}};
///
/// let opened = Opened { email: "ada@example.org".to_owned() };
/// Given::<Accounts>::events([opened.into()])
///     .when(AccountCommand::Deposit(900))
///     .then([Deposited { amount: 900 }.into()]);
/// ```
#[must_use = "an example without `when` proves nothing"]
pub struct Given<D: Decider> {
    state: D::State,
}

/// The decision of an example.
#[must_use = "an example without `then` proves nothing"]
pub struct Decided<D: Decider> {
    decision: Result<Vec<D::Event>, D::Rejection>,
}

impl<D: Decider> Given<D> {
    /// A stream without events.
    pub fn nothing() -> Self {
        Self::events([])
    }

    /// A stream with these events, oldest first.
    pub fn events(events: impl IntoIterator<Item = D::Event>) -> Self {
        Self {
            state: events.into_iter().fold(D::initial(), |state, event| D::evolve(state, &event)),
        }
    }

    /// Decides on this command.
    #[expect(clippy::needless_pass_by_value, reason = "an example reads better without references")]
    pub fn when(self, command: D::Command) -> Decided<D> {
        Decided { decision: D::decide(&self.state, &command) }
    }
}

impl<D: Decider> Decided<D>
where
    D::Rejection: PartialEq,
{
    /// Expects these events.
    ///
    /// # Panics
    /// If the decision has other events, or refuses the command.
    pub fn then(self, expected: impl IntoIterator<Item = D::Event>) {
        assert_eq!(self.decision, Ok(expected.into_iter().collect()));
    }

    /// Expects that the command is refused for this reason.
    ///
    /// # Panics
    /// If the command is refused for another reason, or accepted.
    #[expect(clippy::needless_pass_by_value, reason = "an example reads better without references")]
    pub fn then_refused(self, expected: D::Rejection) {
        assert_eq!(self.decision.as_ref().err(), Some(&expected), "decided: {:?}", self.decision);
    }
}
