use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use ledgerfold::{
    ports::{DeadlineQueue, DeadlineQueueError, DueDeadline, MAX_DUE_DEADLINES, PortError},
    process::DueMessage,
    vocabulary::Receipt,
};

/// A queue of due deadlines in memory.
#[derive(Debug, Default)]
pub struct MemoryDeadlineQueue {
    /// A mutex, so that every call is atomic.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Messages that were not received yet, in the order of their arrival.
    waiting: Vec<DueDeadline>,
    /// The number of deadlines of each call.
    calls: Vec<usize>,
    /// How many of the next calls fail without effect.
    failing_calls: usize,
    /// How many of the next deadlines are not taken.
    failing_entries: usize,
}

impl MemoryDeadlineQueue {
    /// Makes the next calls fail without effect.
    pub fn fail_calls(&self, calls: usize) {
        self.lock().failing_calls = calls;
    }

    /// Takes none of the next deadlines, although their calls succeed.
    pub fn fail_entries(&self, entries: usize) {
        self.lock().failing_entries = entries;
    }

    /// How many deadlines each call so far had, including those that failed.
    pub fn calls(&self) -> Vec<usize> {
        self.lock().calls.clone()
    }

    /// Receives all messages.
    pub fn receive(&self) -> Vec<DueMessage> {
        let waiting = std::mem::take(&mut self.lock().waiting);
        let message = |(at, due): (usize, DueDeadline)| DueMessage {
            receipt: Receipt(at.to_string()),
            content: Ok(due),
        };
        waiting.into_iter().enumerate().map(message).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, due: &DueDeadline) -> Result<(), DeadlineQueueError> {
        if let Some(left) = self.failing_entries.checked_sub(1) {
            self.failing_entries = left;
            return Err(unavailable());
        }
        self.waiting.push(due.clone());
        Ok(())
    }
}

fn unavailable() -> DeadlineQueueError {
    DeadlineQueueError(PortError::Unavailable("requested by the test".into()))
}

#[async_trait]
impl DeadlineQueue for MemoryDeadlineQueue {
    async fn send(
        &self,
        batch: &[DueDeadline],
    ) -> Result<Vec<Result<(), DeadlineQueueError>>, DeadlineQueueError> {
        let mut state = self.lock();
        state.calls.push(batch.len());
        if let Some(left) = state.failing_calls.checked_sub(1) {
            state.failing_calls = left;
            return Err(unavailable());
        }
        if batch.len() > MAX_DUE_DEADLINES {
            return Err(DeadlineQueueError(PortError::Refused("the batch is too large".into())));
        }
        Ok(batch.iter().map(|due| state.take(due)).collect())
    }
}
