use std::{sync::Arc, time::Duration};

use futures::{StreamExt, stream};

use super::{Expiry, Unfulfilled};
use crate::{
    ProcessName, Timestamp,
    ports::{Clock, DeadlineError, DeadlineStore, DueDeadline, Pending},
    vocabulary::{FailedReceipt, Receipt, panics::guarded_future},
    waiting::ExponentialWait,
};

/// The number of attempts before a deadline is given up. All attempts together take about four hours.
pub const MAX_ATTEMPTS: u32 = 10;

/// The wait after the first failure and the longest wait. The wait doubles with each failure.
const WAIT: ExponentialWait =
    ExponentialWait::new(Duration::from_secs(60), Duration::from_secs(3_600));

/// How many deadlines of a batch are fired concurrently.
const CONCURRENT_DEADLINES: usize = 10;

/// The longest wait for a deadline that is nearly due: the clock of the sweep may be a little fast.
const CLOCK_SKEW: Duration = Duration::from_secs(1);

/// Fires the due deadlines that a sweep has sent.
///
/// Several workers may fire the same deadline, and a worker may be interrupted at any point: a deadline is removed only
/// after its command has taken effect, and the command has the same id in all workers. Each failure counts as one attempt,
/// because a worker counts it only if the deadline has not changed since it was read.
#[derive(Clone)]
pub struct DeadlineWorker {
    store: Arc<dyn DeadlineStore>,
    clock: Arc<dyn Clock>,
    processes: Vec<Arc<dyn Expiry>>,
}

/// A message of a queue of due deadlines.
#[derive(Clone, Debug)]
pub struct DueMessage {
    /// The queue's name for the message.
    pub receipt: Receipt,
    /// The deadline, or the reason why the message cannot be read.
    pub content: Result<DueDeadline, String>,
}

/// The result of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fired {
    /// Deadlines that are done.
    pub done: usize,
    /// Deadlines that failed and are retried later.
    pub postponed: usize,
    /// Deadlines that failed for the last time. They are not retried.
    pub given_up: usize,
    /// Messages without an effect: their deadline is done, was replaced or given up, or is not due.
    pub outdated: usize,
    /// Messages that must be delivered again. A queue with a dead-letter queue ends the repetition of a message that
    /// fails each time, for example because it cannot be read.
    pub failed: Vec<FailedReceipt>,
}

/// What became of a message that need not be delivered again.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    Done,
    Postponed,
    GivenUp,
    Outdated,
}

/// A message must be delivered again.
#[derive(Debug, thiserror::Error)]
enum WorkerError {
    #[error("{0}")]
    Unreadable(String),
    #[error("the deadline belongs to the process {0}, which has another queue")]
    OtherProcess(ProcessName),
    #[error(transparent)]
    Store(#[from] DeadlineError),
}

impl DeadlineWorker {
    /// A worker for the deadlines of these processes.
    pub fn new(
        store: Arc<dyn DeadlineStore>,
        clock: Arc<dyn Clock>,
        processes: Vec<Arc<dyn Expiry>>,
    ) -> Self {
        Self { store, clock, processes }
    }

    /// Fires the deadlines of a batch. A deadline that fails does not stop the others. It is tried again after ever
    /// longer waits, and given up after [`MAX_ATTEMPTS`].
    pub async fn handle(&self, batch: Vec<DueMessage>) -> Fired {
        let outcomes = stream::iter(batch).map(|DueMessage { receipt, content }| async move {
            let taken = self.take(content).await;
            taken.map_err(|error| FailedReceipt { receipt, reason: error.to_string() })
        });
        let outcomes: Vec<_> = outcomes.buffer_unordered(CONCURRENT_DEADLINES).collect().await;
        let mut fired = Fired::default();
        for outcome in outcomes {
            match outcome {
                Ok(Outcome::Done) => fired.done += 1,
                Ok(Outcome::Postponed) => fired.postponed += 1,
                Ok(Outcome::GivenUp) => fired.given_up += 1,
                Ok(Outcome::Outdated) => fired.outdated += 1,
                Err(failed) => {
                    let FailedReceipt { receipt, reason } = &failed;
                    tracing::error!(message = receipt.0, reason, "message failed");
                    fired.failed.push(failed);
                }
            }
        }
        fired
    }

    async fn take(&self, content: Result<DueDeadline, String>) -> Result<Outcome, WorkerError> {
        let due = content.map_err(WorkerError::Unreadable)?;
        let process = self.processes.iter().find(|it| *it.process() == due.key.process);
        let process = process.ok_or(WorkerError::OtherProcess(due.key.process.clone()))?;
        match self.due_now(&due).await? {
            Some(pending) => Ok(self.fire(&**process, &pending).await?),
            None => {
                tracing::info!(deadline = %due.key, "the deadline is done, replaced or not due");
                Ok(Outcome::Outdated)
            }
        }
    }

    /// The deadline of a message as it is stored now, if it is still the same one and due.
    async fn due_now(&self, due: &DueDeadline) -> Result<Option<Pending>, DeadlineError> {
        let stored = self.store.get(&due.key).await?;
        let same = stored.filter(|pending| pending.deadline.cause.event == due.event);
        let Some(pending) = same else { return Ok(None) };
        let left = pending.next.duration_since(self.clock.now());
        // A deadline that is due has no time left.
        let left = Duration::try_from(left).unwrap_or_default();
        if left > CLOCK_SKEW {
            return Ok(None);
        }
        if !left.is_zero() {
            self.clock.sleep(left).await;
        }
        Ok(Some(pending))
    }

    /// Sends one deadline's command. If the result cannot be stored, the message is delivered again, and the command is
    /// sent again under the same id, which has no further effect.
    async fn fire(
        &self,
        process: &dyn Expiry,
        pending: &Pending,
    ) -> Result<Outcome, DeadlineError> {
        let key = &pending.deadline.key;
        let attempts = pending.attempts + 1;
        let expired = guarded_future(process.expire(&pending.deadline)).await;
        let expired = expired.unwrap_or_else(|panicked| Err(Unfulfilled(panicked.to_string())));
        match expired {
            Ok(()) => {
                self.store.done(&pending.deadline).await?;
                Ok(Outcome::Done)
            }
            Err(error) if attempts < MAX_ATTEMPTS => {
                tracing::warn!(deadline = %key, attempts, %error, "deadline postponed");
                let next = later(self.clock.now(), WAIT.after(attempts));
                self.store.postpone(pending, next).await?;
                Ok(Outcome::Postponed)
            }
            Err(error) => {
                tracing::error!(deadline = %key, attempts, %error, "deadline given up");
                self.store.give_up(pending).await?;
                Ok(Outcome::GivenUp)
            }
        }
    }
}

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}
