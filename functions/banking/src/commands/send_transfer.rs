//! `POST /transfers` to another bank: the money is reserved, and the process
//! [`Interbank`](crate::process::InterbankTransfers) does the rest.

use async_trait::async_trait;
use banking_events::{AccountEvent, Kind, RemoteAccount, TransferEvent, TransferSent};
use ledgerfold::{
    Access, Caller, Decider, DecisionContext, TenantId,
    command::{JointDecider, Parts},
};
use ledgerfold_lambda::http::{
    FieldError, HttpCommand, HttpJointCommand, JointCall, JointEffect, JointPlan, Problem,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MakeTransfer, MakesSomething, Making, Moved};
use crate::domain::{
    AccountAt, AccountState, Accounts, BankingRejection, TransferState, Transfers, access,
    transfer::check_new,
};

/// A transfer to an account of another bank, which is another tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SendTransfer {
    /// The other bank.
    pub to_bank: TenantId,
    /// The request. Its receiver is an account of the other bank.
    pub transfer: MakeTransfer,
}

impl MakesSomething for SendTransfer {
    const NAME: &'static str = "SendTransfer";
}

impl JointDecider for SendTransfer {
    type Command = Making<Self>;
    type Parts = (Accounts, Transfers);
    type Rejection = BankingRejection;

    fn may(
        caller: &Caller,
        _: &Making<Self>,
        (from, _): &(&AccountState, &TransferState),
    ) -> Access {
        access::by_owner(caller, from)
    }

    fn decide(
        (from, transfer): <Self::Parts as Parts>::States<'_>,
        Making { account, id, command }: &Making<Self>,
        context: &DecisionContext<'_>,
    ) -> Result<(Vec<AccountEvent>, Vec<TransferEvent>), BankingRejection> {
        check_new(transfer)?;
        let mut from = AccountAt::new(from, context.at)?;
        let Self { to_bank, transfer } = command.clone();
        from.reserve(id.clone(), transfer.amount.into(), None)?;
        let sent = TransferSent {
            kind: Kind::Transfer,
            from: account.clone(),
            from_owner: from.account().owner_id.clone(),
            to: RemoteAccount { bank: to_bank, account: transfer.to },
            amount: transfer.amount.into(),
            reference: transfer.reference,
            reverses: None,
        };
        Ok((from.into_events(), vec![sent.into()]))
    }
}

impl HttpCommand for SendTransfer {
    const PATH: &'static str = MakeTransfer::PATH;
    const REFUSALS: &'static [&'static str] = MakeTransfer::REFUSALS;

    fn example() -> Self {
        let to_bank = TenantId::new("bank-2").expect("bank-2 is a tenant");
        Self { to_bank, transfer: MakeTransfer::example() }
    }
}

#[async_trait]
impl HttpJointCommand for SendTransfer {
    type Decider = Self;
    type Answer = Moved;

    const LOCATION: Option<&'static str> = Some("/transfers/{created}");
    const HAS_VERSION: bool = false;

    async fn plan(self, call: &JointCall<'_>) -> Result<JointPlan<Self>, Problem> {
        if self.to_bank == call.caller().tenant {
            let detail = "must be another bank, or be left out".to_owned();
            let pointer = "/toBank".to_owned();
            return Err(Problem::invalid_body(vec![FieldError { pointer, detail }]));
        }
        let transfer = call.stream(Transfers::CATEGORY, call.chosen_id().clone());
        let from = call.stream(Accounts::CATEGORY, self.transfer.from.clone());
        let command = Making::of(call, from.id(), self);
        Ok(JointPlan::new([from, transfer.clone()], command).creating(transfer))
    }

    fn answer(effect: &JointEffect<'_>) -> Moved {
        Moved::of(effect)
    }
}
