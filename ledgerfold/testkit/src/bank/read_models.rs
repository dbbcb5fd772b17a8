//! The read models of accounts: a statement for each account, and sums over all of them.

use ledgerfold::{
    InvalidId, Recorded,
    ports::{CounterKey, IndexKey},
    project::{Counts, Projection, Tally},
};
use serde::{Deserialize, Serialize};

use super::AccountEvent;

/// A statement for each open account.
#[derive(Clone, Copy, Debug)]
pub struct Statements;

/// An open account as a reader sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// The owner's first address, by which the account is listed.
    pub listed: String,
    /// The owner's address.
    pub email: String,
    /// The balance in cents.
    pub balance: u64,
    /// The number of events since the account was opened.
    pub events: u64,
}

/// The list of all open accounts.
pub const OPEN: &str = "open";

impl Projection for Statements {
    type Event = AccountEvent;
    type Row = Statement;

    fn evolve(
        row: Option<Statement>,
        event: &Recorded<AccountEvent>,
    ) -> Result<Option<Statement>, String> {
        if let AccountEvent::Opened(opened) = &event.event {
            let email = opened.email.clone();
            return Ok(Some(Statement { listed: email.clone(), email, balance: 0, events: 1 }));
        }
        let row = row.ok_or("it is not open")?;
        let row = Statement { events: row.events + 1, ..row };
        Ok(match &event.event {
            AccountEvent::Closed(_) => None,
            AccountEvent::Deposited(it) => {
                Some(Statement { balance: row.balance + it.amount, ..row })
            }
            AccountEvent::Withdrawn(it) => {
                Some(Statement { balance: row.balance.saturating_sub(it.amount), ..row })
            }
            AccountEvent::Moved(it) => Some(Statement { email: it.to.clone(), ..row }),
            _ => Some(row),
        })
    }

    fn index(row: &Statement) -> Result<Option<IndexKey>, InvalidId> {
        IndexKey::new(OPEN, &*row.listed).map(Some)
    }
}

/// The sums over all accounts: their events, their money in cents, and the number of open ones.
#[derive(Clone, Copy, Debug)]
pub struct Totals;

/// The counter of all events. It never decreases.
pub const EVENTS: &str = "events";
/// The counter of the money in all accounts, in cents.
pub const MONEY: &str = "money";

/// The only group of counters.
///
/// # Panics
/// Never, because the name is a valid key.
pub fn all_accounts() -> CounterKey {
    CounterKey::new("all").expect("a short name is a key")
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
        counts.add(all_accounts(), EVENTS, 1)?;
        match &event.event {
            AccountEvent::Deposited(it) => counts.add(all_accounts(), MONEY, signed(it.amount)),
            AccountEvent::Withdrawn(it) => counts.add(all_accounts(), MONEY, -signed(it.amount)),
            AccountEvent::Opened(_) => counts.add(all_accounts(), OPEN, 1),
            AccountEvent::Closed(_) => counts.add(all_accounts(), OPEN, -1),
            _ => Ok(()),
        }
    }
}

fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}
