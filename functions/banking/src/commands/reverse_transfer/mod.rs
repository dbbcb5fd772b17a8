//! `POST /transfers/{id}/reverse`

mod between_accounts;
mod with_the_bank;

use async_trait::async_trait;
use banking_events::{Kind, LegAccount, TransferEvent, TransferMade, TransferReversed};
use ledgerfold::{Command, CommandName, Decider, EntityId, StreamId, command::StreamReader};
use ledgerfold_lambda::http::{
    CommandCall, CommandSide, Handles, HttpCommand, JointCall, Jointly, Problem, Response, Success,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{BankingRejection, Movement, Transfer, TransferState, Transfers};
use between_accounts::BetweenAccountsRequest;
use with_the_bank::WithTheBankRequest;

pub use between_accounts::ReverseBetweenAccounts;
pub use with_the_bank::ReverseWithTheBank;

/// The path of the new transfer.
const LOCATION: &str = "/transfers/{created}";

/// Move the money of a transfer back, once. The reversal is a new transfer in the open month, and names the first one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReverseTransfer {
    /// The reason.
    #[schemars(length(min = 1, max = 200))]
    pub reason: String,
}

impl HttpCommand for ReverseTransfer {
    const PATH: &'static str = "/transfers/{id}/reverse";
    const REFUSALS: &'static [&'static str] = &[
        "already-reversed",
        "insufficient-funds",
        "daily-limit-exceeded",
        "account-frozen",
        "account-closed",
        "balance-too-large",
        "transfer-exists",
    ];

    fn example() -> Self {
        Self { reason: "Sent twice.".to_owned() }
    }
}

/// A reversal, with the ids of both transfers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reversing {
    /// The transfer to reverse.
    pub original: EntityId,
    /// The new transfer.
    pub id: EntityId,
    /// The reason.
    pub reason: String,
}

impl Command for Reversing {
    fn name(&self) -> CommandName {
        CommandName::from_static("ReverseTransfer")
    }
}

impl Reversing {
    fn of(call: &JointCall<'_>, reason: String) -> Result<Self, Problem> {
        Ok(Self { original: call.id()?.clone(), id: call.chosen_id().clone(), reason })
    }

    /// The streams of the original and of the new transfer.
    fn streams(&self, call: &JointCall<'_>) -> [StreamId; 2] {
        [&self.original, &self.id].map(|id| call.stream(Transfers::CATEGORY, id.clone()))
    }

    /// # Errors
    /// [`BankingRejection::NoTransfer`] or [`BankingRejection::AlreadyReversed`].
    fn original(state: &TransferState) -> Result<&Transfer, BankingRejection> {
        let original = state.as_ref().ok_or(BankingRejection::NoTransfer)?;
        match original.reversed_by {
            Some(_) => Err(BankingRejection::AlreadyReversed),
            None => Ok(original),
        }
    }

    /// The movement the other way.
    fn movement(&self, original: &Transfer) -> Movement {
        Movement {
            transaction: self.id.clone(),
            kind: Kind::Reversal,
            from: original.made.to.clone(),
            to: original.made.from.clone(),
            amount: original.made.amount,
            reference: self.reason.clone(),
        }
    }

    /// The events of both transfers. `made` is the record of the movement the other way.
    fn records(&self, original: &Transfer, made: TransferMade) -> Records {
        let made = TransferMade {
            reverses: Some(self.original.clone()),
            originally_booked_on: Some(original.made.booked_on()),
            ..made
        };
        let reversed = TransferReversed { by: self.id.clone(), reason: self.reason.clone() };
        Records { original: vec![reversed.into()], new: vec![made.into()] }
    }
}

/// The events of the transfers of a reversal.
struct Records {
    original: Vec<TransferEvent>,
    new: Vec<TransferEvent>,
}

/// Answers a reversal. It reads the transfer, to learn whether the bank is on one side.
pub struct ReversesTransfer {
    reader: StreamReader,
    between_accounts: Jointly<BetweenAccountsRequest>,
    with_the_bank: Jointly<WithTheBankRequest>,
}

#[async_trait]
impl Handles<ReverseTransfer> for ReversesTransfer {
    fn successes() -> Vec<Success> {
        Jointly::<BetweenAccountsRequest>::successes()
    }

    fn open(side: &mut CommandSide<'_>) -> Self {
        Self {
            reader: side.ports.stream_reader(),
            between_accounts: Jointly::open(side),
            with_the_bank: Jointly::open(side),
        }
    }

    async fn handle(
        &self,
        body: ReverseTransfer,
        call: CommandCall<'_>,
    ) -> Result<Response, Problem> {
        let TransferMade { from, to, .. } = self.made(&call).await?;
        match (from, to) {
            (LegAccount::Customer(from), LegAccount::Customer(to)) => {
                // The money goes back to its sender.
                let request = BetweenAccountsRequest { body, from: to, to: from };
                self.between_accounts.handle(request, call).await
            }
            (LegAccount::Customer(account), LegAccount::Settlement(bank))
            | (LegAccount::Settlement(bank), LegAccount::Customer(account)) => {
                let request = WithTheBankRequest { body, account, bank };
                self.with_the_bank.handle(request, call).await
            }
            // No command makes such a transfer.
            (LegAccount::Settlement(_), LegAccount::Settlement(_)) => Err(no_transfer()),
        }
    }
}

impl ReversesTransfer {
    /// The movement of the original. It never changes.
    async fn made(&self, call: &CommandCall<'_>) -> Result<TransferMade, Problem> {
        let id = call.id.cloned().ok_or_else(no_transfer)?;
        let stream = call.stream(Transfers::CATEGORY, id);
        let found = self.reader.state::<Transfers>(&stream).await?;
        Ok(found.state.ok_or_else(no_transfer)?.made)
    }
}

fn no_transfer() -> Problem {
    Problem::not_found("The transfer does not exist.")
}
