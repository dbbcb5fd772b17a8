//! `POST /transfers`

use async_trait::async_trait;
use banking_events::{AccountEvent, Kind, LegAccount, TransferEvent};
use ledgerfold::{
    Access, Caller, Decider, DecisionContext, EntityId, TenantId,
    command::{JointDecider, Parts},
};
use ledgerfold_lambda::http::{
    CommandCall, CommandSide, FieldError, Handles, HttpCommand, HttpJointCommand, JointCall,
    JointEffect, JointPlan, Jointly, Problem, Response, Success,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Amount, MakesSomething, Making, Moved, SendTransfer};
use crate::domain::{
    AccountAt, AccountState, Accounts, BankingRejection, Movement, TransferState, Transfers,
    access, transfer::check_new,
};

/// Move money from one account to another, in one transaction, or to an account of another bank. Its Idempotency-Key is recognised for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MakeTransfer {
    /// The account to debit.
    pub from: EntityId,
    /// The account to credit, another one.
    pub to: EntityId,
    /// The amount.
    pub amount: Amount,
    /// The purpose.
    #[schemars(length(min = 1, max = 200))]
    pub reference: String,
    /// The bank of the account to credit, if it is another bank. The answer then shows a pending transfer, whose money
    /// is reserved until the other bank has credited or declined it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_bank: Option<TenantId>,
}

impl MakesSomething for MakeTransfer {
    const NAME: &'static str = "MakeTransfer";
}

impl JointDecider for MakeTransfer {
    type Command = Making<Self>;
    type Parts = (Accounts, Accounts, Transfers);
    type Rejection = BankingRejection;

    fn may(
        caller: &Caller,
        _: &Making<Self>,
        (from, _, _): &(&AccountState, &AccountState, &TransferState),
    ) -> Access {
        access::by_owner(caller, from)
    }

    fn decide(
        (from, to, transfer): <Self::Parts as Parts>::States<'_>,
        Making { account, id, command }: &Making<Self>,
        context: &DecisionContext<'_>,
    ) -> Result<(Vec<AccountEvent>, Vec<AccountEvent>, Vec<TransferEvent>), BankingRejection> {
        check_new(transfer)?;
        let mut from = AccountAt::new(from, context.at)?;
        let mut to = AccountAt::new(to, context.at)?;
        let movement = Movement {
            transaction: id.clone(),
            kind: Kind::Transfer,
            from: LegAccount::Customer(account.clone()),
            to: LegAccount::Customer(command.to.clone()),
            amount: command.amount.into(),
            reference: command.reference.clone(),
        };
        let made = movement.between(&mut from, &mut to)?;
        Ok((from.into_events(), to.into_events(), vec![made.into()]))
    }
}

impl HttpCommand for MakeTransfer {
    const PATH: &'static str = "/transfers";
    const REFUSALS: &'static [&'static str] = &[
        "insufficient-funds",
        "daily-limit-exceeded",
        "account-frozen",
        "account-closed",
        "currency-mismatch",
        "balance-too-large",
        "too-many-holds",
        "transfer-exists",
    ];

    fn example() -> Self {
        let [from, to] = ["a-1", "a-2"].map(|id| EntityId::new(id).expect("it is an id"));
        let (amount, reference) = (Amount::euro(900), "Rent".to_owned());
        Self { from, to, amount, reference, to_bank: None }
    }

    fn check(&self) -> Vec<FieldError> {
        let same = self.from == self.to && self.to_bank.is_none();
        let detail = || "must be another account than from".to_owned();
        let error = || FieldError { pointer: "/to".to_owned(), detail: detail() };
        same.then(error).into_iter().collect()
    }
}

#[async_trait]
impl HttpJointCommand for MakeTransfer {
    type Decider = Self;
    type Answer = Moved;

    const LOCATION: Option<&'static str> = Some("/transfers/{created}");
    const HAS_VERSION: bool = false;

    async fn plan(self, call: &JointCall<'_>) -> Result<JointPlan<Self>, Problem> {
        let transfer = call.stream(Transfers::CATEGORY, call.chosen_id().clone());
        let ids = [&self.from, &self.to];
        let [from, to] = ids.map(|id| call.stream(Accounts::CATEGORY, id.clone()));
        let command = Making::of(call, from.id(), self);
        Ok(JointPlan::new([from, to, transfer.clone()], command).creating(transfer))
    }

    fn answer(effect: &JointEffect<'_>) -> Moved {
        Moved::of(effect)
    }
}

/// Answers a transfer, within the bank or to another one.
pub struct MakesTransfer {
    within: Jointly<MakeTransfer>,
    to_another: Jointly<SendTransfer>,
}

#[async_trait]
impl Handles<MakeTransfer> for MakesTransfer {
    const MAY_NOT_FIND: bool = true;

    fn successes() -> Vec<Success> {
        Jointly::<MakeTransfer>::successes()
    }

    fn open(side: &mut CommandSide<'_>) -> Self {
        Self { within: Jointly::open(side), to_another: Jointly::open(side) }
    }

    async fn handle(
        &self,
        mut body: MakeTransfer,
        call: CommandCall<'_>,
    ) -> Result<Response, Problem> {
        match body.to_bank.take() {
            None => self.within.handle(body, call).await,
            Some(to_bank) => {
                let request = SendTransfer { to_bank, transfer: body };
                self.to_another.handle(request, call).await
            }
        }
    }
}
