//! The projections before the fix, which cannot apply some events, and the deployment of the fix, function by function.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use ledgerfold::{
    InvalidId, Recorded,
    ports::IndexKey,
    project::{Catalog, Counts, Projection, Tally},
    vocabulary::Source,
};

use crate::{
    domain::accounts::{POINTS, STATEMENTS, TOTALS},
    network::scheduler::Scheduler,
};
use ledgerfold_testkit::bank::{AccountEvent, PublicAccounts, Statement, Statements, Totals};
use ledgerfold_testkit::loyalty::Points;

/// The smallest deposit that the old code cannot apply.
const FIRST_UNSUPPORTED: u64 = 5;

/// The code of a function, fixed at its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    Old,
    Fixed,
}

impl Code {
    pub(crate) fn catalog(self) -> Catalog {
        let empty = Catalog::new().rows::<Points>(POINTS).of(Source::public::<PublicAccounts>());
        match self {
            Self::Old => empty.rows::<OldStatements>(STATEMENTS).tally::<OldTotals>(TOTALS),
            Self::Fixed => empty.rows::<Statements>(STATEMENTS).tally::<Totals>(TOTALS),
        }
    }
}

/// Of a hundred functions that start, how many have the fix. Atomic, because operators raise it while functions start.
#[derive(Clone)]
pub(crate) struct Deployment(Arc<AtomicUsize>);

impl Deployment {
    /// A deployment that is complete, or has not begun.
    pub(crate) fn new(done: bool) -> Self {
        Self(Arc::new(AtomicUsize::new(if done { 100 } else { 0 })))
    }

    /// Raises the share to this many of a hundred. It never falls.
    pub(crate) fn reach(&self, of_hundred: usize) {
        self.0.fetch_max(of_hundred, Ordering::SeqCst);
    }

    pub(crate) fn is_done(&self) -> bool {
        self.0.load(Ordering::SeqCst) >= 100
    }

    pub(crate) fn draw(&self, scheduler: &Scheduler) -> Code {
        let is_fixed = scheduler.chance(self.0.load(Ordering::SeqCst));
        if is_fixed { Code::Fixed } else { Code::Old }
    }
}

/// [`Statements`] before the fix.
pub(crate) struct OldStatements;

/// [`Totals`] before the fix.
pub(crate) struct OldTotals;

fn check(event: &AccountEvent) -> Result<(), String> {
    match event {
        AccountEvent::Deposited(it) if it.amount >= FIRST_UNSUPPORTED => {
            Err("the old code cannot apply this amount".to_owned())
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

    fn index(row: &Statement) -> Result<Option<IndexKey>, InvalidId> {
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
