//! The contract of the banking context: its events. Any team may depend on this crate to read them from the bus. It
//! contains nothing about how accounts are stored or decided.
//!
//! Every movement of money is a transfer with two legs, whose sum is zero. The legs and the transfer are commits of one
//! transaction:
//!
//! | stream | events | content |
//! | --- | --- | --- |
//! | `account` | [`AccountEvent`] | an account of a customer: its legs, its reserved funds, its rules |
//! | `settlement` | [`SettlementEvent`] | an account of the bank, for money from outside and to outside |
//! | `transfer` | [`TransferEvent`] | one movement, and its reversal |
//! | `hold` | [`HoldEvent`] | a reservation of money, from its beginning to its end |
//!
//! A bank is a tenant. A transfer to another bank begins with [`TransferSent`], which reserves the money. The other bank
//! credits its account and records [`TransferReceived`], or it records [`TransferDeclined`]. Then the first bank debits
//! its account, or records [`TransferRefused`]. In each bank, the other leg is on a settlement account, and
//! [`TransferMade`] is the record of both legs.
//!
//! Amounts are integer minor units, 1 to 10^15. A booking date never goes back within a stream.

mod account;
mod hold;
mod settlement;
mod transfer;

pub use account::{
    AccountClosed, AccountEvent, AccountFrozen, AccountOpened, AccountUnfrozen, Credited,
    DailyLimitSet, Debited, FundsReserved, ReleaseCause, ReservationReleased,
};
pub use hold::{HoldCaptured, HoldEvent, HoldPlaced, HoldReleased};
pub use money::{Currency, InvalidCurrency, Money};
pub use settlement::{SettlementCredited, SettlementDebited, SettlementEvent, SettlementLeg};
pub use transfer::{
    Kind, LegAccount, RemoteAccount, TransferDeclined, TransferEvent, TransferMade,
    TransferReceived, TransferRefused, TransferReversed, TransferSent,
};
