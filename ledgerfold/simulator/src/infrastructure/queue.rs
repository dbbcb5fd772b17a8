//! The queue of a projection or a process, with its dead-letter queue. It keeps no order, and delivers a message again
//! until it is deleted. Receiving functions do not belong here.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ledgerfold::{
    StreamId, Version,
    vocabulary::{Content, Delivery, Receipt, ReplayName},
};

use crate::{
    domain::observations::Observations,
    network::scheduler::{Scheduler, Signal},
    plan::{plant::Plant, schedule::QueueShape},
};

/// The most messages that come at once.
const BATCH: usize = 10;

pub(crate) struct Queue {
    scheduler: Scheduler,
    observations: Arc<Observations>,
    plant: Plant,
    /// Fixed for the whole schedule.
    shape: QueueShape,
    /// Wakes receivers when a message comes or becomes visible again.
    arrival: Signal,
    /// One mutex for all of it, because `settle` changes messages and acknowledged versions together.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The id of the last message.
    serial: usize,
    /// All messages, hidden ones too. A `Vec`, because the next one is drawn by position.
    messages: Vec<StoredMessage>,
    /// The dead letters of the queue, and of the rule before it.
    dead_letters: Vec<Message>,
    /// The newest version of each stream in a deleted message. The checker compares it with the read model.
    acknowledged: BTreeMap<StreamId, Version>,
}

/// The content of a message.
#[derive(Clone)]
pub(crate) struct Message {
    /// The event, or a pointer to it.
    pub(crate) content: Content,
    /// Whether it comes from the archive.
    pub(crate) replayed: bool,
}

impl Message {
    fn committed_version(&self) -> (StreamId, Version) {
        match &self.content {
            Content::Event(event) => (event.stream.clone(), event.commit.1),
            Content::Pointer { stream, committed } => (stream.clone(), *committed),
        }
    }
}

struct StoredMessage {
    /// The receipt, and the same at each delivery.
    id: usize,
    /// Kept apart, because a dead letter returns with a new id and count.
    content: Message,
    /// How often it was received. Too often makes it a dead letter.
    received: usize,
    /// The time from which it can be received.
    visible_from: Duration,
}

impl Queue {
    pub(crate) fn new(
        scheduler: &Scheduler,
        observations: Arc<Observations>,
        plant: Plant,
        shape: QueueShape,
    ) -> Self {
        let scheduler = scheduler.clone();
        let arrival = scheduler.signal();
        Self { scheduler, observations, plant, shape, arrival, state: Mutex::default() }
    }

    pub(crate) fn push(&self, content: Message) {
        let visible_from = self.scheduler.elapsed();
        let mut state = self.state();
        state.serial += 1;
        let id = state.serial;
        state.messages.push(StoredMessage { id, content, received: 0, visible_from });
        drop(state);
        self.arrival.notify();
    }

    /// Moves a message to the dead-letter queue.
    pub(crate) fn dead_letter(&self, content: Message) {
        self.observations.count(|report| report.dead_letters += 1);
        self.state().dead_letters.push(content);
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
    pub(crate) fn receive(&self) -> Vec<Delivery> {
        let batch = self.take();
        if !batch.is_empty() {
            // A message that is not deleted by then is delivered again, also to a receiver that waits for it.
            self.arrival.notify_after(self.shape.visibility);
        }
        batch
    }

    fn take(&self) -> Vec<Delivery> {
        let now = self.scheduler.elapsed();
        let most = 1 + self.scheduler.below(BATCH);
        let mut batch = Vec::new();
        while batch.len() < most {
            let mut state = self.state();
            let visible: Vec<_> = (0..state.messages.len())
                .filter(|at| state.messages[*at].visible_from <= now)
                .collect();
            if visible.is_empty() {
                break;
            }
            let at = visible[self.scheduler.below(visible.len())];
            if state.messages[at].received >= self.shape.receives {
                let message = state.messages.swap_remove(at);
                drop(state);
                self.dead_letter(message.content);
                continue;
            }
            let message = &mut state.messages[at];
            message.received += 1;
            message.visible_from = now + self.shape.visibility;
            batch.push(delivery(message));
        }
        if self.plant == Plant::DeletedOnReceipt {
            let receipts: Vec<_> = batch.iter().map(|it| it.receipt.clone()).collect();
            self.state().messages.retain(|message| !message.is_one_of(&receipts));
        }
        self.observations.count(|report| {
            report.deliveries += batch.len();
            report.replayed += batch.iter().filter(|it| it.replay.is_some()).count();
            let is_pointer = |it: &&Delivery| matches!(it.content, Ok(Content::Pointer { .. }));
            report.pointers += batch.iter().filter(is_pointer).count();
        });
        batch
    }

    /// Deletes messages that are done.
    pub(crate) fn settle(&self, batch: &[Receipt], failed: &[Receipt]) {
        let done: Vec<_> = batch.iter().filter(|it| !failed.contains(it)).cloned().collect();
        let mut state = self.state();
        let (done, left) = std::mem::take(&mut state.messages)
            .into_iter()
            .partition::<Vec<_>, _>(|message| message.is_one_of(&done));
        state.messages = left;
        for message in done {
            let (stream, version) = message.content.committed_version();
            let most = state.acknowledged.entry(stream).or_insert(version);
            *most = version.max(*most);
        }
    }

    /// The newest version of each stream among the deleted messages.
    pub(crate) fn acknowledged(&self) -> BTreeMap<StreamId, Version> {
        self.state().acknowledged.clone()
    }

    /// Redrives the dead letters.
    pub(crate) fn redrive(&self) {
        let dead_letters = std::mem::take(&mut self.state().dead_letters);
        for content in dead_letters {
            self.push(content);
        }
    }

    /// Deletes the dead letters.
    pub(crate) fn purge(&self) {
        self.state().dead_letters.clear();
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.state().messages.is_empty()
    }

    /// How many dead letters there are.
    pub(crate) fn dead_letters(&self) -> usize {
        self.state().dead_letters.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StoredMessage {
    fn is_one_of(&self, receipts: &[Receipt]) -> bool {
        let id = self.id.to_string();
        receipts.iter().any(|receipt| receipt.0 == id)
    }
}

fn delivery(message: &StoredMessage) -> Delivery {
    Delivery {
        receipt: Receipt(message.id.to_string()),
        content: Ok(message.content.content.clone()),
        replay: message.content.replayed.then(|| ReplayName("again".to_owned())),
    }
}
