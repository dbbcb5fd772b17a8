use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::{StreamExt, stream};

use super::{
    Inapplicable,
    inbox::{self, Arrived, Delivery, Receipt},
    tail,
};
use crate::{
    DecodeError, Envelope, StreamId, Version,
    backoff::Backoff,
    ports::{Clock, EventStore, Random, ReadStoreError, StoreError, Written},
};

/// How many streams of a batch are brought forward at a time.
const CONCURRENT_STREAMS: usize = 8;
/// How often a write that was superseded is made again on what is there now.
const BACKOFF: Backoff =
    Backoff { attempts: 20, first: Duration::from_millis(5), longest: Duration::from_millis(200) };

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
    /// conditional writes that carry the new position.
    async fn advance(&mut self, events: &[Envelope]) -> Result<Written, ProjectError>;
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
    #[error("an event of {stream} cannot be read: {source}")]
    Event {
        /// The stream.
        stream: StreamId,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// An event does not fit what came before it.
    #[error(transparent)]
    Inapplicable(#[from] Inapplicable),
    /// A row cannot be written as JSON.
    #[error(transparent)]
    Encode(#[from] crate::EncodeError),
    /// The bus told of events that the log does not have.
    #[error("the bus tells of version {told} of {stream}, and the log ends at {found}")]
    NotInLog {
        /// The stream.
        stream: StreamId,
        /// The version told of.
        told: Version,
        /// Where the log ends.
        found: Version,
    },
    /// Others kept moving the stream's position.
    #[error("others kept moving the position of {0}")]
    Contention(StreamId),
}

/// Brings a read model forward by what a queue delivers.
#[derive(Clone)]
pub struct Projector {
    model: Arc<dyn ReadModel>,
    log: Arc<dyn EventStore>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Projector {
    /// A projector of this model, which finds in the log what deliveries lack.
    pub fn new(
        model: Arc<dyn ReadModel>,
        log: Arc<dyn EventStore>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self { model, log, clock, random }
    }

    /// Takes a batch, and answers with the messages that must come again, each with the reason.
    /// Streams do not stand in each other's way.
    pub async fn project(&self, deliveries: Vec<Delivery>) -> Vec<(Receipt, String)> {
        let (streams, mut failed) = inbox::sort(deliveries);
        let outcomes = stream::iter(streams)
            .map(|(stream, arrived)| async move {
                let outcome = self.bring_forward(&stream, &arrived).await;
                (arrived, outcome)
            })
            .buffer_unordered(CONCURRENT_STREAMS)
            .collect::<Vec<_>>()
            .await;
        for (arrived, outcome) in outcomes {
            if let Err(error) = outcome {
                let reason = error.to_string();
                failed.extend(arrived.receipts.into_iter().map(|id| (id, reason.clone())));
            }
        }
        for (receipt, reason) in &failed {
            tracing::error!(message = receipt.0, reason, "message not applied");
        }
        failed
    }

    /// Brings one stream forward to at least this version from the log alone, as if word of it had
    /// just come: what was seen is dropped, and others may be at work on the stream.
    ///
    /// # Errors
    /// [`ProjectError`].
    pub async fn catch_up_to(
        &self,
        stream: &StreamId,
        committed: Version,
    ) -> Result<(), ProjectError> {
        self.bring_forward(stream, &Arrived::word_of(committed)).await
    }

    /// Moves one stream on until all that arrived is in the model.
    async fn bring_forward(
        &self,
        stream: &StreamId,
        arrived: &Arrived,
    ) -> Result<(), ProjectError> {
        let told = arrived.newest();
        for attempt in 0..BACKOFF.attempts {
            BACKOFF.wait(attempt, &*self.clock, &*self.random).await;
            let mut position = self.model.open(stream).await?;
            if self.catch_up(stream, arrived, &mut *position).await? == Written::Done {
                if position.version() >= told {
                    return Ok(());
                }
                let (stream, found) = (stream.clone(), position.version());
                return Err(ProjectError::NotInLog { stream, told, found });
            }
        }
        Err(ProjectError::Contention(stream.clone()))
    }

    async fn catch_up(
        &self,
        stream: &StreamId,
        arrived: &Arrived,
        position: &mut dyn Position,
    ) -> Result<Written, ProjectError> {
        while position.version() < arrived.newest() {
            let after = position.version();
            let tail = tail::following(after, stream, arrived, &*self.log).await?;
            if !tail.events.is_empty()
                && position.advance(&tail.events).await? == Written::Superseded
            {
                return Ok(Written::Superseded);
            }
            if !tail.more && tail.events.is_empty() {
                break;
            }
        }
        Ok(Written::Done)
    }
}
