//! The bus: it rejects, delays and repeats events. Its rules try for a while to reach their queues, and its archive
//! replays events to all rules or to some. The relay, which publishes, does not belong here.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use ledgerfold::{
    Envelope, EventId,
    ports::{Clock, EntryError, Limits, PublishError, Publisher, Unpublishable},
    vocabulary::{Content, Form},
};

use crate::{
    domain::observations::Observations,
    infrastructure::queue::{Message, Queue},
    network::{faults::Faults, scheduler::Scheduler},
    plan::{
        plant::Plant,
        schedule::{Outage, Schedule},
    },
};

/// The longest delay of the bus.
const DELAY: Duration = Duration::from_secs(4);
/// The delay before the archive can replay an event.
const ARCHIVED: Duration = Duration::from_secs(3);
/// The first wait of a rule that did not reach its queue. Each wait doubles.
const BACKOFF: Duration = Duration::from_secs(1);
/// One event in this many is too large for the bus, and comes as a pointer.
const LARGE: u8 = 8;

pub(crate) struct Bus {
    scheduler: Scheduler,
    faults: Faults,
    observations: Arc<Observations>,
    plant: Plant,
    /// The targets of the rules. The bus pushes, and actors receive.
    queues: [Arc<Queue>; QUEUES],
    /// How often a rule tries to reach its queue.
    tries: usize,
    /// Of a hundred entries, how many are not taken.
    entries_failed: usize,
    /// All published events in their order. A mutex, because several relays publish at a time; only `publish` adds.
    archive: Mutex<Vec<Archived>>,
    /// How many messages have not reached a queue. Atomic and shared with the deliveries, which outlive the call.
    in_transit: Arc<AtomicUsize>,
}

struct Archived {
    envelope: Envelope,
    at: Duration,
}

/// How many rules there are, with a queue each: two of projections, one of another context, and one of a process.
pub(crate) const QUEUES: usize = 4;
/// The number of the queue of another context's projection. It alone gets public events, and no others.
pub(crate) const FOREIGN: usize = 2;
/// The number of the process's queue.
pub(crate) const PROCESS: usize = 3;

/// The rules that a replay goes to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FilterArns(pub(crate) [bool; QUEUES]);

impl Bus {
    pub(crate) fn new(
        (scheduler, faults, observations): (Scheduler, Faults, Arc<Observations>),
        plant: Plant,
        queues: [Arc<Queue>; QUEUES],
        schedule: &Schedule,
    ) -> Self {
        Self {
            scheduler,
            faults,
            observations,
            plant,
            queues,
            tries: schedule.stream.deliveries,
            entries_failed: schedule.entries_failed,
            archive: Mutex::default(),
            in_transit: Arc::default(),
        }
    }

    /// The ids of all events that were published in this form.
    pub(crate) fn published(&self, form: Form) -> HashSet<EventId> {
        let archive = self.archive();
        let envelopes = archive.iter().map(|archived| &archived.envelope);
        envelopes.filter(|it| it.form == form).map(|it| it.event.id).collect()
    }

    /// Whether nothing is on its way to a queue.
    pub(crate) fn is_idle(&self) -> bool {
        self.in_transit.load(Ordering::SeqCst) == 0
    }

    /// Publishes the events of a window of time again, in any order, to these rules. The archive gets new events
    /// after a while, and no replayed ones.
    pub(crate) fn replay(&self, window: (Duration, Duration), rules: FilterArns) {
        let known = self.scheduler.elapsed().saturating_sub(ARCHIVED);
        let archive = self.archive();
        let due = archive.iter().filter(|it| (window.0..=window.1.min(known)).contains(&it.at));
        for archived in due {
            self.route(&archived.envelope, true, rules);
        }
        self.observations.count(|report| {
            report.replays += 1;
            report.filtered_replays += usize::from(rules.0[..2] != [true; 2]);
        });
    }

    fn archive(&self) -> MutexGuard<'_, Vec<Archived>> {
        self.archive.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn route(&self, envelope: &Envelope, replayed: bool, rules: FilterArns) {
        let is_public = envelope.form == Form::Public;
        let targets = self.queues.iter().zip(rules.0).enumerate();
        let targets =
            targets.filter(|(number, (_, chosen))| *chosen && (*number == FOREIGN) == is_public);
        for (_, (queue, _)) in targets {
            let copies = if self.scheduler.chance(5) { 3 } else { 1 };
            for _ in 0..copies {
                let content = Message { content: content(envelope), replayed };
                self.deliver(queue.clone(), content);
            }
        }
    }

    /// Delivers a message to its queue, or to the dead-letter queue.
    fn deliver(&self, queue: Arc<Queue>, content: Message) {
        let delay = self.scheduler.within(DELAY);
        let scheduler = self.scheduler.clone();
        let faults = self.faults.clone();
        let in_transit = self.in_transit.clone();
        let tries = self.tries;
        in_transit.fetch_add(1, Ordering::SeqCst);
        self.scheduler.spawn(async move {
            scheduler.sleep(delay).await;
            let mut wait = BACKOFF;
            for tried in 1.. {
                if !faults.is_out(Outage::Targets) && !faults.fails() {
                    queue.push(content);
                    break;
                }
                if tried >= tries {
                    queue.dead_letter(content);
                    break;
                }
                scheduler.sleep(wait).await;
                wait *= 2;
            }
            in_transit.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

/// The form of an event on the bus. Its size follows from its id, so that a replay publishes the same form.
fn content(envelope: &Envelope) -> Content {
    let id = envelope.event.id.to_string();
    if id.bytes().fold(0, u8::wrapping_add) % LARGE == 0 {
        let stream = envelope.stream.clone();
        let committed = envelope.commit.1;
        return Content::Pointer { stream, committed };
    }
    envelope.clone().into()
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
        self.faults.delay().await;
        if self.faults.fails() {
            return Err(PublishError("the call was lost".into()));
        }
        let mut answers = Vec::new();
        for envelope in batch {
            if self.faults.fails_at(self.entries_failed) {
                let ignored = match self.plant {
                    Plant::FailedEntriesIgnored => true,
                    Plant::FailedPublicEntriesIgnored => envelope.form == Form::Public,
                    _ => false,
                };
                let failed = Err(EntryError::NotTaken("not taken".to_owned()));
                answers.push(if ignored { Ok(()) } else { failed });
                continue;
            }
            let at = self.scheduler.elapsed();
            self.archive().push(Archived { envelope: envelope.clone(), at });
            self.route(envelope, false, FilterArns([true; QUEUES]));
            answers.push(Ok(()));
        }
        self.faults.delay().await;
        if self.faults.fails() {
            return Err(PublishError("the answer was lost".into()));
        }
        if self.faults.fails() && self.plant != Plant::FailedEntriesIgnored {
            answers.pop();
        }
        Ok(answers)
    }
}
