use std::{sync::Arc, time::Duration};

use futures::future::join_all;

use super::{Expiry, Unfulfilled};
use crate::{
    ProcessName, Timestamp,
    ports::{Clock, DeadlineError, DeadlineStore, PageWalk, Pending},
    vocabulary::panics::guarded_future,
    waiting::ExponentialWait,
};

/// The number of attempts before a deadline is given up. All attempts together take about four hours.
pub const MAX_ATTEMPTS: u32 = 10;

/// The wait after the first failure and the longest wait. The wait doubles with each failure.
const WAIT: ExponentialWait =
    ExponentialWait::new(Duration::from_secs(60), Duration::from_secs(3_600));

/// Finds due deadlines and sends their commands.
///
/// Several sweeps may run at once, and a sweep may be interrupted at any point: a deadline is removed only after its
/// command has taken effect, and the command has the same id in all sweeps.
#[derive(Clone)]
pub struct DeadlineSweep {
    store: Arc<dyn DeadlineStore>,
    clock: Arc<dyn Clock>,
    processes: Vec<Arc<dyn Expiry>>,
}

/// The result of a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Deadlines that are done.
    pub done: usize,
    /// Deadlines that failed and are retried later.
    pub postponed: usize,
    /// Deadlines that failed for the last time in this sweep. They are not retried.
    pub given_up: usize,
    /// Deadlines that cannot be read. They stay in the store.
    pub unreadable: usize,
    /// Deadlines whose outcome could not be stored. The next sweep tries them again.
    pub unnoted: usize,
    /// Whether the time ended before all due deadlines were tried.
    pub cut_short: bool,
    /// All deadlines that were given up, in this sweep or earlier. An operator must look at them.
    pub failed: usize,
    /// The due time of the longest overdue deadline that this sweep found and that still waits.
    pub overdue_since: Option<Timestamp>,
    /// The due time of the longest overdue deadline that was given up.
    pub failed_since: Option<Timestamp>,
}

impl DeadlineSweep {
    /// A sweep over the deadlines of these processes.
    pub fn new(
        store: Arc<dyn DeadlineStore>,
        clock: Arc<dyn Clock>,
        processes: Vec<Arc<dyn Expiry>>,
    ) -> Self {
        Self { store, clock, processes }
    }

    /// Sends the commands of all deadlines that are due now, and starts none after `end`. A failed deadline is retried
    /// after ever longer waits, and given up after [`MAX_ATTEMPTS`].
    ///
    /// # Errors
    /// [`DeadlineError`] if deadlines could not be listed. Other parts and processes were swept nevertheless.
    pub async fn sweep(&self, end: Timestamp) -> Result<Swept, DeadlineError> {
        let now = self.clock.now();
        let parts = (0..self.store.parts())
            .flat_map(|part| self.processes.iter().map(move |process| (part, process)));
        let sweeps = parts.map(|(part, process)| self.sweep_part(&**process, part, now, end));
        let mut total = Swept::default();
        let outcomes = join_all(sweeps).await;
        outcomes.into_iter().try_for_each(|swept| swept.map(|swept| total.add(swept)))?;
        for process in &self.processes {
            self.count_failed(process.process(), &mut total).await?;
        }
        Ok(total)
    }

    async fn count_failed(
        &self,
        process: &ProcessName,
        total: &mut Swept,
    ) -> Result<(), DeadlineError> {
        let mut walk = PageWalk::start();
        while let Some(from) = walk.next_place() {
            let failed = walk.turn(self.store.failed(process, from.as_ref()).await?);
            total.failed += failed.len();
            let due = failed.iter().flatten().map(|pending| pending.deadline.due).min();
            total.failed_since = earlier(total.failed_since, due);
        }
        Ok(())
    }

    /// Schedules all failed deadlines again with no attempts counted, and returns their number. Run it after the reason
    /// of the failures is fixed.
    ///
    /// # Errors
    /// [`DeadlineError`]; earlier deadlines are scheduled.
    pub async fn retry(&self) -> Result<usize, DeadlineError> {
        let mut retried = 0;
        for process in &self.processes {
            let mut walk = PageWalk::start();
            while let Some(from) = walk.next_place() {
                let page = self.store.failed(process.process(), from.as_ref()).await?;
                for failed in walk.turn(page).iter().flatten() {
                    self.store.retry(failed, self.clock.now()).await?;
                    retried += 1;
                }
            }
        }
        Ok(retried)
    }

    /// Tries the deadlines one after the other, the longest overdue first.
    async fn sweep_part(
        &self,
        process: &dyn Expiry,
        part: u32,
        now: Timestamp,
        end: Timestamp,
    ) -> Result<Swept, DeadlineError> {
        let mut swept = Swept::default();
        let mut walk = PageWalk::start();
        while let Some(from) = walk.next_place() {
            let page = self.store.due(process.process(), part, now, from.as_ref()).await?;
            for listed in walk.turn(page) {
                let pending = match listed {
                    Ok(pending) => pending,
                    Err(unreadable) => {
                        tracing::error!(%unreadable, "a deadline cannot be read");
                        swept.unreadable += 1;
                        continue;
                    }
                };
                let done = swept.done;
                swept.cut_short = self.clock.now() >= end;
                if !swept.cut_short {
                    self.fire(process, &pending, &mut swept).await;
                }
                if swept.done == done {
                    swept.overdue_since = earlier(swept.overdue_since, Some(pending.deadline.due));
                }
                if swept.cut_short {
                    return Ok(swept);
                }
            }
        }
        Ok(swept)
    }

    /// Sends one deadline's command. If the result cannot be stored, the next sweep sends the command again under the
    /// same id, which has no further effect.
    async fn fire(&self, process: &dyn Expiry, pending: &Pending, swept: &mut Swept) {
        let key = &pending.deadline.key;
        let attempts = pending.attempts + 1;
        let expired = guarded_future(process.expire(&pending.deadline)).await;
        let expired = expired.unwrap_or_else(|panicked| Err(Unfulfilled(panicked.to_string())));
        let (count, written) = match expired {
            Ok(()) => (&mut swept.done, self.store.done(&pending.deadline).await),
            Err(error) if attempts < MAX_ATTEMPTS => {
                tracing::warn!(deadline = %key, attempts, %error, "deadline postponed");
                let next = later(self.clock.now(), WAIT.after(attempts));
                (&mut swept.postponed, self.store.postpone(pending, next).await)
            }
            Err(error) => {
                tracing::error!(deadline = %key, attempts, %error, "deadline given up");
                (&mut swept.given_up, self.store.give_up(pending).await)
            }
        };
        match written {
            Ok(_) => *count += 1,
            Err(error) => {
                tracing::error!(deadline = %key, %error, "the deadline's outcome could not be stored");
                swept.unnoted += 1;
            }
        }
    }
}

impl Swept {
    /// Whether an operator must look at the result, because some faults need a fix.
    pub const fn needs_attention(&self) -> bool {
        self.given_up > 0 || self.failed > 0 || self.unreadable > 0 || self.unnoted > 0
    }

    fn add(&mut self, other: Self) {
        self.done += other.done;
        self.postponed += other.postponed;
        self.given_up += other.given_up;
        self.unreadable += other.unreadable;
        self.unnoted += other.unnoted;
        self.cut_short |= other.cut_short;
        self.failed += other.failed;
        self.overdue_since = earlier(self.overdue_since, other.overdue_since);
        self.failed_since = earlier(self.failed_since, other.failed_since);
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}
