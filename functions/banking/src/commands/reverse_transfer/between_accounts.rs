//! The reversal of a transfer between two accounts.

use async_trait::async_trait;
use banking_events::{AccountEvent, TransferEvent};
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
        AccountAt, AccountState, Accounts, BankingRejection, TransferState, Transfers, access,
        transfer::check_new,
    },
};

/// The decision on the account that was credited, the one that was debited, the original and the new transfer.
#[derive(Clone, Copy, Debug)]
pub struct ReverseBetweenAccounts;

type BetweenAccounts =
    (Vec<AccountEvent>, Vec<AccountEvent>, Vec<TransferEvent>, Vec<TransferEvent>);

impl JointDecider for ReverseBetweenAccounts {
    type Command = Reversing;
    type Parts = (Accounts, Accounts, Transfers, Transfers);
    type Rejection = BankingRejection;

    fn may(
        caller: &Caller,
        _: &Reversing,
        (_, _, original, _): &(&AccountState, &AccountState, &TransferState, &TransferState),
    ) -> Access {
        access::by_receiver(caller, original)
    }

    fn decide(
        (from, to, original, new): <Self::Parts as Parts>::States<'_>,
        command: &Reversing,
        context: &DecisionContext<'_>,
    ) -> Result<BetweenAccounts, BankingRejection> {
        let original = Reversing::made_here(Reversing::original(original)?)?;
        check_new(new)?;
        let movement = command.movement(original);
        let mut from = AccountAt::new(from, context.at)?;
        let mut to = AccountAt::new(to, context.at)?;
        let made = movement.between(&mut from, &mut to)?;
        let records = command.records(original, made);
        Ok((from.into_events(), to.into_events(), records.original, records.new))
    }
}

/// The request, with the accounts of the original.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct BetweenAccountsRequest {
    pub(super) body: ReverseTransfer,
    /// The account that was credited.
    pub(super) from: EntityId,
    /// The account that was debited.
    pub(super) to: EntityId,
}

impl HttpCommand for BetweenAccountsRequest {
    const PATH: &'static str = ReverseTransfer::PATH;
    const REFUSALS: &'static [&'static str] = ReverseTransfer::REFUSALS;

    fn example() -> Self {
        let [from, to] = ["a-2", "a-1"].map(|id| EntityId::new(id).expect("it is an id"));
        Self { body: ReverseTransfer::example(), from, to }
    }
}

#[async_trait]
impl HttpJointCommand for BetweenAccountsRequest {
    type Decider = ReverseBetweenAccounts;
    type Answer = Moved;

    const LOCATION: Option<&'static str> = Some(super::LOCATION);
    const HAS_VERSION: bool = false;

    async fn plan(
        self,
        call: &JointCall<'_>,
    ) -> Result<JointPlan<ReverseBetweenAccounts>, Problem> {
        let command = Reversing::of(call, self.body.reason)?;
        let [original, new] = command.streams(call);
        let [from, to] = [self.from, self.to].map(|id| call.stream(Accounts::CATEGORY, id));
        let plan = JointPlan::new([from, to, original.clone(), new.clone()], command);
        Ok(plan.creating(new).about(original))
    }

    fn answer(effect: &JointEffect<'_>) -> Moved {
        Moved::of(effect)
    }
}
