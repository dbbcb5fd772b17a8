//! The bank's books as a plain-text journal, which an independent program can check: hledger or beancount.
//!
//! Two sources give two kinds of directives, and neither depends on the other:
//!
//! | source | directives |
//! | --- | --- |
//! | the records of transfers | a transaction with one posting for each leg |
//! | the events of accounts and of settlement accounts | the balance at the end of each booking day |
//!
//! So the program finds a leg without its counterpart, a wrong amount, and a balance that does not follow from the
//! transfers. An amount above zero is a credit, as in the events: money on a customer's account, or money that left
//! through a settlement account.
//!
//! ```
//! use banking::journal::{Format, Journal};
//! # use banking::journal::JournalError;
//! # use banking_events::{AccountEvent, TransferMade};
//! # fn example(transfers: Vec<(ledgerfold::EntityId, TransferMade)>,
//! #            accounts: Vec<(ledgerfold::EntityId, Vec<AccountEvent>)>,
//! #            mut file: impl std::io::Write) -> Result<(), JournalError> {
//! let mut journal = Journal::begin(Format::Beancount, &mut file)?;
//! // Hledger reads the lines of a day in their order, so the transfers come first.
//! for (id, made) in &transfers {
//!     journal.transfer(id, made)?;
//! }
//! for (id, events) in &accounts {
//!     let mut account = journal.account(id);
//!     for event in events {
//!         account.event(event)?;
//!     }
//!     account.end()?;
//! }
//! journal.end()
//! # }
//! ```
//!
//! The export is streamed. [`Journal`] keeps the currencies that it has met and the newest booking date. [`Account`] and
//! [`Settlement`] keep the last balance of one stream. Nothing grows with the number of transfers or accounts.

mod amounts;
mod format;
mod names;
mod statements;
mod writer;

use std::io;

use banking_events::Currency;

pub use format::Format;
pub use statements::{Account, Settlement};
pub use writer::Journal;

/// The journal could not be written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The events have an amount in a currency without a known number of decimals.
    #[error("{0} is not a current currency, so the decimals of its amounts are unknown")]
    UnknownCurrency(Currency),
    /// The stream does not begin with the opening of its account.
    #[error("an account has an entry before its opening")]
    NotOpened,
    /// The destination refused the text.
    #[error("the journal could not be written")]
    Write(#[from] io::Error),
}
