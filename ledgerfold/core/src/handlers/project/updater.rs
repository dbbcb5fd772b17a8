//! Updates one stream of one read model. Batches, generations and the quarantine do not belong here.

use std::{sync::Arc, time::Duration};

use super::{
    Position, ProjectError, ReadModel,
    batch::Arrived,
    step::Step,
    tail::{self, Tail},
};
use crate::{
    StreamId, Version,
    ports::{Clock, EventReader, Random, Skips, Written},
    vocabulary::guarded_future,
    waiting::{Backoff, ExponentialWait},
};

/// The attempts to update a stream while other projectors change its position.
const BACKOFF: Backoff = Backoff {
    attempts: 20,
    wait: ExponentialWait::new(Duration::from_millis(5), Duration::from_millis(200)),
};

/// The ports of a projector beside its read tables.
#[derive(Clone)]
pub struct ProjectorPorts {
    /// The log, for events that a message lacks.
    pub log: Arc<dyn EventReader>,
    /// The events that operators have skipped for the projection.
    pub skips: Arc<dyn Skips>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The randomness of waits.
    pub random: Arc<dyn Random>,
}

/// Updates the streams of one read model.
#[derive(Clone)]
pub(crate) struct Updater {
    model: Arc<dyn ReadModel>,
    ports: ProjectorPorts,
}

/// The result of an update.
#[derive(Default)]
pub(super) struct Progress {
    /// The version that the model has reached; absent if it cannot be read.
    pub(super) position: Option<Version>,
    /// Whether events came from the log and not only from messages.
    pub(super) from_log: bool,
}

impl Updater {
    pub(crate) fn new(model: Arc<dyn ReadModel>, ports: ProjectorPorts) -> Self {
        Self { model, ports }
    }

    /// See [`ReadModel::streams_at_once`].
    pub(super) fn streams_at_once(&self) -> usize {
        self.model.streams_at_once()
    }

    /// Updates one stream to at least this version, from the log alone. Returns the version that it has reached. Events
    /// that the model has are dropped, and other projectors may update the same stream.
    ///
    /// # Errors
    /// [`ProjectError`].
    pub(crate) async fn catch_up_to(
        &self,
        stream: &StreamId,
        committed: Version,
    ) -> Result<Version, ProjectError> {
        let mut progress = Progress::default();
        self.bring_forward(stream, &Arrived::only_version(committed), &mut progress).await?;
        Ok(progress.position.unwrap_or(committed))
    }

    /// Updates one stream with the messages that arrived. An event that fails permanently is read again from the log: a
    /// message may be wrong, and only the log decides.
    pub(super) async fn update(
        &self,
        stream: &StreamId,
        arrived: &Arrived,
        progress: &mut Progress,
    ) -> Result<(), ProjectError> {
        let outcome = self.bring_forward(stream, arrived, progress).await;
        if outcome.as_ref().is_err_and(ProjectError::is_lasting) && !progress.from_log {
            let from_log = Arrived::only_version(arrived.newest());
            return self.bring_forward(stream, &from_log, progress).await;
        }
        outcome
    }

    pub(super) async fn bring_forward(
        &self,
        stream: &StreamId,
        arrived: &Arrived,
        progress: &mut Progress,
    ) -> Result<(), ProjectError> {
        let announced = arrived.newest();
        for attempt in 0..BACKOFF.attempts {
            BACKOFF.wait(attempt, &*self.ports.clock, &*self.ports.random).await;
            if guarded_future(self.attempt(stream, arrived, progress)).await?? == Written::Done {
                let found = progress.position.unwrap_or(Version::NONE);
                if found >= announced {
                    return Ok(());
                }
                return Err(ProjectError::NotInLog { stream: stream.clone(), announced, found });
            }
        }
        Err(ProjectError::Contention(stream.clone()))
    }

    async fn attempt(
        &self,
        stream: &StreamId,
        arrived: &Arrived,
        progress: &mut Progress,
    ) -> Result<Written, ProjectError> {
        progress.position = None;
        let mut position = self.model.open(stream).await?;
        let outcome = self.catch_up(stream, arrived, &mut *position, progress).await;
        progress.position = Some(position.version());
        outcome
    }

    async fn catch_up(
        &self,
        stream: &StreamId,
        arrived: &Arrived,
        position: &mut dyn Position,
        progress: &mut Progress,
    ) -> Result<Written, ProjectError> {
        while position.version() < arrived.newest() {
            let after = position.version();
            let tail = tail::following(after, stream, arrived, &*self.ports.log).await?;
            progress.from_log |= tail.from_log;
            if self.advance(stream, position, &tail).await? == Written::Superseded {
                return Ok(Written::Superseded);
            }
            if !tail.more && tail.events.is_empty() {
                break;
            }
        }
        Ok(Written::Done)
    }

    /// Applies all events in one write. If that fails permanently, applies commit after commit up to the bad one, so
    /// that as few commits as possible wait after it.
    async fn advance(
        &self,
        stream: &StreamId,
        position: &mut dyn Position,
        tail: &Tail,
    ) -> Result<Written, ProjectError> {
        let mut step = Step::new(stream, tail, &*self.ports.skips);
        match step.take(position, &tail.events).await {
            Err(error) if error.is_lasting() => {}
            outcome => return outcome,
        }
        for commit in tail.events.chunk_by(|one, next| one.commit == next.commit) {
            if step.take(position, commit).await? == Written::Superseded {
                return Ok(Written::Superseded);
            }
        }
        Ok(Written::Done)
    }
}
