//! The messages of a queue, as SQS keeps them: in no order, delivered again until they are deleted, and invisible for a
//! while after each delivery. The meaning of a message does not belong here.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ledgerfold::vocabulary::Receipt;

use crate::{
    network::scheduler::{Scheduler, Signal},
    plan::schedule::QueueShape,
};

/// The most messages that come at once.
const BATCH: usize = 10;

pub(crate) struct Messages<T> {
    scheduler: Scheduler,
    /// Fixed for the whole schedule.
    shape: QueueShape,
    /// Wakes receivers when a message comes or becomes visible again.
    arrival: Signal,
    /// One mutex for all messages. No lock is held across a wait.
    state: Mutex<State<T>>,
}

struct State<T> {
    /// The id of the last message.
    serial: usize,
    /// All messages, hidden ones too. A `Vec`, because the next one is drawn by position.
    messages: Vec<StoredMessage<T>>,
}

struct StoredMessage<T> {
    /// The receipt, and the same at each delivery.
    id: usize,
    content: T,
    /// How often it was received.
    received: usize,
    /// The time from which it can be received.
    visible_from: Duration,
}

/// The messages of one receipt of a batch.
pub(crate) struct Received<T> {
    pub(crate) batch: Vec<(Receipt, T)>,
    /// Messages that were received too often, and are removed instead.
    pub(crate) exhausted: Vec<T>,
}

impl<T: Clone> Messages<T> {
    pub(crate) fn new(scheduler: &Scheduler, shape: QueueShape) -> Self {
        let scheduler = scheduler.clone();
        let arrival = scheduler.signal();
        let state = Mutex::new(State { serial: 0, messages: Vec::new() });
        Self { scheduler, shape, arrival, state }
    }

    pub(crate) fn push(&self, content: T) {
        let visible_from = self.scheduler.elapsed();
        let mut state = self.state();
        state.serial += 1;
        let id = state.serial;
        state.messages.push(StoredMessage { id, content, received: 0, visible_from });
        drop(state);
        self.arrival.notify();
    }

    /// Waits until there are messages.
    pub(crate) async fn arrived(&self) {
        loop {
            let now = self.scheduler.elapsed();
            if self.state().messages.iter().any(|message| message.visible_from <= now) {
                return;
            }
            self.arrival.wait().await;
        }
    }

    /// Receives some messages, if there are any. They are invisible to other receivers for a while.
    pub(crate) fn receive(&self) -> Received<T> {
        let received = self.take();
        if !received.batch.is_empty() {
            // A message that is not deleted by then is delivered again, also to a receiver that waits for it.
            self.arrival.notify_after(self.shape.visibility);
        }
        received
    }

    fn take(&self) -> Received<T> {
        let now = self.scheduler.elapsed();
        let most = 1 + self.scheduler.below(BATCH);
        let mut received = Received { batch: Vec::new(), exhausted: Vec::new() };
        let mut state = self.state();
        while received.batch.len() < most {
            let visible: Vec<_> = (0..state.messages.len())
                .filter(|at| state.messages[*at].visible_from <= now)
                .collect();
            if visible.is_empty() {
                break;
            }
            let at = visible[self.scheduler.below(visible.len())];
            if state.messages[at].received >= self.shape.receives {
                received.exhausted.push(state.messages.swap_remove(at).content);
                continue;
            }
            let message = &mut state.messages[at];
            message.received += 1;
            message.visible_from = now + self.shape.visibility;
            received.batch.push((message.receipt(), message.content.clone()));
        }
        received
    }

    /// Deletes messages, and returns those that were still there.
    pub(crate) fn delete(&self, receipts: &[Receipt]) -> Vec<T> {
        let mut state = self.state();
        let (deleted, left) = std::mem::take(&mut state.messages)
            .into_iter()
            .partition::<Vec<_>, _>(|message| receipts.contains(&message.receipt()));
        state.messages = left;
        deleted.into_iter().map(|message| message.content).collect()
    }

    /// Deletes the messages of a batch that are done, and returns them.
    pub(crate) fn settle(&self, batch: &[Receipt], failed: &[Receipt]) -> Vec<T> {
        let done: Vec<_> = batch.iter().filter(|it| !failed.contains(it)).cloned().collect();
        self.delete(&done)
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.state().messages.is_empty()
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> StoredMessage<T> {
    fn receipt(&self) -> Receipt {
        Receipt(self.id.to_string())
    }
}
