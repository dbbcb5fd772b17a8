use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::{StreamExt, stream};

use super::{
    Inapplicable, Skipped,
    inbox::{self, Arrived},
    step::Step,
    tail::{self, Tail},
};
use crate::{
    DecodeError, Envelope, InvalidId, StreamId, Version,
    ports::{
        Clock, EventReader, Quarantine, QuarantineError, Random, ReadStoreError, Skips, StoreError,
        Written,
    },
    vocabulary::{Delivery, Panicked, Receipt, panics::guarded_future},
    waiting::{Backoff, ExponentialWait},
};

/// How many streams of a batch are brought forward at a time.
pub(super) const CONCURRENT_STREAMS: usize = 8;
/// How often a write that was superseded is made again on what is there now.
const BACKOFF: Backoff = Backoff {
    attempts: 20,
    wait: ExponentialWait::new(Duration::from_millis(5), Duration::from_millis(200)),
};

/// A read model that is moved forward stream by stream.
///
/// [`RowModel`](super::RowModel) and [`TallyModel`](super::TallyModel) are the two kinds there are.
#[async_trait]
pub trait ReadModel: Send + Sync {
    /// What the model holds of one stream, opened for moving it forward.
    async fn open(&self, stream: &StreamId) -> Result<Box<dyn Position>, ProjectError>;
}

/// What a read model holds of one stream.
#[async_trait]
pub trait Position: Send + Sync {
    /// Up to which version.
    fn version(&self) -> Version;

    /// Moves on by these events, which follow [`Position::version`] and end with a commit, in
    /// conditional writes that carry the new position; without those that were skipped, and past them.
    /// After an error it stands where it says that it stands, and can be moved on from there.
    async fn advance(
        &mut self,
        events: &[Envelope],
        skipped: &Skipped,
    ) -> Result<Written, ProjectError>;
}

/// A stream could not be brought forward in a read model. Nothing of it is lost: the messages come
/// again, and the log keeps the events.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The log failed.
    #[error(transparent)]
    Log(#[from] StoreError),
    /// The read table failed.
    #[error(transparent)]
    ReadStore(#[from] ReadStoreError),
    /// An event cannot be read.
    #[error("version {version} of {stream} cannot be read: {source}")]
    Event {
        /// The stream.
        stream: StreamId,
        /// The event's version.
        version: Version,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// An event does not fit what came before it.
    #[error(transparent)]
    Inapplicable(#[from] Inapplicable),
    /// A row cannot be written as JSON.
    #[error(transparent)]
    Encode(#[from] crate::EncodeError),
    /// The row's place in the list is none that a table can have.
    #[error("its row cannot be listed: {0}")]
    Unlisted(#[from] InvalidId),
    /// The read model's code panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
    /// The bus told of events that the log does not have.
    #[error("the bus tells of version {announced} of {stream}, and the log ends at {found}")]
    NotInLog {
        /// The stream.
        stream: StreamId,
        /// The version told of.
        announced: Version,
        /// Where the log ends.
        found: Version,
    },
    /// Others kept moving the stream's position.
    #[error("others kept moving the position of {0}")]
    Contention(StreamId),
    /// The quarantine failed.
    #[error(transparent)]
    Quarantine(#[from] QuarantineError),
    /// An event cannot be applied, and the quarantine failed to say whether it was skipped.
    #[error("{cause}; and whether it was skipped cannot be read: {source}")]
    SkipUnknown {
        /// Why the event cannot be applied.
        cause: Box<Self>,
        /// Why its skip cannot be read.
        source: QuarantineError,
    },
}

impl ProjectError {
    /// Whether it is of this one stream and will not pass by itself: an event, a row or the stream has
    /// to be mended, or the code that reads it. Everything else may be gone when it is tried again.
    pub const fn is_lasting(&self) -> bool {
        match self {
            Self::Event { .. }
            | Self::Inapplicable(_)
            | Self::Encode(_)
            | Self::Unlisted(_)
            | Self::Panicked(_)
            | Self::Log(StoreError::Corrupt { .. })
            | Self::ReadStore(ReadStoreError::Corrupt { .. } | ReadStoreError::Invalid(_)) => true,
            Self::Log(_)
            | Self::ReadStore(_)
            | Self::NotInLog { .. }
            | Self::Contention(_)
            | Self::Quarantine(_)
            | Self::SkipUnknown { .. } => false,
        }
    }

    /// The version of the event that is at fault, where it is one.
    pub const fn version(&self) -> Option<Version> {
        match self {
            Self::Event { version, .. } | Self::Inapplicable(Inapplicable { version, .. }) => {
                Some(*version)
            }
            _ => None,
        }
    }
}

/// Messages that must come again.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error("{cause}; and it could not be parked: {source}")]
    NotParked { cause: ProjectError, source: QuarantineError },
}

/// What has become of messages that need not come again.
enum Taken {
    Applied,
    Parked,
}

/// The messages of a batch that the model does not have.
pub(super) struct NotApplied {
    /// Those that must come again, each with the reason.
    pub(super) failed: Vec<(Receipt, String)>,
    /// Those of streams that stand parked.
    pub(super) parked: Vec<Receipt>,
}

/// How far a stream has come, and how.
#[derive(Default)]
pub(super) struct Progress {
    /// Where the model stands, once that could be read.
    pub(super) position: Option<Version>,
    /// Whether the log had to help.
    from_log: bool,
}

/// Brings a read model forward by what a queue delivers.
#[derive(Clone)]
pub struct Projector {
    model: Arc<dyn ReadModel>,
    log: Arc<dyn EventReader>,
    skips: Arc<dyn Skips>,
    pub(super) clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    pub(super) quarantine: Option<Arc<dyn Quarantine>>,
}

impl Projector {
    /// A projector of this model, which finds in the log what deliveries lack, and goes on without the
    /// events that were skipped.
    pub fn new(
        model: Arc<dyn ReadModel>,
        log: Arc<dyn EventReader>,
        skips: Arc<dyn Skips>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self { model, log, skips, clock, random, quarantine: None }
    }

    /// The same, parking in this quarantine what it cannot move on. Without one the messages of such a
    /// stream come again until their queue gives up on them.
    #[must_use]
    pub fn with_quarantine(self, quarantine: Arc<dyn Quarantine>) -> Self {
        Self { quarantine: Some(quarantine), ..self }
    }

    /// Takes a batch, and answers with the messages that must come again, each with the reason.
    /// Streams do not stand in each other's way: one that cannot be moved on is parked, and its
    /// messages need not come again.
    pub async fn project(&self, deliveries: Vec<Delivery>) -> Vec<(Receipt, String)> {
        self.take_batch(deliveries).await.failed
    }

    /// Takes a batch, and says what has become of the messages that were not applied.
    pub(super) async fn take_batch(&self, deliveries: Vec<Delivery>) -> NotApplied {
        let (streams, mut failed) = inbox::sort(deliveries);
        let mut parked = Vec::new();
        let outcomes = stream::iter(streams)
            .map(|(stream, arrived)| async move {
                let outcome = self.take(&stream, &arrived).await;
                (arrived, outcome)
            })
            .buffer_unordered(CONCURRENT_STREAMS)
            .collect::<Vec<_>>()
            .await;
        for (arrived, outcome) in outcomes {
            match outcome {
                Ok(Taken::Applied) => {}
                Ok(Taken::Parked) => parked.extend(arrived.receipts),
                Err(error) => {
                    let reason = error.to_string();
                    failed.extend(arrived.receipts.into_iter().map(|id| (id, reason.clone())));
                }
            }
        }
        for (receipt, reason) in &failed {
            tracing::error!(message = receipt.0, reason, "message not applied");
        }
        NotApplied { failed, parked }
    }

    /// Brings one stream forward to at least this version from the log alone, as if word of it had
    /// just come: what was seen is dropped, and others may be at work on the stream. It stands parked
    /// no more then, if it did.
    ///
    /// # Errors
    /// [`ProjectError`].
    pub async fn catch_up_to(
        &self,
        stream: &StreamId,
        committed: Version,
    ) -> Result<(), ProjectError> {
        let mut progress = Progress::default();
        self.bring_forward(stream, &Arrived::word_of(committed), &mut progress).await?;
        self.release(stream, progress.position.unwrap_or(committed)).await;
        Ok(())
    }

    /// Moves one stream on by what arrived, or parks it.
    async fn take(&self, stream: &StreamId, arrived: &Arrived) -> Result<Taken, NotTaken> {
        let announced = arrived.newest();
        let mut progress = Progress::default();
        let mut outcome = self.bring_forward(stream, arrived, &mut progress).await;
        if outcome.as_ref().is_err_and(ProjectError::is_lasting) && !progress.from_log {
            // A message is only word of what happened: no stream is parked for what one says wrongly.
            outcome = self.bring_forward(stream, &Arrived::word_of(announced), &mut progress).await;
        }
        match (outcome, &self.quarantine) {
            (Ok(()), _) => {
                // What arrives of a stream that stood parked comes behind a gap, so that it is mostly here
                // that one is released. What is left is found by the next round of healing.
                if let (true, Some(reached)) = (progress.from_log, progress.position) {
                    self.release(stream, reached).await;
                }
                Ok(Taken::Applied)
            }
            (Err(cause), Some(quarantine)) if cause.is_lasting() => self
                .park(&**quarantine, stream, announced, progress.position, &cause)
                .await
                .map(|()| Taken::Parked)
                .map_err(|source| NotTaken::NotParked { cause, source }),
            (Err(cause), _) => Err(cause.into()),
        }
    }

    /// Moves one stream on until all that arrived is in the model.
    pub(super) async fn bring_forward(
        &self,
        stream: &StreamId,
        arrived: &Arrived,
        progress: &mut Progress,
    ) -> Result<(), ProjectError> {
        let announced = arrived.newest();
        for attempt in 0..BACKOFF.attempts {
            BACKOFF.wait(attempt, &*self.clock, &*self.random).await;
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
            let tail = tail::following(after, stream, arrived, &*self.log).await?;
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

    /// Moves on by these events at once; where that fails for good, commit by commit up to the one at
    /// fault, so that as little as possible waits behind it.
    async fn advance(
        &self,
        stream: &StreamId,
        position: &mut dyn Position,
        tail: &Tail,
    ) -> Result<Written, ProjectError> {
        let mut step = Step::new(stream, tail, &*self.skips);
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
