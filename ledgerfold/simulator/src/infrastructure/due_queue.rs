//! The queue of due deadlines between the sweeps and the workers of the process. It keeps no order, delivers a message
//! again until it is deleted, and sometimes loses one, as an operator does who purges it. Functions do not belong here.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use ledgerfold::{
    ports::{DeadlineQueue, DeadlineQueueError, DueDeadline, PortError},
    process::DueMessage,
    vocabulary::Receipt,
};

use super::messages::Messages;
use crate::{
    domain::observations::Observations,
    network::faults::Network,
    plan::{plant::Plant, schedule::QueueShape},
};

/// Of a hundred messages, how many are lost. They are part of every schedule, because sweeps send them again.
const LOST: usize = 8;

pub(crate) struct DueQueue {
    network: Network,
    observations: Arc<Observations>,
    plant: Plant,
    /// A message that is received too often is removed: nobody needs a dead letter whose deadline is sent again.
    messages: Messages<DueDeadline>,
}

impl DueQueue {
    pub(crate) fn new(
        network: Network,
        observations: Arc<Observations>,
        plant: Plant,
        shape: QueueShape,
    ) -> Self {
        let messages = Messages::new(&network.scheduler, shape);
        Self { network, observations, plant, messages }
    }

    /// Takes a message.
    fn push(&self, due: &DueDeadline) {
        if self.network.faults.fails_at(LOST) {
            self.observations.count(|report| report.lost_messages += 1);
            return;
        }
        self.messages.push(due.clone());
    }

    /// Waits until there are messages.
    pub(crate) async fn arrived(&self) {
        self.messages.arrived().await;
    }

    /// Receives some messages, if there are any.
    pub(crate) fn receive(&self) -> Vec<DueMessage> {
        let batch = self.messages.receive().batch.into_iter();
        batch.map(|(receipt, due)| DueMessage { receipt, content: Ok(due) }).collect()
    }

    /// Deletes messages that are done.
    pub(crate) fn settle(&self, batch: &[Receipt], failed: &[Receipt]) {
        self.messages.settle(batch, failed);
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.messages.is_idle()
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
        let DueQueue { network, plant, .. } = &*self.queue;
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
        network.response(results).await.map_err(|_| unavailable())
    }
}
