//! The queue of a projection or a process: it keeps no order, and shows a message again until it is deleted or put aside.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ledgerfold::{
    StreamId, Version,
    vocabulary::{Content, Delivery, Receipt, ReplayName},
};

use crate::simulator::{
    domain::observations::Observations,
    network::scheduler::{Scheduler, Signal},
    plan::{plant::Plant, schedule::QueueShape},
};

/// The most messages that come at once.
const BATCH: usize = 10;

pub(in crate::simulator) struct Queue {
    scheduler: Scheduler,
    observations: Arc<Observations>,
    plant: Plant,
    shape: QueueShape,
    arrival: Signal,
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    serial: usize,
    messages: Vec<Message>,
    /// The dead letters of the queue, and of the rule before it.
    dead_letters: Vec<Letter>,
    taken: BTreeMap<StreamId, Version>,
}

/// The content of a message.
#[derive(Clone)]
pub(in crate::simulator) struct Letter {
    pub(in crate::simulator) content: Content,
    pub(in crate::simulator) replayed: bool,
}

impl Letter {
    fn tells_of(&self) -> (StreamId, Version) {
        match &self.content {
            Content::Event(event) => (event.stream.clone(), event.commit.1),
            Content::Pointer { stream, committed } => (stream.clone(), *committed),
        }
    }
}

struct Message {
    id: usize,
    content: Letter,
    received: usize,
    seen_from: Duration,
}

impl Queue {
    pub(in crate::simulator) fn new(
        scheduler: &Scheduler,
        observations: Arc<Observations>,
        plant: Plant,
        shape: QueueShape,
    ) -> Self {
        let (scheduler, arrival) = (scheduler.clone(), scheduler.bell());
        Self { scheduler, observations, plant, shape, arrival, shelf: Mutex::default() }
    }

    pub(in crate::simulator) fn push(&self, content: Letter) {
        let seen_from = self.scheduler.elapsed();
        let mut shelf = self.shelf();
        shelf.serial += 1;
        let id = shelf.serial;
        shelf.messages.push(Message { id, content, received: 0, seen_from });
        drop(shelf);
        self.arrival.ring();
    }

    /// Puts a letter aside: it was tried too often.
    pub(in crate::simulator) fn give_up(&self, content: Letter) {
        self.observations.count(|report| report.dead_letters += 1);
        self.shelf().dead_letters.push(content);
    }

    /// Waits until there are messages.
    pub(in crate::simulator) async fn arrived(&self) {
        loop {
            let now = self.scheduler.elapsed();
            if self.shelf().messages.iter().any(|message| message.seen_from <= now) {
                return;
            }
            self.arrival.wait().await;
        }
    }

    /// Some messages, if there are any. Others do not see them for a while.
    pub(in crate::simulator) fn receive(&self) -> Vec<Delivery> {
        let batch = self.take();
        if !batch.is_empty() {
            // A message that is not deleted by then is delivered again, also to a receiver that waits for it.
            self.arrival.ring_in(self.shape.visibility);
        }
        batch
    }

    fn take(&self) -> Vec<Delivery> {
        let (now, most) = (self.scheduler.elapsed(), 1 + self.scheduler.below(BATCH));
        let mut batch = Vec::new();
        while batch.len() < most {
            let mut shelf = self.shelf();
            let visible: Vec<_> = (0..shelf.messages.len())
                .filter(|at| shelf.messages[*at].seen_from <= now)
                .collect();
            if visible.is_empty() {
                break;
            }
            let at = visible[self.scheduler.below(visible.len())];
            if shelf.messages[at].received >= self.shape.receives {
                let message = shelf.messages.swap_remove(at);
                drop(shelf);
                self.give_up(message.content);
                continue;
            }
            let message = &mut shelf.messages[at];
            message.received += 1;
            message.seen_from = now + self.shape.visibility;
            batch.push(delivery(message));
        }
        if self.plant == Plant::DeletedOnReceipt {
            let receipts: Vec<_> = batch.iter().map(|it| it.receipt.clone()).collect();
            self.shelf().messages.retain(|message| !message.is_one_of(&receipts));
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
    pub(in crate::simulator) fn settle(&self, batch: &[Receipt], failed: &[Receipt]) {
        let done: Vec<_> = batch.iter().filter(|it| !failed.contains(it)).cloned().collect();
        let mut shelf = self.shelf();
        let (done, left) = std::mem::take(&mut shelf.messages)
            .into_iter()
            .partition::<Vec<_>, _>(|message| message.is_one_of(&done));
        shelf.messages = left;
        for message in done {
            let (stream, told) = message.content.tells_of();
            let most = shelf.taken.entry(stream).or_insert(told);
            *most = told.max(*most);
        }
    }

    /// How far the messages that are done have told of each stream.
    pub(in crate::simulator) fn taken(&self) -> BTreeMap<StreamId, Version> {
        self.shelf().taken.clone()
    }

    /// Redrives the dead letters.
    pub(in crate::simulator) fn redrive(&self) {
        let dead_letters = std::mem::take(&mut self.shelf().dead_letters);
        for content in dead_letters {
            self.push(content);
        }
    }

    /// Deletes the dead letters.
    pub(in crate::simulator) fn purge(&self) {
        self.shelf().dead_letters.clear();
    }

    pub(in crate::simulator) fn rests(&self) -> bool {
        self.shelf().messages.is_empty()
    }

    /// How many messages stand aside.
    pub(in crate::simulator) fn dead_letters(&self) -> usize {
        self.shelf().dead_letters.len()
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Message {
    fn is_one_of(&self, receipts: &[Receipt]) -> bool {
        let id = self.id.to_string();
        receipts.iter().any(|receipt| receipt.0 == id)
    }
}

fn delivery(message: &Message) -> Delivery {
    Delivery {
        receipt: Receipt(message.id.to_string()),
        content: Ok(message.content.content.clone()),
        replay: message.content.replayed.then(|| ReplayName("again".to_owned())),
    }
}
