use ledgerfold::{Caller, Decider, DecisionContext, Timestamp};

use crate::decided::Decided;

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
///
/// The caller is anonymous and has every role, and the time is 1970, unless the example says otherwise:
///
/// ```
/// # use ledgerfold::{Caller, Granted};
/// # use ledgerfold_testkit::{Given, bank::{AccountCommand, AccountRejection, Accounts}};
/// let nobody = Caller { roles: Granted::none(), ..Caller::anonymous() };
/// Given::<Accounts>::nothing()
///     .by(nobody)
///     .at("2026-11-23T09:00:00Z")
///     .when(AccountCommand::Deposit(900))
///     .then_refused(AccountRejection::NotOpen);
/// ```
#[must_use = "an example without `when` proves nothing"]
pub struct Given<D: Decider> {
    state: D::State,
    caller: Caller,
    at: Timestamp,
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
            caller: Caller::anonymous(),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    /// The command comes from this caller.
    pub fn by(self, caller: Caller) -> Self {
        Self { caller, ..self }
    }

    /// The decision is made at this time.
    ///
    /// # Panics
    /// If the text is not a time in RFC 3339.
    pub fn at(self, time: &str) -> Self {
        Self { at: time.parse().expect("a time in RFC 3339"), ..self }
    }

    /// Decides on this command.
    #[expect(clippy::needless_pass_by_value, reason = "an example reads better without references")]
    pub fn when(self, command: D::Command) -> Decided<Vec<D::Event>, D::Rejection> {
        let Self { state, caller, at } = self;
        let context = DecisionContext { at, caller: &caller };
        Decided {
            access: D::may(&caller, &command, &state),
            decision: D::decide(&state, &command, &context),
        }
    }
}
