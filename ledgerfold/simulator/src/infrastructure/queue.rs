//! The queue of a projection or a process, with its dead-letter queue. It keeps no order, and delivers a message again
//! until it is deleted. Receiving functions do not belong here.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ledgerfold::{
    StreamId, Version,
    vocabulary::{Content, Delivery, Receipt, ReplayName},
};

use super::messages::{Messages, Received};
use crate::{
    domain::observations::Observations,
    network::scheduler::Scheduler,
    plan::{plant::Plant, schedule::QueueShape},
};

pub(crate) struct Queue {
    observations: Arc<Observations>,
    plant: Plant,
    /// A message that is received too often becomes a dead letter.
    messages: Messages<Message>,
    /// A mutex, because receivers and operators change it. No lock is held across a wait.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
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

impl Queue {
    pub(crate) fn new(
        scheduler: &Scheduler,
        observations: Arc<Observations>,
        plant: Plant,
        shape: QueueShape,
    ) -> Self {
        let messages = Messages::new(scheduler, shape);
        Self { observations, plant, messages, state: Mutex::default() }
    }

    pub(crate) fn push(&self, content: Message) {
        self.messages.push(content);
    }

    /// Moves a message to the dead-letter queue.
    pub(crate) fn dead_letter(&self, content: Message) {
        self.observations.count(|report| report.dead_letters += 1);
        self.state().dead_letters.push(content);
    }

    /// Waits until there are messages.
    pub(crate) async fn arrived(&self) {
        self.messages.arrived().await;
    }

    /// Receives some messages, if there are any.
    pub(crate) fn receive(&self) -> Vec<Delivery> {
        let Received { batch, exhausted } = self.messages.receive();
        exhausted.into_iter().for_each(|message| self.dead_letter(message));
        if self.plant == Plant::DeletedOnReceipt {
            let receipts: Vec<_> = batch.iter().map(|(receipt, _)| receipt.clone()).collect();
            self.messages.delete(&receipts);
        }
        let batch: Vec<_> = batch.into_iter().map(delivery).collect();
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
        let done = self.messages.settle(batch, failed);
        let mut state = self.state();
        for message in done {
            let (stream, version) = message.committed_version();
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
        self.messages.is_idle()
    }

    /// How many dead letters there are.
    pub(crate) fn dead_letters(&self) -> usize {
        self.state().dead_letters.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn delivery((receipt, message): (Receipt, Message)) -> Delivery {
    let replay = message.replayed.then(|| ReplayName("again".to_owned()));
    Delivery { receipt, content: Ok(message.content), replay }
}
