//! The bus and the queues behind it.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use ledgerfold::{
    Envelope,
    ports::{EntryError, Limits, PublishError, Publisher, Unpublishable},
    vocabulary::Content,
};

use crate::{
    assumptions::{DELIVERY, PUT_EVENTS, PUT_EVENTS_PER_SECOND, RECEIVE, TARGETS_PER_SECOND},
    cloud::{Bucket, Cloud},
    mailbox::Mailbox,
};

/// A message of a queue.
#[derive(Clone, Debug)]
pub(crate) struct Message(pub(crate) Content);

/// The bus. It delays all calls and messages beyond its quotas, and loses nothing.
pub(crate) struct Bus {
    cloud: Arc<Cloud>,
    queues: Vec<Arc<Mailbox<Message>>>,
    /// Mutexes, because relays send concurrently.
    calls: Mutex<Bucket>,
    targets: Mutex<Bucket>,
}

impl Bus {
    pub(crate) fn new(cloud: Arc<Cloud>, queues: Vec<Arc<Mailbox<Message>>>) -> Self {
        let calls = Mutex::new(Bucket::new(f64::from(PUT_EVENTS_PER_SECOND)));
        let targets = Mutex::new(Bucket::new(f64::from(TARGETS_PER_SECOND)));
        Self { cloud, queues, calls, targets }
    }

    fn deliver(&self, envelope: &Envelope, queue: &Arc<Mailbox<Message>>) {
        let time = &self.cloud.time;
        let quota =
            self.targets.lock().unwrap_or_else(PoisonError::into_inner).queue(time.elapsed());
        let way = time.latency(DELIVERY) + time.latency(RECEIVE);
        let queue = queue.clone();
        let message = Message(Content::from(envelope.clone()));
        time.call_at(time.elapsed() + quota + way, move || queue.put(message));
    }
}

#[async_trait]
impl Publisher for Bus {
    /// The limits of EventBridge's classic bus, as `ledgerfold-eventbridge` keeps them.
    fn limits(&self) -> Limits {
        Limits { entries: 10, bytes: 256 * 1_024 - 1 }
    }

    fn weigh(&self, envelope: &Envelope) -> Result<usize, Unpublishable> {
        Ok(envelope.event.data.as_str().len() + 700)
    }

    async fn publish(
        &self,
        batch: &[Envelope],
    ) -> Result<Vec<Result<(), EntryError>>, PublishError> {
        let time = &self.cloud.time;
        let quota = self.calls.lock().unwrap_or_else(PoisonError::into_inner).queue(time.elapsed());
        time.pass(quota + time.latency(PUT_EVENTS)).await;
        let queues = u64::try_from(self.queues.len()).unwrap_or(u64::MAX);
        let events = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        self.cloud.count(|counts| {
            *counts.requests.entry("PutEvents").or_default() += 1;
            counts.events += events;
            counts.targets += events * queues;
        });
        for envelope in batch {
            self.queues.iter().for_each(|queue| self.deliver(envelope, queue));
        }
        Ok(batch.iter().map(|_| Ok(())).collect())
    }
}
