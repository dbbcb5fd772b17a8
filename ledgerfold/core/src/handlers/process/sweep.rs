use std::{sync::Arc, time::Duration};

use futures::{StreamExt, future::join_all, stream};

use super::sent::{RESEND_AFTER, SentDeadlines};
use crate::{
    ProcessName, Timestamp,
    ports::{
        Clock, DeadlineError, DeadlineQueue, DeadlineStore, DueDeadline, MAX_DUE_DEADLINES,
        PageWalk, Pending, Random, UnreadableDeadline,
    },
    waiting::{Backoff, ExponentialWait},
};

/// How many calls to a queue each part of a process makes at the same time.
const CONCURRENT_CALLS: usize = 2;

/// How often deadlines that a queue did not take are sent again. Then the next sweep sends them.
const BACKOFF: Backoff = Backoff {
    attempts: 3,
    wait: ExponentialWait::new(Duration::from_millis(100), Duration::from_secs(1)),
};

/// Finds due deadlines, and sends them to the workers of their processes.
///
/// It changes no deadline. It may miss one only until the next sweep, and may send one more than once: several sweeps may
/// run at once, and a sweep may be interrupted at any point. Clones share the memory of sent deadlines.
#[derive(Clone)]
pub struct DeadlineSweep {
    store: Arc<dyn DeadlineStore>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    processes: Vec<SweptProcess>,
    resend_after: Duration,
    sent: Arc<SentDeadlines>,
}

/// A process with the queue of its workers. Each process has its own queue, so the backlog of one does not delay another.
#[derive(Clone)]
pub struct SweptProcess {
    /// The process.
    pub name: ProcessName,
    /// The queue of its due deadlines.
    pub queue: Arc<dyn DeadlineQueue>,
}

/// The result of a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Deadlines that were sent to workers.
    pub sent: usize,
    /// Deadlines that an earlier sweep has sent and that still wait.
    pub already_sent: usize,
    /// Deadlines that a queue did not take. The next sweep sends them again.
    pub unsent: usize,
    /// Deadlines that cannot be read. They stay in the store.
    pub unreadable: usize,
    /// Whether the time ended before all due deadlines were sent.
    pub cut_short: bool,
    /// All deadlines that were given up. An operator must look at them.
    pub failed: usize,
    /// The due time of the longest overdue deadline that this sweep found.
    pub overdue_since: Option<Timestamp>,
    /// The due time of the longest overdue deadline that was given up.
    pub failed_since: Option<Timestamp>,
}

impl DeadlineSweep {
    /// A sweep over the deadlines of these processes.
    pub fn new(
        store: Arc<dyn DeadlineStore>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        processes: Vec<SweptProcess>,
    ) -> Self {
        let sent = Arc::default();
        Self { store, clock, random, processes, resend_after: RESEND_AFTER, sent }
    }

    /// Sends a deadline that is still due again after another time than [`RESEND_AFTER`].
    #[must_use]
    pub fn resending_after(self, resend_after: Duration) -> Self {
        Self { resend_after, ..self }
    }

    /// Sends all deadlines that are due, or as many as it can until `end`. It looks at the parts of all processes
    /// concurrently, the longest overdue deadlines of each first.
    ///
    /// # Errors
    /// [`DeadlineError`] if deadlines could not be listed. Other parts and processes were swept nevertheless.
    pub async fn sweep(&self, end: Timestamp) -> Result<Swept, DeadlineError> {
        let now = self.clock.now();
        self.sent.forget_before(now, self.resend_after);
        let parts = (0..self.store.parts())
            .flat_map(|part| self.processes.iter().map(move |process| (part, process)));
        let sweeps = parts.map(|(part, process)| self.sweep_part(process, part, now, end));
        let mut total = Swept::default();
        let outcomes = join_all(sweeps).await;
        outcomes.into_iter().try_for_each(|swept| swept.map(|swept| total.add(swept)))?;
        for process in &self.processes {
            self.count_failed(&process.name, &mut total).await?;
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
                let page = self.store.failed(&process.name, from.as_ref()).await?;
                for failed in walk.turn(page).iter().flatten() {
                    self.store.retry(failed, self.clock.now()).await?;
                    retried += 1;
                }
            }
        }
        Ok(retried)
    }

    async fn sweep_part(
        &self,
        process: &SweptProcess,
        part: u32,
        now: Timestamp,
        end: Timestamp,
    ) -> Result<Swept, DeadlineError> {
        let mut swept = Swept::default();
        let mut walk = PageWalk::start();
        while let Some(from) = walk.next_place() {
            if from.is_some() && self.clock.now() >= end {
                swept.cut_short = true;
                return Ok(swept);
            }
            let page = self.store.due(&process.name, part, now, from.as_ref()).await?;
            let due = swept.readable(walk.turn(page));
            let (known, new): (Vec<_>, Vec<_>) =
                due.into_iter().partition(|pending| self.sent.contains(pending));
            swept.already_sent += known.len();
            let batches: Vec<_> = new.chunks(MAX_DUE_DEADLINES).map(<[_]>::to_vec).collect();
            let calls = stream::iter(batches).map(|batch| self.send(&*process.queue, batch, end));
            let outcomes: Vec<_> = calls.buffer_unordered(CONCURRENT_CALLS).collect().await;
            outcomes.into_iter().for_each(|outcome| swept.add(outcome));
            // A queue that is down gets no more load, and the next sweep does the rest.
            if swept.cut_short || swept.unsent > 0 {
                return Ok(swept);
            }
        }
        Ok(swept)
    }

    /// Sends the deadlines of one call, and sends those again that the queue did not take.
    async fn send(&self, queue: &dyn DeadlineQueue, batch: Vec<Pending>, end: Timestamp) -> Swept {
        let mut swept = Swept::default();
        let mut left = batch;
        for attempt in 0..BACKOFF.attempts {
            BACKOFF.wait(attempt, &*self.clock, &*self.random).await;
            if self.clock.now() >= end {
                swept.cut_short = true;
                break;
            }
            let before = left.len();
            left = self.call(queue, left).await;
            swept.sent += before - left.len();
            if left.is_empty() {
                break;
            }
        }
        // Without a call the end of the time is the reason, and the queue has no fault.
        swept.unsent = if swept.cut_short { 0 } else { left.len() };
        swept
    }

    /// Sends deadlines in one call. Remembers those that the queue has taken, and returns the others.
    async fn call(&self, queue: &dyn DeadlineQueue, batch: Vec<Pending>) -> Vec<Pending> {
        let messages: Vec<_> =
            batch.iter().map(|pending| DueDeadline::from(&pending.deadline)).collect();
        let results = match queue.send(&messages).await {
            Ok(results) => results,
            Err(error) => {
                tracing::error!(%error, deadlines = batch.len(), "due deadlines were not sent");
                return batch;
            }
        };
        // A deadline without a result counts as not sent.
        let mut results = results.into_iter();
        let unsent = batch.into_iter().filter(|pending| match results.next() {
            Some(Ok(())) => {
                self.sent.remember(pending, self.clock.now());
                false
            }
            Some(Err(error)) => {
                let deadline = &pending.deadline.key;
                tracing::error!(%deadline, %error, "a due deadline was not sent");
                true
            }
            None => true,
        });
        unsent.collect()
    }
}

impl Swept {
    /// Whether an operator must look at the result, because some faults need a fix.
    pub const fn needs_attention(&self) -> bool {
        self.failed > 0 || self.unreadable > 0 || self.unsent > 0
    }

    /// Counts the deadlines of a page, and returns those that can be read.
    fn readable(&mut self, page: Vec<Result<Pending, UnreadableDeadline>>) -> Vec<Pending> {
        let mut due = Vec::with_capacity(page.len());
        for listed in page {
            match listed {
                Ok(pending) => due.push(pending),
                Err(unreadable) => {
                    tracing::error!(%unreadable, "a deadline cannot be read");
                    self.unreadable += 1;
                }
            }
        }
        let since = due.iter().map(|pending| pending.deadline.due).min();
        self.overdue_since = earlier(self.overdue_since, since);
        due
    }

    fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.already_sent += other.already_sent;
        self.unsent += other.unsent;
        self.unreadable += other.unreadable;
        self.cut_short |= other.cut_short;
        self.failed += other.failed;
        self.overdue_since = earlier(self.overdue_since, other.overdue_since);
        self.failed_since = earlier(self.failed_since, other.failed_since);
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}
