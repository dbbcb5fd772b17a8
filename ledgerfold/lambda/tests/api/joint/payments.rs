//! Payments: one creates a stream beside two accounts, and a reversal reads the payment to learn the accounts.

use async_trait::async_trait;
use ledgerfold::{
    Access, Caller, Category, Command, CommandName, Decider, DecisionContext, EntityId, Rejection,
    RejectionKind, command::JointDecider, events,
};
use ledgerfold_lambda::http::{
    Accepted, HttpCommand, HttpJointCommand, JointCall, JointEffect, JointPlan, Problem,
};
use ledgerfold_testkit::bank::{Account, AccountEvent, Accounts, Deposited, Withdrawn};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Money moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct PaymentMade {
    from: EntityId,
    to: EntityId,
    amount: u64,
}

/// The money moved back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct PaymentReversed {}

events! {
    /// The events of a payment.
    pub(crate) enum PaymentEvent {
        PaymentMade: 1,
        PaymentReversed: 1,
    }
}

/// The reasons to refuse a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// An account or payment does not exist.
    #[error("it does not exist")]
    NotFound,
    /// There is too little in the account.
    #[error("there is too little in the account")]
    TooLittle,
    /// The payment is reversed already.
    #[error("the payment is reversed already")]
    Reversed,
}

impl Rejection for Refused {
    fn rule(&self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::TooLittle => "insufficient-funds",
            Self::Reversed => "already-reversed",
        }
    }

    fn kind(&self) -> RejectionKind {
        match self {
            Self::NotFound => RejectionKind::NotFound,
            Self::TooLittle | Self::Reversed => RejectionKind::Conflict,
        }
    }
}

/// The command of payments alone, which there is not: all commands of a payment concern accounts too.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Order;

impl Command for Order {
    fn name(&self) -> CommandName {
        CommandName::from_static("Order")
    }
}

/// The domain of payments.
pub(crate) struct Payments;

impl Decider for Payments {
    type Command = Order;
    type Event = PaymentEvent;
    type State = Option<(PaymentMade, bool)>;
    type Rejection = Refused;

    const CATEGORY: Category = Category::from_static("payment");

    fn initial() -> Self::State {
        None
    }

    fn evolve(state: Self::State, event: &PaymentEvent) -> Self::State {
        match event {
            PaymentEvent::PaymentMade(made) => Some((made.clone(), false)),
            PaymentEvent::PaymentReversed(_) => state.map(|(made, _)| (made, true)),
        }
    }

    fn decide(
        _: &Self::State,
        _: &Order,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<PaymentEvent>, Refused> {
        Err(Refused::NotFound)
    }
}

/// Moves money from the first account to the second. Everybody but Mallory may.
pub(crate) struct Pays;

type Parts = (Payments, Accounts, Accounts);
type Events = (Vec<PaymentEvent>, Vec<AccountEvent>, Vec<AccountEvent>);

fn move_money(from: &Account, to: &Account, amount: u64) -> Result<Events, Refused> {
    match (&from.email, &to.email) {
        (Some(_), Some(_)) if from.balance < amount => Err(Refused::TooLittle),
        (Some(_), Some(_)) => {
            Ok((Vec::new(), vec![Withdrawn { amount }.into()], vec![Deposited { amount }.into()]))
        }
        _ => Err(Refused::NotFound),
    }
}

impl JointDecider for Pays {
    type Command = PayOrder;
    type Parts = Parts;
    type Rejection = Refused;

    fn may(
        caller: &Caller,
        _: &PayOrder,
        _: &(&Option<(PaymentMade, bool)>, &Account, &Account),
    ) -> Access {
        if caller.subject.as_str() == "mallory" { Access::Hidden } else { Access::Allowed }
    }

    fn decide(
        (_, from, to): (&Option<(PaymentMade, bool)>, &Account, &Account),
        PayOrder { made }: &PayOrder,
        _: &DecisionContext<'_>,
    ) -> Result<Events, Refused> {
        let events = move_money(from, to, made.amount)?;
        Ok((vec![made.clone().into()], events.1, events.2))
    }
}

/// The domain's command behind [`Pay`].
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PayOrder {
    made: PaymentMade,
}

impl Command for PayOrder {
    fn name(&self) -> CommandName {
        CommandName::from_static("Pay")
    }
}

/// Moves the money of a payment back.
pub(crate) struct Reverses;

/// The domain's command behind [`ReversePayment`].
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ReverseOrder;

impl Command for ReverseOrder {
    fn name(&self) -> CommandName {
        CommandName::from_static("Reverse")
    }
}

impl JointDecider for Reverses {
    type Command = ReverseOrder;
    type Parts = Parts;
    type Rejection = Refused;

    fn decide(
        (payment, from, to): (&Option<(PaymentMade, bool)>, &Account, &Account),
        _: &ReverseOrder,
        _: &DecisionContext<'_>,
    ) -> Result<Events, Refused> {
        match payment {
            None => Err(Refused::NotFound),
            Some((_, true)) => Err(Refused::Reversed),
            Some((made, false)) => {
                let events = move_money(to, from, made.amount)?;
                Ok((vec![PaymentReversed {}.into()], events.2, events.1))
            }
        }
    }
}

/// Pay from an account.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Pay {
    /// The account that receives.
    to: EntityId,
    /// The amount in cents.
    #[schemars(range(min = 1, max = 1_000_000))]
    amount: u64,
}

/// The answer to a payment.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Paid {
    /// The payment.
    id: EntityId,
    /// The accounts with their versions.
    legs: Vec<Leg>,
}

/// An account of a payment.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Leg {
    /// The account.
    account: EntityId,
    /// Its version.
    version: u64,
}

impl Paid {
    fn of(effect: &JointEffect<'_>) -> Self {
        let legs = effect.of::<Accounts>().map(|answer| Leg {
            account: answer.stream.id().clone(),
            version: answer.version.get(),
        });
        Self { id: effect.chosen_id().clone(), legs: legs.collect() }
    }
}

impl HttpCommand for Pay {
    const PATH: &'static str = "/accounts/{id}/payments";
    const REFUSALS: &'static [&'static str] = &["insufficient-funds"];

    fn example() -> Self {
        Self { to: EntityId::new("b").expect("an id"), amount: 400 }
    }
}

#[async_trait]
impl HttpJointCommand for Pay {
    type Decider = Pays;
    type Answer = Paid;

    const LOCATION: Option<&'static str> = Some("/accounts/{id}/payments/{created}");
    const HAS_VERSION: bool = false;

    async fn plan(self, call: &JointCall<'_>) -> Result<JointPlan<Pays>, Problem> {
        let payment = call.stream(Payments::CATEGORY, call.chosen_id().clone());
        let from = call.stream(<Accounts>::CATEGORY, call.id()?.clone());
        let to = call.stream(<Accounts>::CATEGORY, self.to.clone());
        let made = PaymentMade { from: from.id().clone(), to: self.to, amount: self.amount };
        let streams = [payment.clone(), from.clone(), to];
        Ok(JointPlan::new(streams, PayOrder { made }).creating(payment).about(from))
    }

    fn answer(effect: &JointEffect<'_>) -> Paid {
        Paid::of(effect)
    }
}

/// Reverse a payment.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ReversePayment {}

impl HttpCommand for ReversePayment {
    const PATH: &'static str = "/payments/{id}/reverse";
    const REFUSALS: &'static [&'static str] = &["already-reversed", "insufficient-funds"];

    fn example() -> Self {
        Self {}
    }
}

#[async_trait]
impl HttpJointCommand for ReversePayment {
    type Decider = Reverses;
    type Answer = Accepted;

    async fn plan(self, call: &JointCall<'_>) -> Result<JointPlan<Reverses>, Problem> {
        let payment = call.stream(Payments::CATEGORY, call.id()?.clone());
        let found = call.state::<Payments>(&payment).await?;
        let (made, _) = found.state.ok_or_else(|| Problem::not_found("it does not exist"))?;
        let [from, to] = [made.from, made.to].map(|id| call.stream(<Accounts>::CATEGORY, id));
        Ok(JointPlan::new([payment, from, to], ReverseOrder))
    }

    fn answer(effect: &JointEffect<'_>) -> Accepted {
        effect.accepted()
    }
}
