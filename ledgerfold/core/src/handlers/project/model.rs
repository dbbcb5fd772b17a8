//! A read model as a projector uses it, and the reasons why a stream cannot be updated.

use async_trait::async_trait;

use super::Skipped;
use crate::{
    DecodeError, Envelope, InvalidId, StreamId, Version,
    ports::{QuarantineError, ReadStoreError, StoreError, Written},
    vocabulary::Panicked,
};

/// A read model that is updated stream by stream.
///
/// There are three kinds: [`RowModel`](super::RowModel), [`TallyModel`](super::TallyModel) and
/// [`PartedModel`](super::PartedModel).
#[async_trait]
pub trait ReadModel: Send + Sync {
    /// The model's position in one stream, ready for updates.
    ///
    /// # Errors
    /// [`ProjectError`] if the row, memo or position cannot be read.
    async fn open(&self, stream: &StreamId) -> Result<Box<dyn Position>, ProjectError>;

    /// The most streams of a batch to update concurrently. Calls of concurrent streams to the read table are sent
    /// together where possible.
    fn streams_at_once(&self) -> usize;
}

/// The position of a read model in one stream.
#[async_trait]
pub trait Position: Send + Sync {
    /// The version up to which the model has the stream.
    fn version(&self) -> Version;

    /// Applies these events, which follow [`Position::version`] and end with a commit, in conditional writes that carry
    /// the new position. Skipped events count as applied. After an error, [`Position::version`] is still correct, and
    /// you can call this again from there.
    ///
    /// # Errors
    /// [`ProjectError`].
    async fn advance(
        &mut self,
        events: &[Envelope],
        skipped: &Skipped,
    ) -> Result<Written, ProjectError>;
}

/// A stream could not be updated in a read model. Nothing is lost: the messages are delivered again, and the log keeps
/// the events.
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
        /// The reason.
        source: DecodeError,
    },
    /// An event contradicts the events before it.
    #[error(transparent)]
    Inapplicable(#[from] Inapplicable),
    /// A row cannot be written as JSON.
    #[error(transparent)]
    Encode(#[from] crate::EncodeError),
    /// The row's key in the list is invalid.
    #[error("the row cannot be listed: {0}")]
    Unlisted(#[from] InvalidId),
    /// The read model's code panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
    /// A message announces events that the log does not have.
    #[error("a message announces version {announced} of {stream}, and the log ends at {found}")]
    NotInLog {
        /// The stream.
        stream: StreamId,
        /// The announced version.
        announced: Version,
        /// The last version in the log.
        found: Version,
    },
    /// Other projectors kept changing the stream's position.
    #[error("other projectors kept changing the position of {0}")]
    Contention(StreamId),
    /// The quarantine failed.
    #[error(transparent)]
    Quarantine(#[from] QuarantineError),
    /// An event cannot be applied, and the quarantine failed, so it is unknown whether the event was skipped.
    #[error("{cause}; and the skips of the stream cannot be read: {source}")]
    SkipUnknown {
        /// Why the event cannot be applied.
        cause: Box<Self>,
        /// Why its skip cannot be read.
        source: QuarantineError,
    },
}

impl ProjectError {
    /// Whether the error concerns only this stream and is permanent: an event, a row, the stream or the code that reads
    /// it needs a fix. Any other error may be gone at the next attempt.
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

    /// The version of the event that caused the error, if an event did.
    pub const fn version(&self) -> Option<Version> {
        match self {
            Self::Event { version, .. } | Self::Inapplicable(Inapplicable { version, .. }) => {
                Some(*version)
            }
            _ => None,
        }
    }
}

/// An event contradicts the events before it: the read model's code or the history is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("version {version} of {stream} cannot be applied: {reason}")]
pub struct Inapplicable {
    /// The stream.
    pub stream: StreamId,
    /// The event's version.
    pub version: Version,
    /// The contradiction.
    pub reason: String,
}
