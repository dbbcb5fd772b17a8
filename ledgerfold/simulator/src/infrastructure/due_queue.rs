//! The queue of due deadlines between the sweeps and the workers of the process. It keeps no order, delivers a message
//! again until it is deleted, and sometimes loses one, as an operator does who purges it. Functions do not belong here.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use ledgerfold::{
    ports::{DeadlineQueue, DeadlineQueueError, DueDeadline, PortError},
    process::DueMessage,
    vocabulary::Receipt,
};

use crate::{
    domain::observations::Observations,
    network::{faults::Network, scheduler::Signal},
    plan::{plant::Plant, schedule::QueueShape},
};

/// The most messages that come at once.
const BATCH: usize = 10;
/// Of a hundred messages, how many are lost. They are part of every schedule, because sweeps send them again.
const LOST: usize = 8;

pub(crate) struct DueQueue {
    network: Network,
    observations: Arc<Observations>,
    plant: Plant,
    /// Fixed for the whole schedule.
    shape: QueueShape,
    /// Wakes workers when a message comes or becomes visible again.
    arrival: Signal,
    /// One mutex for all messages. No lock is held across a wait.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The id of the last message.
    serial: usize,
    /// All messages, hidden ones too. A `Vec`, because the next one is drawn by position.
    messages: Vec<StoredMessage>,
}

struct StoredMessage {
    /// The receipt, and the same at each delivery.
    id: usize,
    due: DueDeadline,
    /// How often it was received. Too often removes it: nobody needs a dead letter whose deadline is sent again.
    received: usize,
    /// The time from which it can be received.
    visible_from: Duration,
}

impl DueQueue {
    pub(crate) fn new(
        network: Network,
        observations: Arc<Observations>,
        plant: Plant,
        shape: QueueShape,
    ) -> Self {
        let arrival = network.scheduler.signal();
        Self { network, observations, plant, shape, arrival, state: Mutex::default() }
    }

    /// Takes a message.
    fn push(&self, due: &DueDeadline) {
        if self.network.faults.fails_at(LOST) {
            self.observations.count(|report| report.lost_messages += 1);
            return;
        }
        let visible_from = self.network.scheduler.elapsed();
        let mut state = self.state();
        state.serial += 1;
        let id = state.serial;
        state.messages.push(StoredMessage { id, due: due.clone(), received: 0, visible_from });
    }

    /// Waits until there are messages.
    pub(crate) async fn arrived(&self) {
        loop {
            let now = self.network.scheduler.elapsed();
            if self.state().messages.iter().any(|message| message.visible_from <= now) {
                return;
            }
            self.arrival.wait().await;
        }
    }

    /// Receives some messages, if there are any. They are invisible to other workers for a while.
    pub(crate) fn receive(&self) -> Vec<DueMessage> {
        let scheduler = &self.network.scheduler;
        let now = scheduler.elapsed();
        let most = 1 + scheduler.below(BATCH);
        let mut batch = Vec::new();
        let mut state = self.state();
        state.messages.retain(|it| it.visible_from > now || it.received < self.shape.receives);
        while batch.len() < most {
            let visible: Vec<_> = (0..state.messages.len())
                .filter(|at| state.messages[*at].visible_from <= now)
                .collect();
            if visible.is_empty() {
                break;
            }
            let message = &mut state.messages[visible[scheduler.below(visible.len())]];
            message.received += 1;
            message.visible_from = now + self.shape.visibility;
            let receipt = Receipt(message.id.to_string());
            batch.push(DueMessage { receipt, content: Ok(message.due.clone()) });
        }
        drop(state);
        if !batch.is_empty() {
            self.arrival.notify_after(self.shape.visibility);
        }
        batch
    }

    /// Deletes messages that are done.
    pub(crate) fn settle(&self, batch: &[Receipt], failed: &[Receipt]) {
        let is_done = |message: &StoredMessage| {
            let receipt = Receipt(message.id.to_string());
            batch.contains(&receipt) && !failed.contains(&receipt)
        };
        self.state().messages.retain(|message| !is_done(message));
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.state().messages.is_empty()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The queue as one sweep sees it.
pub(crate) struct Outlet {
    queue: Arc<DueQueue>,
    /// How many deadlines the queue has taken from this sweep. Atomic, because its parts send concurrently.
    taken: AtomicUsize,
}

impl Outlet {
    pub(crate) fn to(queue: Arc<DueQueue>) -> Self {
        Self { queue, taken: AtomicUsize::new(0) }
    }

    /// How many deadlines the queue has taken since the last question.
    pub(crate) fn taken(&self) -> usize {
        self.taken.swap(0, Ordering::SeqCst)
    }
}

#[async_trait]
impl DeadlineQueue for Outlet {
    async fn send(
        &self,
        batch: &[DueDeadline],
    ) -> Result<Vec<Result<(), DeadlineQueueError>>, DeadlineQueueError> {
        let DueQueue { network, plant, arrival, .. } = &*self.queue;
        let unavailable = || DeadlineQueueError(PortError::Unavailable("not now".into()));
        network.request().await.map_err(|_| unavailable())?;
        let mut results = Vec::with_capacity(batch.len());
        for due in batch {
            let is_refused = network.faults.fails();
            if !is_refused {
                self.queue.push(due);
                self.taken.fetch_add(1, Ordering::SeqCst);
            }
            let is_reported = is_refused && *plant != Plant::FailedSendRemembered;
            results.push(if is_reported { Err(unavailable()) } else { Ok(()) });
        }
        arrival.notify();
        network.response(results).await.map_err(|_| unavailable())
    }
}
