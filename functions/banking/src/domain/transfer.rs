//! A movement of money: the record of both legs, and of its reversal.
//!
//! The stream of a transfer makes its command recognised for ever: its id follows from the caller and the key of the
//! request, and a stream begins only once.

use banking_events::{TransferEvent, TransferMade};
use ledgerfold::{Category, Decider, DecisionContext, EntityId};

use super::{BankingRejection, NoCommand};

/// The domain of transfers. Only joint commands change them.
#[derive(Clone, Copy, Debug)]
pub struct Transfers;

/// The state that decisions depend on. `None` means that there is no such transfer.
pub type TransferState = Option<Transfer>;

/// A transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The movement.
    pub made: TransferMade,
    /// The transfer that moved the money back.
    pub reversed_by: Option<EntityId>,
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
        match event {
            TransferEvent::TransferMade(made) => {
                Some(Transfer { made: made.clone(), reversed_by: None })
            }
            TransferEvent::TransferReversed(reversed) => {
                Some(Transfer { reversed_by: Some(reversed.by.clone()), ..state? })
            }
        }
    }

    fn decide(
        _: &TransferState,
        command: &NoCommand,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<TransferEvent>, BankingRejection> {
        match *command {}
    }
}
