use async_trait::async_trait;

use super::{Page, Resume, StoreError};
use crate::{StreamId, vocabulary::DamagedToken};

/// The list of a log's streams, for maintenance. Commands and queries never use it.
///
/// It is a port of its own, because it reads the whole log. [`EventReader`](super::EventReader) reads one stream.
#[async_trait]
pub trait Streams: Send + Sync {
    /// Some streams of a segment, each once, in no particular order, from a place on or from the beginning. A page may
    /// be empty and yet have a next one. Streams that begin during the listing may be missing. All older streams are
    /// listed.
    ///
    /// # Errors
    /// [`StreamsError`].
    async fn list(
        &self,
        segment: Segment,
        from: Option<&Resume>,
    ) -> Result<Page<StreamId>, StreamsError>;
}

/// One of several parts of a log. Several parts can be listed at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    index: u32,
    of: u32,
}

impl Segment {
    /// The whole log, in one part.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// All parts of a log that is split into this many: at least one, and at most a million, the limit of a DynamoDB
    /// Scan.
    ///
    /// ```
    /// # use ledgerfold::ports::Segment;
    /// assert_eq!(Segment::split(4).map(|part| part.index()).collect::<Vec<_>>(), [0, 1, 2, 3]);
    /// ```
    pub fn split(parts: u32) -> impl Iterator<Item = Self> + Clone {
        let of = parts.clamp(1, 1_000_000);
        (0..of).map(move |index| Self { index, of })
    }

    /// The part's index, from 0.
    pub const fn index(self) -> u32 {
        self.index
    }

    /// The number of parts.
    pub const fn of(self) -> u32 {
        self.of
    }
}

/// The streams could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum StreamsError {
    /// The place of the page belongs to another log or segment, or was damaged. Begin again.
    #[error("the place of the page {0}")]
    Resume(#[from] DamagedToken),
    /// The log failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
