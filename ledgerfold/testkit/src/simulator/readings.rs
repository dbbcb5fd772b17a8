//! The read models of the simulation: one row per account, and a count over all of them.

use ledgerfold::{
    Recorded,
    ports::CounterKey,
    project::{Counts, Projection, Tally},
};
use serde::{Deserialize, Serialize};

use crate::conformance::account::AccountEvent;

/// An account as a reader sees it, while it is open.
pub(super) struct Statements;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Statement {
    pub(super) email: String,
    pub(super) balance: u64,
    /// How many events it has seen since it was opened.
    pub(super) events: u64,
}

impl Projection for Statements {
    type Event = AccountEvent;
    type Row = Statement;

    fn evolve(
        row: Option<Statement>,
        event: &Recorded<AccountEvent>,
    ) -> Result<Option<Statement>, String> {
        if let AccountEvent::Opened(opened) = &event.event {
            return Ok(Some(Statement { email: opened.email.clone(), balance: 0, events: 1 }));
        }
        let row = row.ok_or("it is not open")?;
        let events = row.events + 1;
        Ok(match &event.event {
            AccountEvent::Closed(_) => None,
            AccountEvent::Opened(_) => Some(row),
            AccountEvent::Deposited(it) => {
                Some(Statement { balance: row.balance + it.amount, events, ..row })
            }
            AccountEvent::Withdrawn(it) => {
                Some(Statement { balance: row.balance.saturating_sub(it.amount), events, ..row })
            }
            AccountEvent::Moved(it) => Some(Statement { email: it.to.clone(), events, ..row }),
        })
    }
}

/// What has happened to all accounts together.
pub(super) struct Totals;

/// The one group of counters.
pub(super) fn all() -> CounterKey {
    CounterKey("all".to_owned())
}

impl Tally for Totals {
    type Event = AccountEvent;
    type Memo = u64;

    fn count(
        seen: &mut u64,
        event: &Recorded<AccountEvent>,
        counts: &mut Counts,
    ) -> Result<(), String> {
        *seen += 1;
        counts.add(all(), "events", 1)?;
        match &event.event {
            AccountEvent::Deposited(deposited) => {
                let amount = i64::try_from(deposited.amount).map_err(|_| "too much")?;
                counts.add(all(), "deposited", amount)
            }
            AccountEvent::Opened(_) => counts.add(all(), "open", 1),
            AccountEvent::Closed(_) => counts.add(all(), "open", -1),
            AccountEvent::Withdrawn(_) | AccountEvent::Moved(_) => Ok(()),
        }
    }
}
