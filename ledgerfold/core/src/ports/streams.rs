use async_trait::async_trait;

use super::{Page, Resume, StoreError};
use crate::{StreamId, vocabulary::DamagedToken};

/// The list of a log's streams, for maintenance; never on the way of a command or a query.
///
/// A port of its own, because it reads the whole log, whereas [`EventReader`](super::EventReader) reads one stream.
#[async_trait]
pub trait Streams: Send + Sync {
    /// Some streams of a segment, each once, in no particular order, from a place on or from the
    /// beginning. A page may be empty and yet have a next one. Streams that begin while pages are
    /// read may be missing; all that were there before are listed.
    ///
    /// # Errors
    /// [`StreamsError`].
    async fn list(
        &self,
        segment: Segment,
        from: Option<&Resume>,
    ) -> Result<Page<StreamId>, StreamsError>;
}

/// One of several parts that a log is listed in, so that several may list at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    index: u32,
    of: u32,
}

impl Segment {
    /// Everything, in one part.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// All parts of a log that is listed in this many; at least one, and at most a million, the bound
    /// of a DynamoDB Scan.
    ///
    /// ```
    /// # use ledgerfold::ports::Segment;
    /// assert_eq!(Segment::split(4).map(|part| part.index()).collect::<Vec<_>>(), [0, 1, 2, 3]);
    /// ```
    pub fn split(parts: u32) -> impl Iterator<Item = Self> + Clone {
        let of = parts.clamp(1, 1_000_000);
        (0..of).map(move |index| Self { index, of })
    }

    /// Which part it is, from 0.
    pub const fn index(self) -> u32 {
        self.index
    }

    /// Of how many.
    pub const fn of(self) -> u32 {
        self.of
    }
}

/// The streams could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum StreamsError {
    /// The place to begin at is another log's or segment's, or was damaged: begin again.
    #[error("the place to go on from {0}")]
    Resume(#[from] DamagedToken),
    /// The log failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
