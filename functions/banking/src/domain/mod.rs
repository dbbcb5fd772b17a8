//! The domain of banking: the states that decisions need, how events change them, the rules of money, and the reasons
//! to refuse a command. Pure functions without input or output. Each decision is in the file of its command, in
//! [`commands`](crate::commands).
//!
//! | module | content |
//! | --- | --- |
//! | [`account`] | a customer's account |
//! | [`at`] | an account at the time of a decision, with the rules of debits, credits and holds |
//! | [`movement`] | a movement of money between two accounts |
//! | [`settlement`] | an account of the bank, one of many for each currency |
//! | [`transfer`] | the record of a movement, and its reversal |
//! | [`hold`] | a reservation of money |
//! | [`access`] | the permissions of each role |

pub mod access;
pub mod account;
pub mod at;
pub mod hold;
pub mod movement;
mod rejection;
pub mod settlement;
pub mod transfer;

pub use account::{Account, AccountState, Accounts, Reservation, Spent, Status};
pub use at::{AccountAt, Leg, MAX_BALANCE, MAX_HOLDS};
pub use hold::{Hold, HoldState, Holds};
pub use movement::Movement;
pub use rejection::BankingRejection;
pub use settlement::{Settlement, SettlementState, Settlements};
pub use transfer::{Progress, Transfer, TransferState, Transfers};

use ledgerfold::{Command, CommandName};
use serde::Serialize;

/// The commands of a domain that only joint commands change: there are none.
#[derive(Clone, Copy, Debug, Serialize)]
pub enum NoCommand {}

impl Command for NoCommand {
    fn name(&self) -> CommandName {
        match *self {}
    }
}
