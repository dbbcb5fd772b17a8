//! From the log to the read tables: change stream, relay, bus, queues, projectors.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::channel::oneshot;
use ledgerfold::{
    Envelope,
    ports::{Clock, EntryError, Limits, PublishError, Publisher, Unpublishable},
    project::{Delivery, Projector, ReadModel, Receipt, ReplayName, RowModel, TallyModel},
    relay::{Relay, StreamRecord},
};

use super::{
    Clockwork, Plant,
    log::Deaf,
    readings::{Statements, Totals},
    world::{Weather, World},
};

/// How many shards the change stream has. A record goes to any of them: the order of two records of
/// one stream is not promised, and is not kept here.
const SHARDS: usize = 2;
/// How often a record is tried before it is put aside.
const RECORD_TRIES: usize = 12;
/// How often a message is received before it is put aside.
const RECEIVES: usize = 6;
/// How long a message that was received is not seen by others.
const VISIBILITY: Duration = Duration::from_secs(20);
/// How long the bus takes at most.
const DELAY: Duration = Duration::from_secs(4);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A queue that keeps no order, and shows a message again until it is deleted.
pub(super) struct Queue {
    clockwork: Clockwork,
    state: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    serial: usize,
    messages: Vec<Message>,
    aside: Vec<Message>,
}

#[derive(Clone)]
struct Message {
    id: usize,
    envelope: Envelope,
    replayed: bool,
    received: usize,
    seen_from: Duration,
}

impl Queue {
    pub(super) fn new(clockwork: Clockwork) -> Self {
        Self { clockwork, state: Mutex::default() }
    }

    fn push(&self, envelope: Envelope, replayed: bool) {
        let seen_from = self.clockwork.elapsed();
        let mut shelf = lock(&self.state);
        shelf.serial += 1;
        let id = shelf.serial;
        shelf.messages.push(Message { id, envelope, replayed, received: 0, seen_from });
    }

    /// Some messages, which others do not see for a while.
    fn receive(&self) -> Vec<Delivery> {
        let (now, most) = (self.clockwork.elapsed(), 1 + self.clockwork.below(10));
        let mut shelf = lock(&self.state);
        let mut batch = Vec::new();
        while batch.len() < most {
            let visible: Vec<_> = (0..shelf.messages.len())
                .filter(|at| shelf.messages[*at].seen_from <= now)
                .collect();
            if visible.is_empty() {
                break;
            }
            let at = visible[self.clockwork.below(visible.len())];
            if shelf.messages[at].received >= RECEIVES {
                let message = shelf.messages.swap_remove(at);
                shelf.aside.push(message);
                continue;
            }
            let message = &mut shelf.messages[at];
            message.received += 1;
            message.seen_from = now + VISIBILITY;
            batch.push(Delivery {
                receipt: Receipt(message.id.to_string()),
                content: Ok(message.envelope.clone().into()),
                replay: message.replayed.then(|| ReplayName("again".to_owned())),
            });
        }
        batch
    }

    fn delete(&self, receipts: &[Receipt]) {
        let is_done = |message: &Message| receipts.iter().any(|it| it.0 == message.id.to_string());
        lock(&self.state).messages.retain(|message| !is_done(message));
    }

    fn redrive(&self) {
        let aside = std::mem::take(&mut lock(&self.state).aside);
        for message in aside {
            self.push(message.envelope, message.replayed);
        }
    }

    fn is_empty(&self) -> bool {
        lock(&self.state).messages.is_empty()
    }

    /// How many messages stand aside.
    pub(super) fn aside(&self) -> usize {
        lock(&self.state).aside.len()
    }
}

/// The bus: takes, loses, repeats, delays, archives.
pub(super) struct Bus {
    clockwork: Clockwork,
    weather: Arc<Weather>,
    plant: Plant,
    queues: [Arc<Queue>; 2],
    archive: Mutex<Vec<Envelope>>,
    under_way: Arc<AtomicUsize>,
}

impl Bus {
    pub(super) fn new(
        clockwork: Clockwork,
        weather: Arc<Weather>,
        plant: Plant,
        queues: [Arc<Queue>; 2],
    ) -> Self {
        let (archive, under_way) = (Mutex::default(), Arc::default());
        Self { clockwork, weather, plant, queues, archive, under_way }
    }

    pub(super) fn archive(&self) -> Vec<Envelope> {
        lock(&self.archive).clone()
    }

    /// Brings everything again.
    pub(super) fn replay(&self) {
        for envelope in self.archive() {
            self.route(&envelope, true);
        }
    }

    fn route(&self, envelope: &Envelope, replayed: bool) {
        for queue in &self.queues {
            let copies = if self.clockwork.chance(5) { 3 } else { 1 };
            for _ in 0..copies {
                let delay = self.clockwork.within(DELAY);
                let (clockwork, queue) = (self.clockwork.clone(), queue.clone());
                let (envelope, under_way) = (envelope.clone(), self.under_way.clone());
                under_way.fetch_add(1, Ordering::SeqCst);
                self.clockwork.spawn(async move {
                    clockwork.sleep(delay).await;
                    queue.push(envelope, replayed);
                    under_way.fetch_sub(1, Ordering::SeqCst);
                });
            }
        }
    }
}

#[async_trait]
impl Publisher for Bus {
    fn limits(&self) -> Limits {
        Limits { entries: 3, bytes: 10_000 }
    }

    fn weigh(&self, envelope: &Envelope) -> Result<usize, Unpublishable> {
        Ok(envelope.event.data.as_str().len())
    }

    async fn publish(
        &self,
        batch: &[Envelope],
    ) -> Result<Vec<Result<(), EntryError>>, PublishError> {
        self.clockwork.turn().await;
        if self.weather.strikes() {
            return Err(PublishError("the call was lost".into()));
        }
        let mut answers = Vec::new();
        for envelope in batch {
            if self.weather.strikes() {
                let ignored = self.plant == Plant::FailedEntriesIgnored;
                let failed = Err(EntryError("not taken".to_owned()));
                answers.push(if ignored { Ok(()) } else { failed });
                continue;
            }
            lock(&self.archive).push(envelope.clone());
            self.route(envelope, false);
            answers.push(Ok(()));
        }
        self.clockwork.turn().await;
        if self.weather.strikes() {
            return Err(PublishError("the answer was lost".into()));
        }
        if self.weather.strikes() && self.plant != Plant::FailedEntriesIgnored {
            answers.pop();
        }
        Ok(answers)
    }
}

/// What moves things on, as Lambda's event source mappings do.
pub(super) struct Pipeline {
    world: World,
    shards: [Arc<Mutex<VecDeque<StreamRecord>>>; SHARDS],
    aside: Arc<Mutex<Vec<StreamRecord>>>,
}

impl Pipeline {
    pub(super) fn new(world: World) -> Self {
        Self { world, shards: Default::default(), aside: Arc::default() }
    }

    pub(super) fn start(self: &Arc<Self>) {
        let clockwork = &self.world.clockwork;
        let pipeline = self.clone();
        clockwork.spawn(async move { pipeline.feed().await });
        for shard in 0..SHARDS {
            let pipeline = self.clone();
            clockwork.spawn(async move { pipeline.relay(shard).await });
        }
        // Two functions at a queue: batches of one stream meet.
        for queue in [0, 0, 1, 1] {
            let pipeline = self.clone();
            clockwork.spawn(async move { pipeline.project(queue).await });
        }
    }

    /// Whether nothing is under way.
    pub(super) fn rests(&self) -> bool {
        self.shards.iter().all(|shard| lock(shard).is_empty())
            && self.world.bus.under_way.load(Ordering::SeqCst) == 0
            && self.world.queues.iter().all(|queue| queue.is_empty())
    }

    /// Brings back what was put aside.
    pub(super) fn redrive(&self) {
        lock(&self.shards[0]).extend(std::mem::take(&mut *lock(&self.aside)));
        self.world.queues.iter().for_each(|queue| queue.redrive());
    }

    async fn pause(&self) {
        let clockwork = &self.world.clockwork;
        clockwork.sleep(clockwork.within(Duration::from_secs(3))).await;
    }

    /// From the log into the shards.
    async fn feed(&self) {
        let mut serial = 0;
        while !self.world.is_over() {
            for commit in self.world.log.take_changes() {
                serial += 1;
                let record =
                    StreamRecord { sequence_number: format!("{serial}"), commit: Ok(commit) };
                lock(&self.shards[self.world.clockwork.below(SHARDS)]).push_back(record);
            }
            self.pause().await;
        }
    }

    async fn relay(&self, shard: usize) {
        let (clockwork, records) = (&self.world.clockwork, &self.shards[shard]);
        let mut tries = 0;
        while !self.world.is_over() {
            self.pause().await;
            let most = 1 + clockwork.below(4);
            let batch: Vec<_> = lock(records).iter().take(most).cloned().collect();
            let Some(first) = batch.first().cloned() else { continue };
            if self.world.plant == Plant::AcknowledgedFirst {
                lock(records).drain(..batch.len());
            }
            let (answer, answered) = oneshot::channel();
            let (random, time) = (Arc::new(clockwork.clone()), Arc::new(clockwork.clone()));
            let relay = Relay::new(self.world.bus.clone(), time, random);
            let sent = batch.clone();
            clockwork.spawn_mortal(async move {
                let _ = answer.send(relay.publish(&sent).await);
            });
            let unsent = match answered.await {
                Ok(Ok(())) => None,
                Ok(Err(unsent)) => Some(unsent.sequence_number),
                // The function died: the whole batch comes again.
                Err(oneshot::Canceled) => Some(first.sequence_number.clone()),
            };
            if self.world.plant == Plant::AcknowledgedFirst {
                continue;
            }
            let mut records = lock(records);
            let is_next = |record: &StreamRecord| Some(&record.sequence_number) == unsent.as_ref();
            let done = batch.iter().position(is_next).unwrap_or(batch.len());
            records.drain(..done);
            tries = if done == 0 { tries + 1 } else { 0 };
            if tries > RECORD_TRIES {
                lock(&self.aside).extend(records.pop_front());
                tries = 0;
            }
        }
    }

    fn model(&self, queue: usize) -> Arc<dyn ReadModel> {
        match queue {
            0 => Arc::new(RowModel::<Statements>::new(self.world.rows.clone())),
            _ => Arc::new(TallyModel::<Totals>::new(self.world.tallies.clone())),
        }
    }

    fn projector(&self, queue: usize) -> Projector {
        let clockwork = &self.world.clockwork;
        let (random, time) = (Arc::new(clockwork.clone()), Arc::new(clockwork.clone()));
        let model = self.model(queue);
        match self.world.plant {
            Plant::GapsIgnored => Projector::new(model, Arc::new(Deaf), time, random),
            _ => Projector::new(model, self.world.log.clone(), time, random),
        }
    }

    async fn project(&self, number: usize) {
        let (clockwork, queue) = (&self.world.clockwork, &self.world.queues[number]);
        while !self.world.is_over() {
            self.pause().await;
            let batch = queue.receive();
            if batch.is_empty() {
                continue;
            }
            self.world.witness.delivered.fetch_add(batch.len(), Ordering::SeqCst);
            let mut receipts: Vec<_> = batch.iter().map(|it| it.receipt.clone()).collect();
            let (answer, answered) = oneshot::channel();
            let projector = self.projector(number);
            clockwork.spawn_mortal(async move {
                let _ = answer.send(projector.project(batch).await);
            });
            // A function that died has done nothing that is known of.
            if let Ok(failed) = answered.await {
                if let Some((_, reason)) = failed.first().filter(|_| self.world.weather.is_fair()) {
                    let rule = format!("a message was not applied at once: {reason}");
                    self.world.witness.violated(rule);
                }
                receipts.retain(|receipt| failed.iter().all(|(it, _)| it != receipt));
                queue.delete(&receipts);
            }
        }
    }
}
