//! Whether the deadlines stand that the log asks for.
//!
//! A message that was purged, or a deadline that was deleted, leaves no trace: only the log still says
//! that something should happen. The audit asks the process of every event again, and compares.

use std::{collections::BTreeMap, marker::PhantomData, sync::Arc};

use async_trait::async_trait;

use super::{ProcessManager, Reaction, expiry::command_id};
use crate::{
    Decider, DecodeError, Envelope, ProcessName, Recorded, StreamId, Timestamp, Version,
    ports::{
        Cause, Deadline, DeadlineError, DeadlineKey, DeadlineStore, EventReader, PageWalk,
        StoreError,
    },
    project::read_log,
    vocabulary::{Panicked, panics::guarded},
};

/// The deadlines of one process, as the log asks for them.
#[async_trait]
pub trait Scheduling: Send + Sync {
    /// Whose deadlines.
    fn process(&self) -> &ProcessName;

    /// The deadlines that the events of a stream ask for, in their order.
    ///
    /// # Errors
    /// [`ScheduleError`].
    async fn asked_for(
        &self,
        stream: &StreamId,
        log: &dyn EventReader,
    ) -> Result<Vec<Asked>, ScheduleError>;

    /// Whether a deadline's command is not in the log, and would change something: so it has neither taken
    /// effect nor become pointless.
    ///
    /// # Errors
    /// [`ScheduleError`].
    async fn is_open(
        &self,
        deadline: &Deadline,
        log: &dyn EventReader,
    ) -> Result<bool, ScheduleError>;
}

/// A deadline that an event asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The deadline.
    pub deadline: Deadline,
    /// When the event was recorded.
    pub recorded_at: Timestamp,
}

impl Asked {
    fn is_why(&self, stands: &Deadline) -> bool {
        self.deadline.cause.event == stands.cause.event
    }
}

/// A stream does not say which deadlines it asks for.
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
    #[error("the deadlines of {stream} cannot be told: {source}")]
    Panicked {
        /// The stream.
        stream: StreamId,
        /// The panic.
        source: Panicked,
    },
}

impl ScheduleError {
    /// Whether it is of this one stream, and the others can be examined.
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

    fn asked_by(&self, envelope: &Envelope) -> Result<Vec<Asked>, ScheduleError> {
        let recorded_at = envelope.metadata.recorded_at;
        let events = envelope.open::<P::Event>().map_err(|source| unreadable(envelope, source))?;
        let events = events.into_iter();
        let reactions: Vec<_> =
            guarded(|| events.flat_map(|event| P::react(&event, &self.settings)).collect())
                .map_err(|source| panicked(&envelope.stream, source))?;
        let asked = reactions.into_iter().filter_map(|reaction| match reaction {
            Reaction::Send { .. } => None,
            Reaction::Schedule { stream, name, due } => {
                let key = DeadlineKey { process: P::NAME, stream, name };
                let deadline = Deadline { key, due, cause: Cause::of(envelope) };
                Some(Asked { deadline, recorded_at })
            }
        });
        Ok(asked.collect())
    }
}

fn unreadable(envelope: &Envelope, source: DecodeError) -> ScheduleError {
    ScheduleError::Event { stream: envelope.stream.clone(), version: envelope.version, source }
}

fn panicked(stream: &StreamId, source: Panicked) -> ScheduleError {
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
        fold(stream, log, Vec::new(), |mut asked, envelope| {
            asked.extend(self.asked_by(envelope)?);
            Ok(asked)
        })
        .await
    }

    async fn is_open(
        &self,
        deadline: &Deadline,
        log: &dyn EventReader,
    ) -> Result<bool, ScheduleError> {
        let stream = &deadline.key.stream;
        let caught = |source| panicked(stream, source);
        let command = guarded(|| P::expire(&deadline.key)).map_err(caught)?;
        let Some(command) = command else { return Ok(false) };
        let id = command_id(deadline);
        let start = (false, P::Target::initial());
        let (is_done, state) = fold(stream, log, start, |(is_done, state), envelope| {
            let events = envelope.open::<<P::Target as Decider>::Event>();
            let events = events.map_err(|source| unreadable(envelope, source))?.into_iter();
            let evolve = |state, event: Recorded<_>| P::Target::evolve(state, &event.event);
            let state = guarded(|| events.fold(state, evolve)).map_err(caught)?;
            Ok((is_done || envelope.command_id == id, state))
        })
        .await?;
        let decided = guarded(|| P::Target::decide(&state, &command)).map_err(caught)?;
        Ok(!is_done && decided.is_ok_and(|events| !events.is_empty()))
    }
}

async fn fold<T: Send>(
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

/// All deadlines of a process that stand, compared with the log stream by stream.
pub struct DeadlineCheck {
    scheduling: Arc<dyn Scheduling>,
    store: Arc<dyn DeadlineStore>,
    log: Arc<dyn EventReader>,
    standing: BTreeMap<DeadlineKey, Deadline>,
}

/// A deadline that is not as the log asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongDeadline {
    /// The deadline: as it should stand, or as it stands where it should not.
    pub deadline: Deadline,
    /// The fault.
    pub fault: DeadlineFault,
}

/// A fault of a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadlineFault {
    /// It does not stand, and is not due yet.
    Missing,
    /// It does not stand and was due; its command is not in the log, and would change something.
    Missed,
    /// It stands, and is due at another time than the process says today: it was scheduled with other
    /// settings, or changed by hand.
    WrongDue {
        /// When it is due as it stands.
        stands: Timestamp,
    },
    /// It stands, and no event asks for it.
    Superfluous,
}

impl DeadlineFault {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Missed => "missed",
            Self::WrongDue { .. } => "wrong due",
            Self::Superfluous => "superfluous",
        }
    }

    /// Whether scheduling the deadline mends it.
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
        let standing = deadlines.map(|deadline| (deadline.key.clone(), deadline)).collect();
        Ok(Self { scheduling, store, log, standing })
    }

    /// Whose deadlines.
    pub fn process(&self) -> &ProcessName {
        self.scheduling.process()
    }

    /// The faults of the deadlines that a stream asks for. Events that were recorded after `settled` may still be in
    /// transit.
    ///
    /// # Errors
    /// [`ScheduleError`].
    pub async fn examine(
        &mut self,
        stream: &StreamId,
        settled: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<WrongDeadline>, ScheduleError> {
        let asked = self.scheduling.asked_for(stream, &*self.log).await?;
        let mut wrong = Vec::new();
        for (key, asked) in by_key(asked) {
            if let Some(stands) = self.standing.get(&key) {
                // Where the event is of another stream, its own turn comes, or it is superfluous.
                if let Some(asked) = asked.iter().find(|asked| asked.is_why(stands)) {
                    wrong.extend(wrong_due(&asked.deadline, stands.due));
                    self.standing.remove(&key);
                }
                continue;
            }
            let Some(last) = effective(asked).filter(|last| last.recorded_at <= settled) else {
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

    /// Schedules a deadline that is lost.
    ///
    /// # Errors
    /// [`DeadlineError`].
    pub async fn schedule(&self, lost: &WrongDeadline) -> Result<(), DeadlineError> {
        self.store.schedule(&lost.deadline).await.map(|_| ())
    }

    /// The deadlines that no stream asked for, once all streams were examined.
    pub fn superfluous(self) -> Vec<WrongDeadline> {
        let fault = DeadlineFault::Superfluous;
        let left = self.standing.into_values();
        left.map(|deadline| WrongDeadline { deadline, fault }).collect()
    }
}

fn by_key(asked: Vec<Asked>) -> BTreeMap<DeadlineKey, Vec<Asked>> {
    let mut keys: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for each in asked {
        keys.entry(each.deadline.key.clone()).or_default().push(each);
    }
    keys
}

fn wrong_due(asked: &Deadline, stands: Timestamp) -> Option<WrongDeadline> {
    let fault = DeadlineFault::WrongDue { stands };
    (asked.due != stands).then(|| WrongDeadline { deadline: asked.clone(), fault })
}

/// Of several that were asked for under one key, the last that could be scheduled: while one stands, the
/// next is superseded.
fn effective(asked: Vec<Asked>) -> Option<Asked> {
    asked.into_iter().reduce(
        |stands, next| {
            if stands.deadline.due > next.recorded_at { stands } else { next }
        },
    )
}
