//! `POST /accounts/{id}/withdraw`

use async_trait::async_trait;
use banking_events::{AccountEvent, Kind, LegAccount, SettlementEvent, TransferEvent};
use ledgerfold::{
    Access, Caller, DecisionContext,
    command::{JointDecider, Parts},
};
use ledgerfold_lambda::http::{
    Accepted, HttpCommand, HttpJointCommand, JointCall, JointEffect, JointPlan, Problem,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Amount, MakesSomething, Making};
use crate::domain::{
    AccountAt, AccountState, Accounts, BankingRejection, Movement, SettlementState, Settlements,
    TransferState, Transfers, access, settlement::settlement_of, transfer::check_new,
};

/// Pay money out of an account. Its Idempotency-Key is recognised for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Withdraw {
    /// The amount.
    pub amount: Amount,
    /// The purpose.
    #[schemars(length(min = 1, max = 200))]
    pub reference: String,
}

impl MakesSomething for Withdraw {
    const NAME: &'static str = "Withdraw";
}

impl JointDecider for Withdraw {
    type Command = Making<Self>;
    type Parts = (Accounts, Settlements, Transfers);
    type Rejection = BankingRejection;

    fn may(
        caller: &Caller,
        _: &Making<Self>,
        (account, _, _): &(&AccountState, &SettlementState, &TransferState),
    ) -> Access {
        access::by_owner(caller, account)
    }

    fn decide(
        (account, settlement, transfer): <Self::Parts as Parts>::States<'_>,
        Making { account: id, id: transaction, command }: &Making<Self>,
        context: &DecisionContext<'_>,
    ) -> Result<(Vec<AccountEvent>, Vec<SettlementEvent>, Vec<TransferEvent>), BankingRejection>
    {
        check_new(transfer)?;
        let mut account = AccountAt::new(account, context.at)?;
        let bank = settlement_of(transaction, command.amount.currency.into());
        let movement = Movement {
            transaction: transaction.clone(),
            kind: Kind::Withdrawal,
            from: LegAccount::Customer(id.clone()),
            to: LegAccount::Settlement(bank),
            amount: command.amount.into(),
            reference: command.reference.clone(),
        };
        let (other, made) = movement.with_the_bank(&mut account, settlement)?;
        Ok((account.into_events(), vec![other], vec![made.into()]))
    }
}

impl HttpCommand for Withdraw {
    const PATH: &'static str = "/accounts/{id}/withdraw";
    const REFUSALS: &'static [&'static str] = &[
        "insufficient-funds",
        "daily-limit-exceeded",
        "account-frozen",
        "account-closed",
        "currency-mismatch",
        "balance-too-large",
        "transfer-exists",
    ];

    fn example() -> Self {
        Self { amount: Amount::euro(900), reference: "Cash".to_owned() }
    }
}

#[async_trait]
impl HttpJointCommand for Withdraw {
    type Decider = Self;
    type Answer = Accepted;

    async fn plan(self, call: &JointCall<'_>) -> Result<JointPlan<Self>, Problem> {
        Making::with_the_bank(call, self.amount, self)
    }

    fn answer(effect: &JointEffect<'_>) -> Accepted {
        effect.accepted()
    }
}
