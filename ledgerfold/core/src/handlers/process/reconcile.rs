//! The comparison of scheduled deadlines with the log.
//!
//! If a message was purged or a deadline was deleted, only the log still shows that something should happen. So the
//! check runs the process on every event again, and compares the deadlines that it requests with the stored ones.

use std::{collections::BTreeMap, marker::PhantomData, sync::Arc};

use async_trait::async_trait;

use super::{ProcessManager, Reaction, Target, concerns};
use crate::{
    Caller, DecodeError, Envelope, ProcessName, StreamId, Timestamp, Version,
    ports::{
        Cause, Deadline, DeadlineError, DeadlineKey, DeadlineStore, EventReader, PageWalk,
        StoreError,
    },
    project::read_log,
    vocabulary::{Panicked, panics::guarded},
};

/// The deadlines that one process requests, according to the log.
#[async_trait]
pub trait Scheduling: Send + Sync {
    /// The name of the process.
    fn process(&self) -> &ProcessName;

    /// The deadlines that the events of a stream request, in the order of the events.
    ///
    /// # Errors
    /// [`ScheduleError`].
    async fn asked_for(
        &self,
        stream: &StreamId,
        log: &dyn EventReader,
    ) -> Result<Vec<Asked>, ScheduleError>;

    /// Whether the process must still send a deadline's command: it is not in the log, and it would change something.
    ///
    /// # Errors
    /// [`ScheduleError`].
    async fn is_open(
        &self,
        deadline: &Deadline,
        log: &dyn EventReader,
    ) -> Result<bool, ScheduleError>;
}

/// A deadline that an event requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The deadline.
    pub deadline: Deadline,
    /// The time of the event.
    pub recorded_at: Timestamp,
}

impl Asked {
    fn is_cause_of(&self, stored: &Deadline) -> bool {
        self.deadline.cause.event == stored.cause.event
    }
}

/// The deadlines that a stream requests could not be determined.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// The log failed.
    #[error(transparent)]
    Log(#[from] StoreError),
    /// An event cannot be read.
    #[error("version {version} of {stream} cannot be read: {source}")]
    Event {
        /// The stream.
        stream: StreamId,
        /// The event's version.
        version: Version,
        /// The reason.
        source: DecodeError,
    },
    /// The code of the process, or of its target, panicked on the stream.
    #[error("the deadlines of {stream} cannot be determined: {source}")]
    Panicked {
        /// The stream.
        stream: StreamId,
        /// The panic.
        source: Panicked,
    },
}

impl ScheduleError {
    /// Whether the error concerns this stream only, so that other streams can be examined.
    pub const fn is_of_the_stream(&self) -> bool {
        matches!(self, Self::Event { .. } | Self::Panicked { .. })
            || matches!(self, Self::Log(StoreError::Corrupt { .. }))
    }
}

/// The deadlines of a process manager.
pub struct ProcessSchedule<P: ProcessManager> {
    process: ProcessName,
    settings: P::Settings,
    of: PhantomData<fn() -> P>,
}

impl<P: ProcessManager> ProcessSchedule<P> {
    /// The deadlines of `P` with these settings. Use the settings of the process function.
    pub const fn new(settings: P::Settings) -> Self {
        Self { process: P::NAME, settings, of: PhantomData }
    }

    fn requests_of(&self, envelope: &Envelope) -> Result<Vec<Asked>, ScheduleError> {
        if !concerns::<P>(envelope) {
            return Ok(Vec::new());
        }
        let recorded_at = envelope.metadata.recorded_at;
        let events = envelope.open::<P::Event>().map_err(|source| unreadable(envelope, source))?;
        let events = events.into_iter();
        let reactions: Vec<_> =
            guarded(|| events.flat_map(|event| P::react(&event, &self.settings)).collect())
                .map_err(|source| panicked(&envelope.stream, source))?;
        let requests = reactions.into_iter().filter_map(|reaction| match reaction {
            Reaction::Send { .. } => None,
            Reaction::Schedule { stream, name, due } => {
                let key = DeadlineKey { process: P::NAME, stream: stream.into(), name };
                let deadline = Deadline { key, due, cause: Cause::of(envelope) };
                Some(Asked { deadline, recorded_at })
            }
        });
        Ok(requests.collect())
    }
}

pub(super) fn unreadable(envelope: &Envelope, source: DecodeError) -> ScheduleError {
    ScheduleError::Event { stream: envelope.stream.clone(), version: envelope.version, source }
}

pub(super) fn panicked(stream: &StreamId, source: Panicked) -> ScheduleError {
    ScheduleError::Panicked { stream: stream.clone(), source }
}

#[async_trait]
impl<P: ProcessManager> Scheduling for ProcessSchedule<P> {
    fn process(&self) -> &ProcessName {
        &self.process
    }

    async fn asked_for(
        &self,
        stream: &StreamId,
        log: &dyn EventReader,
    ) -> Result<Vec<Asked>, ScheduleError> {
        fold(stream, log, Vec::new(), |mut requests, envelope| {
            requests.extend(self.requests_of(envelope)?);
            Ok(requests)
        })
        .await
    }

    async fn is_open(
        &self,
        deadline: &Deadline,
        log: &dyn EventReader,
    ) -> Result<bool, ScheduleError> {
        let stream = &deadline.key.stream;
        let command = guarded(|| P::expire(&deadline.key));
        let Some(command) = command.map_err(|source| panicked(stream, source))? else {
            return Ok(false);
        };
        let caller = Caller::process(&P::NAME, stream.tenant().clone());
        P::Target::is_open(deadline, &caller, &command, log).await
    }
}

pub(super) async fn fold<T: Send>(
    stream: &StreamId,
    log: &dyn EventReader,
    start: T,
    mut take: impl FnMut(T, &Envelope) -> Result<T, ScheduleError> + Send,
) -> Result<T, ScheduleError> {
    let mut folded = start;
    let mut version = Version::NONE;
    loop {
        let page = read_log(version, stream, log).await?;
        folded = page.events.iter().try_fold(folded, &mut take)?;
        version = version.advance(page.events.len());
        if !page.more {
            return Ok(folded);
        }
    }
}

/// A comparison of all stored deadlines of a process with the log, stream by stream.
pub struct DeadlineCheck {
    scheduling: Arc<dyn Scheduling>,
    store: Arc<dyn DeadlineStore>,
    log: Arc<dyn EventReader>,
    /// The stored deadlines that no examined stream has requested yet.
    unexplained: BTreeMap<DeadlineKey, Deadline>,
}

/// A deadline that differs from the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongDeadline {
    /// The deadline that should be stored, or the superfluous deadline.
    pub deadline: Deadline,
    /// The fault.
    pub fault: DeadlineFault,
}

/// A fault of a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadlineFault {
    /// The deadline is not stored, and is not due yet.
    Missing,
    /// The deadline is not stored, and was due. Its command is not in the log, and would change something.
    Missed,
    /// The deadline is stored with another time than the process requests today. It was scheduled with other settings,
    /// or changed by hand.
    WrongDue {
        /// The stored time.
        stands: Timestamp,
    },
    /// The deadline is stored, and no event requests it.
    Superfluous,
}

impl DeadlineFault {
    /// The name of the fault.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Missed => "missed",
            Self::WrongDue { .. } => "wrong due",
            Self::Superfluous => "superfluous",
        }
    }

    /// Whether scheduling the deadline corrects the fault.
    pub const fn is_lost(self) -> bool {
        matches!(self, Self::Missing | Self::Missed)
    }
}

impl DeadlineCheck {
    /// Reads all deadlines of a process.
    ///
    /// # Errors
    /// [`DeadlineError`].
    pub async fn begin(
        scheduling: Arc<dyn Scheduling>,
        store: Arc<dyn DeadlineStore>,
        log: Arc<dyn EventReader>,
    ) -> Result<Self, DeadlineError> {
        let process = scheduling.process();
        let mut all = Vec::new();
        for part in 0..store.parts() {
            let mut walk = PageWalk::start();
            while let Some(from) = walk.next_place() {
                let page = store.due(process, part, Timestamp::MAX, from.as_ref()).await?;
                all.extend(walk.turn(page));
            }
        }
        let mut walk = PageWalk::start();
        while let Some(from) = walk.next_place() {
            all.extend(walk.turn(store.failed(process, from.as_ref()).await?));
        }
        let deadlines = all.into_iter().flatten().map(|pending| pending.deadline);
        let unexplained = deadlines.map(|deadline| (deadline.key.clone(), deadline)).collect();
        Ok(Self { scheduling, store, log, unexplained })
    }

    /// The name of the process.
    pub fn process(&self) -> &ProcessName {
        self.scheduling.process()
    }

    /// The faults of the deadlines that a stream requests. Events that were recorded after `settled` may still be in
    /// transit, so their deadlines may be missing.
    ///
    /// # Errors
    /// [`ScheduleError`].
    pub async fn examine(
        &mut self,
        stream: &StreamId,
        settled: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<WrongDeadline>, ScheduleError> {
        let requests = self.scheduling.asked_for(stream, &*self.log).await?;
        let mut wrong = Vec::new();
        for (key, requests) in by_key(requests) {
            if let Some(stored) = self.unexplained.get(&key) {
                // Otherwise the event belongs to another stream, which is examined later, or the deadline is
                // superfluous.
                if let Some(request) = requests.iter().find(|request| request.is_cause_of(stored)) {
                    wrong.extend(wrong_due(&request.deadline, stored.due));
                    self.unexplained.remove(&key);
                }
                continue;
            }
            let Some(last) = effective(requests).filter(|last| last.recorded_at <= settled) else {
                continue;
            };
            let fault = if last.deadline.due > now {
                DeadlineFault::Missing
            } else if self.scheduling.is_open(&last.deadline, &*self.log).await? {
                DeadlineFault::Missed
            } else {
                continue;
            };
            wrong.push(WrongDeadline { deadline: last.deadline, fault });
        }
        Ok(wrong)
    }

    /// Schedules a lost deadline.
    ///
    /// # Errors
    /// [`DeadlineError`].
    pub async fn schedule(&self, lost: &WrongDeadline) -> Result<(), DeadlineError> {
        self.store.schedule(&lost.deadline).await.map(|_| ())
    }

    /// The deadlines that no stream requests. Call it after all streams were examined.
    pub fn superfluous(self) -> Vec<WrongDeadline> {
        let fault = DeadlineFault::Superfluous;
        self.unexplained.into_values().map(|deadline| WrongDeadline { deadline, fault }).collect()
    }
}

fn by_key(requests: Vec<Asked>) -> BTreeMap<DeadlineKey, Vec<Asked>> {
    let mut keys: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for request in requests {
        keys.entry(request.deadline.key.clone()).or_default().push(request);
    }
    keys
}

fn wrong_due(requested: &Deadline, stands: Timestamp) -> Option<WrongDeadline> {
    let fault = DeadlineFault::WrongDue { stands };
    (requested.due != stands).then(|| WrongDeadline { deadline: requested.clone(), fault })
}

/// The last of several requests for one key that could be scheduled. While one deadline is scheduled, the next request
/// has no effect.
fn effective(requests: Vec<Asked>) -> Option<Asked> {
    requests.into_iter().reduce(|scheduled, next| {
        if scheduled.deadline.due > next.recorded_at { scheduled } else { next }
    })
}
