//! The read models: folds of events into the views that queries show. Pure functions.

mod accounts;
mod holds;
mod totals;
mod transfers;

pub use accounts::{AccountRow, AccountViews, Month};
pub use holds::{HoldRow, HoldViews};
pub use totals::{BALANCE, CustomerTotals, SettlementTotals};
pub use transfers::{TransferRow, TransferViews};

/// A fold found an event before the one that begins its stream.
fn not_begun() -> String {
    "the stream does not begin with its first event".to_owned()
}
