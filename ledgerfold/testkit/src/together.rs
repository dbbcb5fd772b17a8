use ledgerfold::{
    Caller, Decider, DecisionContext, Timestamp,
    command::{JointDecider, Parts},
};

use crate::decided::Decided;

/// An example of a rule over several streams: given these events in each stream, when this command is handled, then
/// these events follow in each stream.
///
/// ```
/// use ledgerfold_testkit::{
///     GivenTogether,
///     bank::{AccountRejection, Deposited, Opened, Transfer, Transfers, Withdrawn},
/// };
///
/// let ada = || Opened { email: "ada@example.org".to_owned() };
/// let bob = || Opened { email: "bob@example.org".to_owned() };
/// let paid_in = Deposited { amount: 900 };
/// GivenTogether::<Transfers>::events((vec![ada().into(), paid_in.into()], vec![bob().into()]))
///     .when(Transfer(500))
///     .then((vec![Withdrawn { amount: 500 }.into()], vec![Deposited { amount: 500 }.into()]));
///
/// GivenTogether::<Transfers>::events((vec![ada().into()], vec![bob().into()]))
///     .when(Transfer(500))
///     .then_refused(AccountRejection::TooLittle);
/// ```
///
/// The caller is anonymous and has every role, and the time is 1970, unless the example says otherwise.
#[must_use = "an example without `when` proves nothing"]
pub struct GivenTogether<J>
where
    J: JointDecider,
    J::Parts: Folded,
{
    states: <J::Parts as Folded>::Owned,
    caller: Caller,
    at: Timestamp,
}

/// The states of a joint decision, made from the events of each stream. The library implements it for all
/// [`Parts`].
pub trait Folded: Parts {
    #[doc(hidden)]
    type Owned;
    #[doc(hidden)]
    fn fold(events: Self::Events) -> Self::Owned;
    #[doc(hidden)]
    fn borrowed(owned: &Self::Owned) -> Self::States<'_>;
}

impl<J> GivenTogether<J>
where
    J: JointDecider,
    J::Parts: Folded,
    <J::Parts as Parts>::Events: Default,
{
    /// Streams without events.
    pub fn nothing() -> Self {
        Self::events(<J::Parts as Parts>::Events::default())
    }
}

impl<J> GivenTogether<J>
where
    J: JointDecider,
    J::Parts: Folded,
{
    /// Streams with these events, oldest first, in the order of the decider's parts.
    pub fn events(events: <J::Parts as Parts>::Events) -> Self {
        Self {
            states: J::Parts::fold(events),
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
    pub fn when(self, command: J::Command) -> Decided<<J::Parts as Parts>::Events, J::Rejection> {
        let Self { states, caller, at } = self;
        let context = DecisionContext { at, caller: &caller };
        Decided {
            access: J::may(&caller, &command, &J::Parts::borrowed(&states)),
            decision: J::decide(J::Parts::borrowed(&states), &command, &context),
        }
    }
}

fn fold<D: Decider>(events: Vec<D::Event>) -> D::State {
    events.into_iter().fold(D::initial(), |state, event| D::evolve(state, &event))
}

macro_rules! folded {
    ($($D:ident $at:tt),+) => {
        impl<$($D: Decider),+> Folded for ($($D,)+) {
            type Owned = ($($D::State,)+);

            fn fold(events: Self::Events) -> Self::Owned {
                ($(fold::<$D>(events.$at),)+)
            }

            fn borrowed(owned: &Self::Owned) -> Self::States<'_> {
                ($(&owned.$at,)+)
            }
        }
    };
}

folded!(A 0, B 1);
folded!(A 0, B 1, C 2);
folded!(A 0, B 1, C 2, D 3);
