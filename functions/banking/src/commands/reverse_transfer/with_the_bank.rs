//! The reversal of a transfer between an account and the bank.

use async_trait::async_trait;
use banking_events::{AccountEvent, SettlementEvent, TransferEvent};
use ledgerfold::{
    Access, Caller, Decider, DecisionContext, EntityId,
    command::{JointDecider, Parts},
};
use ledgerfold_lambda::http::{
    HttpCommand, HttpJointCommand, JointCall, JointEffect, JointPlan, Problem,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ReverseTransfer, Reversing};
use crate::{
    commands::Moved,
    domain::{
        AccountAt, AccountState, Accounts, BankingRejection, SettlementState, Settlements,
        TransferState, Transfers, access, transfer::check_new,
    },
};

/// The decision on the account, the settlement account, the original and the new transfer.
#[derive(Clone, Copy, Debug)]
pub struct ReverseWithTheBank;

type WithTheBank =
    (Vec<AccountEvent>, Vec<SettlementEvent>, Vec<TransferEvent>, Vec<TransferEvent>);

impl JointDecider for ReverseWithTheBank {
    type Command = Reversing;
    type Parts = (Accounts, Settlements, Transfers, Transfers);
    type Rejection = BankingRejection;

    fn may(
        caller: &Caller,
        _: &Reversing,
        (_, _, original, _): &(&AccountState, &SettlementState, &TransferState, &TransferState),
    ) -> Access {
        access::by_receiver(caller, original)
    }

    fn decide(
        (account, bank, original, new): <Self::Parts as Parts>::States<'_>,
        command: &Reversing,
        context: &DecisionContext<'_>,
    ) -> Result<WithTheBank, BankingRejection> {
        let original = Reversing::made_here(Reversing::original(original)?)?;
        check_new(new)?;
        let movement = command.movement(original);
        let mut account = AccountAt::new(account, context.at)?;
        let (other, made) = movement.with_the_bank(&mut account, bank)?;
        let records = command.records(original, made);
        Ok((account.into_events(), vec![other], records.original, records.new))
    }
}

/// The request, with the accounts of the original.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct WithTheBankRequest {
    pub(super) body: ReverseTransfer,
    /// The account of the customer.
    pub(super) account: EntityId,
    /// The settlement account.
    pub(super) bank: EntityId,
}

impl HttpCommand for WithTheBankRequest {
    const PATH: &'static str = ReverseTransfer::PATH;
    const REFUSALS: &'static [&'static str] = ReverseTransfer::REFUSALS;

    fn example() -> Self {
        let [account, bank] = ["a-1", "cash.EUR.7"].map(|id| EntityId::new(id).expect("an id"));
        Self { body: ReverseTransfer::example(), account, bank }
    }
}

#[async_trait]
impl HttpJointCommand for WithTheBankRequest {
    type Decider = ReverseWithTheBank;
    type Answer = Moved;

    const LOCATION: Option<&'static str> = Some(super::LOCATION);
    const HAS_VERSION: bool = false;

    async fn plan(self, call: &JointCall<'_>) -> Result<JointPlan<ReverseWithTheBank>, Problem> {
        let command = Reversing::of(call, self.body.reason)?;
        let [original, new] = command.streams(call);
        let account = call.stream(Accounts::CATEGORY, self.account);
        let bank = call.stream(Settlements::CATEGORY, self.bank);
        let plan = JointPlan::new([account, bank, original.clone(), new.clone()], command);
        Ok(plan.creating(new).about(original))
    }

    fn answer(effect: &JointEffect<'_>) -> Moved {
        Moved::of(effect)
    }
}
