//! The events of an account.

use ledgerfold::events;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The account was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Opened {
    /// The owner's address.
    pub email: String,
}

/// An amount was deposited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deposited {
    /// The amount in cents.
    pub amount: u64,
}

/// An amount was withdrawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Withdrawn {
    /// The amount in cents.
    pub amount: u64,
}

/// The owner's address changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Moved {
    /// The former address.
    pub from: String,
    /// The new address.
    pub to: String,
}

/// The account was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Closed {
    /// The owner's last address.
    pub email: String,
}

/// A clerk wrote a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoteWritten {
    /// Any text of any length.
    pub text: String,
}

/// The bank granted a loan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoanGranted {
    /// The amount in cents.
    pub amount: u64,
}

/// The loan was repaid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoanRepaid {}

/// The bank demanded the loan back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoanCalled {}

events! {
    /// The events of an account.
    pub enum AccountEvent {
        Opened: 1,
        Deposited: 1,
        Withdrawn: 1,
        Moved: 1,
        Closed: 1,
        NoteWritten: 1,
        LoanGranted: 1,
        LoanRepaid: 1,
        LoanCalled: 1,
    }
}

events! {
    /// The events of accounts that have nothing but notes, for their read models.
    pub enum NoteEvent {
        NoteWritten: 1,
    }
}
