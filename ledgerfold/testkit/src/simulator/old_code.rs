//! The projections as they were before they were mended: there are events that they cannot apply.

use ledgerfold::{
    Recorded,
    ports::IndexKey,
    project::{Counts, Projection, Tally},
};

use super::domain::{Statement, Statements, Totals};
use crate::conformance::account::AccountEvent;

/// From here on nobody thought of an amount.
const UNTHOUGHT_OF: u64 = 9;

/// [`Statements`] before they were mended.
pub(super) struct OldStatements;

/// [`Totals`] before they were mended.
pub(super) struct OldTotals;

fn check(event: &AccountEvent) -> Result<(), String> {
    match event {
        AccountEvent::Deposited(it) if it.amount >= UNTHOUGHT_OF => {
            Err("nobody thought of this amount".to_owned())
        }
        _ => Ok(()),
    }
}

impl Projection for OldStatements {
    type Event = AccountEvent;
    type Row = Statement;

    fn evolve(
        row: Option<Statement>,
        event: &Recorded<AccountEvent>,
    ) -> Result<Option<Statement>, String> {
        check(&event.event)?;
        Statements::evolve(row, event)
    }

    fn index(row: &Statement) -> Option<IndexKey> {
        Statements::index(row)
    }
}

impl Tally for OldTotals {
    type Event = AccountEvent;
    type Memo = u64;

    fn count(
        seen: &mut u64,
        event: &Recorded<AccountEvent>,
        counts: &mut Counts,
    ) -> Result<(), String> {
        check(&event.event)?;
        Totals::count(seen, event, counts)
    }
}
