//! The reversal of a transfer from another bank: a transfer to the sender, which its bank may decline.

use async_trait::async_trait;
use banking_events::{
    AccountEvent, Kind, LegAccount, TransferEvent, TransferMade, TransferReversed, TransferSent,
};
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

/// The decision on the account that was credited, the original and the new transfer.
#[derive(Clone, Copy, Debug)]
pub struct ReverseBetweenBanks;

type BetweenBanks = (Vec<AccountEvent>, Vec<TransferEvent>, Vec<TransferEvent>);

impl JointDecider for ReverseBetweenBanks {
    type Command = Reversing;
    type Parts = (Accounts, Transfers, Transfers);
    type Rejection = BankingRejection;

    fn may(
        caller: &Caller,
        _: &Reversing,
        (_, original, _): &(&AccountState, &TransferState, &TransferState),
    ) -> Access {
        access::by_receiver(caller, original)
    }

    fn decide(
        (account, original, new): <Self::Parts as Parts>::States<'_>,
        command: &Reversing,
        context: &DecisionContext<'_>,
    ) -> Result<BetweenBanks, BankingRejection> {
        let original = Reversing::original(original)?;
        let received = original.received.as_ref().ok_or(BankingRejection::SentToAnotherBank)?;
        let made = original.made.as_ref().ok_or(BankingRejection::NoTransfer)?;
        check_new(new)?;
        let mut from = AccountAt::new(account, context.at)?;
        from.reserve(command.id.clone(), made.amount, None)?;
        let sent = TransferSent {
            kind: Kind::Reversal,
            from: account_of(made)?,
            from_owner: from.account().owner_id.clone(),
            to: received.from.clone(),
            amount: made.amount,
            reference: command.reason.clone(),
            reverses: Some(command.original.clone()),
        };
        let reversed = TransferReversed { by: command.id.clone(), reason: command.reason.clone() };
        Ok((from.into_events(), vec![reversed.into()], vec![sent.into()]))
    }
}

/// The account that was credited.
fn account_of(made: &TransferMade) -> Result<EntityId, BankingRejection> {
    match &made.to {
        LegAccount::Customer(id) => Ok(id.clone()),
        LegAccount::Settlement(_) => Err(BankingRejection::NoTransfer),
    }
}

/// The request, with the account of this bank.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct BetweenBanksRequest {
    pub(super) body: ReverseTransfer,
    /// The account that was credited, or the one that is debited if this bank sent the transfer.
    pub(super) account: EntityId,
}

impl HttpCommand for BetweenBanksRequest {
    const PATH: &'static str = ReverseTransfer::PATH;
    const REFUSALS: &'static [&'static str] = ReverseTransfer::REFUSALS;

    fn example() -> Self {
        let account = EntityId::new("a-1").expect("a-1 is an id");
        Self { body: ReverseTransfer::example(), account }
    }
}

#[async_trait]
impl HttpJointCommand for BetweenBanksRequest {
    type Decider = ReverseBetweenBanks;
    type Answer = Moved;

    const LOCATION: Option<&'static str> = Some(super::LOCATION);
    const HAS_VERSION: bool = false;

    async fn plan(self, call: &JointCall<'_>) -> Result<JointPlan<ReverseBetweenBanks>, Problem> {
        let command = Reversing::of(call, self.body.reason)?;
        let [original, new] = command.streams(call);
        let account = call.stream(Accounts::CATEGORY, self.account);
        let plan = JointPlan::new([account, original.clone(), new.clone()], command);
        Ok(plan.creating(new).about(original))
    }

    fn answer(effect: &JointEffect<'_>) -> Moved {
        Moved::of(effect)
    }
}
