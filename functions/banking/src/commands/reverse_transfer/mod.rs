//! `POST /transfers/{id}/reverse`

mod between_accounts;
mod between_banks;
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
use between_banks::BetweenBanksRequest;
use with_the_bank::WithTheBankRequest;

pub use between_accounts::ReverseBetweenAccounts;
pub use between_banks::ReverseBetweenBanks;
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
        "sent-to-another-bank",
        "too-many-holds",
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

    /// The movement of a transfer within the bank.
    ///
    /// # Errors
    /// [`BankingRejection::NoTransfer`] if another bank is on one side: it has a decision of its own.
    fn made_here(original: &Transfer) -> Result<&TransferMade, BankingRejection> {
        let made = original.made.as_ref().filter(|_| !original.is_between_banks());
        made.ok_or(BankingRejection::NoTransfer)
    }

    /// The movement the other way.
    fn movement(&self, made: &TransferMade) -> Movement {
        Movement {
            transaction: self.id.clone(),
            kind: Kind::Reversal,
            from: made.to.clone(),
            to: made.from.clone(),
            amount: made.amount,
            reference: self.reason.clone(),
        }
    }

    /// The events of both transfers. `made` is the record of the movement the other way.
    fn records(&self, original: &TransferMade, made: TransferMade) -> Records {
        let made = TransferMade {
            reverses: Some(self.original.clone()),
            originally_booked_on: Some(original.booked_on()),
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
    between_banks: Jointly<BetweenBanksRequest>,
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
            between_banks: Jointly::open(side),
        }
    }

    async fn handle(
        &self,
        body: ReverseTransfer,
        call: CommandCall<'_>,
    ) -> Result<Response, Problem> {
        let transfer = self.original(&call).await?;
        if let Some(account) = account_between_banks(&transfer) {
            let request = BetweenBanksRequest { body, account };
            return self.between_banks.handle(request, call).await;
        }
        let TransferMade { from, to, .. } = transfer.made.ok_or_else(no_transfer)?;
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
    /// The original. Its accounts never change.
    async fn original(&self, call: &CommandCall<'_>) -> Result<Transfer, Problem> {
        let id = call.id.cloned().ok_or_else(no_transfer)?;
        let stream = call.stream(Transfers::CATEGORY, id);
        let found = self.reader.state::<Transfers>(&stream).await?;
        found.state.ok_or_else(no_transfer)
    }
}

/// The account of this bank's customer, if another bank is on the other side.
fn account_between_banks(transfer: &Transfer) -> Option<EntityId> {
    let sent = transfer.sent.as_ref().map(|sent| sent.from.clone());
    let credited = || match (&transfer.received, &transfer.made.as_ref()?.to) {
        (Some(_), LegAccount::Customer(id)) => Some(id.clone()),
        _ => None,
    };
    sent.or_else(credited)
}

fn no_transfer() -> Problem {
    Problem::not_found("The transfer does not exist.")
}
