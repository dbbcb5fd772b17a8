//! A movement of money: the record of both legs, and of its reversal.
//!
//! The stream of a transfer makes its command recognised for ever: its id follows from the caller and the key of the
//! request, and a stream begins only once.

use banking_events::{
    TransferDeclined, TransferEvent, TransferMade, TransferReceived, TransferRefused, TransferSent,
};
use ledgerfold::{Category, Decider, DecisionContext, EntityId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BankingRejection, NoCommand};

/// The domain of transfers. Only joint commands change them.
#[derive(Clone, Copy, Debug)]
pub struct Transfers;

/// The state that decisions depend on. `None` means that there is no such transfer.
pub type TransferState = Option<Transfer>;

/// A transfer: within the bank, to another bank or from another one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transfer {
    /// The request to another bank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<TransferSent>,
    /// Where the money came from, if another bank sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<TransferReceived>,
    /// The movement. It is missing before the other bank has answered, and if one of the two banks refused.
    pub made: Option<TransferMade>,
    /// The rule of the refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_by: Option<String>,
    /// The transfer that moved the money back.
    pub reversed_by: Option<EntityId>,
}

/// Whether the money of a transfer has moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Progress {
    /// It is reserved, and the other bank has not answered yet.
    Pending,
    /// It has moved.
    Settled,
    /// It has not moved, and never will.
    Refused,
}

impl Transfer {
    /// Whether the money has moved.
    pub const fn progress(&self) -> Progress {
        match (&self.made, &self.refused_by) {
            (Some(_), _) => Progress::Settled,
            (None, Some(_)) => Progress::Refused,
            (None, None) => Progress::Pending,
        }
    }

    /// Whether another bank is on one side.
    pub const fn is_between_banks(&self) -> bool {
        self.sent.is_some() || self.received.is_some()
    }

    /// The owner of the account that is debited, if it is an account of this bank's customer.
    pub fn from_owner(&self) -> Option<&EntityId> {
        let sent = self.sent.as_ref().map(|sent| &sent.from_owner);
        sent.or_else(|| self.made.as_ref()?.from_owner.as_ref())
    }

    /// The owner of the account that was credited, if it is an account of this bank's customer.
    pub fn to_owner(&self) -> Option<&EntityId> {
        self.made.as_ref()?.to_owner.as_ref()
    }
}

/// # Errors
/// [`BankingRejection::TransferExists`]: the id of a new transfer is taken.
pub fn check_new(state: &TransferState) -> Result<(), BankingRejection> {
    if state.is_some() { Err(BankingRejection::TransferExists) } else { Ok(()) }
}

impl Decider for Transfers {
    type Command = NoCommand;
    type Event = TransferEvent;
    type State = TransferState;
    type Rejection = BankingRejection;

    const CATEGORY: Category = Category::from_static("transfer");

    fn initial() -> TransferState {
        None
    }

    fn evolve(state: TransferState, event: &TransferEvent) -> TransferState {
        let begun = |state: TransferState| state.unwrap_or_default();
        Some(match event.clone() {
            TransferEvent::TransferMade(made) => Transfer { made: Some(made), ..begun(state) },
            TransferEvent::TransferSent(sent) => Transfer { sent: Some(sent), ..begun(state) },
            TransferEvent::TransferDeclined(TransferDeclined { rule, .. }) => {
                Transfer { refused_by: Some(rule), ..begun(state) }
            }
            TransferEvent::TransferReceived(received) => {
                Transfer { received: Some(received), ..state? }
            }
            TransferEvent::TransferRefused(TransferRefused { rule }) => {
                Transfer { refused_by: Some(rule), ..state? }
            }
            TransferEvent::TransferReversed(reversed) => {
                Transfer { reversed_by: Some(reversed.by), ..state? }
            }
        })
    }

    fn decide(
        _: &TransferState,
        command: &NoCommand,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<TransferEvent>, BankingRejection> {
        match *command {}
    }
}
