//! `POST /accounts/{id}/holds/{hold}/capture`

use async_trait::async_trait;
use banking_events::{
    AccountEvent, HoldCaptured, HoldEvent, Kind, LegAccount, Money, TransferEvent,
};
use ledgerfold::{
    Access, Caller, Decider, DecisionContext, EntityId,
    command::{JointDecider, Parts},
};
use ledgerfold_lambda::http::{
    FieldError, HttpCommand, HttpJointCommand, JointCall, JointEffect, JointPlan, Problem,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Amount, MakesSomething, Making, Moved};
use crate::domain::{
    AccountAt, AccountState, Accounts, BankingRejection, Hold, HoldState, Holds, Movement,
    TransferState, Transfers, access, hold, transfer::check_new,
};

/// Move money that a hold has reserved to another account. Its Idempotency-Key is recognised for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaptureHold {
    /// The hold.
    pub hold: EntityId,
    /// The account to credit, another one.
    pub to: EntityId,
    /// The amount, at most the rest of the hold. Without it, all of the rest.
    #[serde(default)]
    pub amount: Option<Amount>,
}

/// The events of the account, of the receiver, of the hold and of the transfer.
type Captured = (Vec<AccountEvent>, Vec<AccountEvent>, Vec<HoldEvent>, Vec<TransferEvent>);

impl MakesSomething for CaptureHold {
    const NAME: &'static str = "CaptureHold";
}

impl JointDecider for CaptureHold {
    type Command = Making<Self>;
    type Parts = (Accounts, Accounts, Holds, Transfers);
    type Rejection = BankingRejection;

    fn may(
        caller: &Caller,
        _: &Making<Self>,
        (from, ..): &(&AccountState, &AccountState, &HoldState, &TransferState),
    ) -> Access {
        access::by_owner(caller, from)
    }

    fn decide(
        (from, to, hold, transfer): <Self::Parts as Parts>::States<'_>,
        Making { account, id, command }: &Making<Self>,
        context: &DecisionContext<'_>,
    ) -> Result<Captured, BankingRejection> {
        check_new(transfer)?;
        let mut from = AccountAt::new(from, context.at)?;
        let hold = hold::open(hold, account, context.at)?;
        let mut to = AccountAt::new(to, context.at)?;
        let movement = Movement {
            transaction: id.clone(),
            kind: Kind::Capture,
            from: LegAccount::Customer(account.clone()),
            to: LegAccount::Customer(command.to.clone()),
            amount: command.amount_of(hold),
            reference: hold.placed.reference.clone(),
        };
        from.capture(&command.hold, &movement.outgoing())?;
        to.credit(&movement.incoming())?;
        let amount = movement.amount.amount;
        let mut made = movement.made_between(&from, &to);
        made.hold = Some(command.hold.clone());
        let captured = HoldCaptured { transaction: id.clone(), amount };
        Ok((from.into_events(), to.into_events(), vec![captured.into()], vec![made.into()]))
    }
}

impl CaptureHold {
    fn amount_of(&self, hold: &Hold) -> Money {
        let rest = Money { amount: hold.left(), currency: hold.placed.amount.currency };
        self.amount.map_or(rest, Money::from)
    }
}

impl HttpCommand for CaptureHold {
    const PATH: &'static str = "/accounts/{id}/holds/{hold}/capture";
    const REFUSALS: &'static [&'static str] = &[
        "hold-expired",
        "hold-not-open",
        "amount-exceeds-hold",
        "account-frozen",
        "account-closed",
        "currency-mismatch",
        "balance-too-large",
        "transfer-exists",
    ];

    fn example() -> Self {
        let [hold, to] = ["h-1", "a-2"].map(|id| EntityId::new(id).expect("it is an id"));
        Self { hold, to, amount: Some(Amount::euro(900)) }
    }
}

#[async_trait]
impl HttpJointCommand for CaptureHold {
    type Decider = Self;
    type Answer = Moved;

    const LOCATION: Option<&'static str> = Some("/transfers/{created}");
    const HAS_VERSION: bool = false;

    async fn plan(self, call: &JointCall<'_>) -> Result<JointPlan<Self>, Problem> {
        let account = call.id()?.clone();
        if self.to == account {
            let detail = "must be another account than the one of the hold".to_owned();
            let pointer = "/to".to_owned();
            return Err(Problem::invalid_body(vec![FieldError { pointer, detail }]));
        }
        let transfer = call.stream(Transfers::CATEGORY, call.chosen_id().clone());
        let hold = call.stream(Holds::CATEGORY, self.hold.clone());
        let to = call.stream(Accounts::CATEGORY, self.to.clone());
        let command = Making::of(call, &account, self);
        let from = call.stream(Accounts::CATEGORY, account);
        let plan = JointPlan::new([from, to, hold.clone(), transfer.clone()], command);
        Ok(plan.creating(transfer).showing(hold))
    }

    fn answer(effect: &JointEffect<'_>) -> Moved {
        Moved::of(effect)
    }
}
