use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Page, Random, ReadStoreError, Resume, Segment, Written};
use crate::{
    StreamId,
    vocabulary::{Generations, RecordCopy},
};

/// The number of copies of a record. A reader reads one of them, so they take 16 times as many reads as one item.
///
/// A change marks all copies, so all programs of a context must agree on the number. A program with more copies would
/// read some that others do not mark.
const COPIES: u8 = 16;

/// A copy of a record, by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CopyIndex(u8);

impl CopyIndex {
    /// All copies of a record.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..COPIES).map(Self)
    }

    /// A random copy. Each one is equally likely, because 256 is a multiple of the number of copies.
    pub fn draw(random: &dyn Random) -> Self {
        let mut byte = [0];
        random.fill(&mut byte);
        let [byte] = byte;
        Self(byte % COPIES)
    }

    /// The index, from 0.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// The record of a projection's generations, for a function that only reads it. Use
/// [`RecordReader`](crate::generations::RecordReader), which knows when a copy may be used.
#[async_trait]
pub trait GenerationReader: Send + Sync {
    /// The record of a projection, strongly consistent; `None` before the first one.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn read(&self, projection: &str) -> Result<Option<Generations>, ReadStoreError>;

    /// A copy of the record, strongly consistent; `None` before the first write of this copy.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn read_copy(
        &self,
        projection: &str,
        copy: CopyIndex,
    ) -> Result<Option<RecordCopy>, ReadStoreError>;
}

/// The records of generations with their copies, and the progress of filling a generation.
#[async_trait]
pub trait GenerationStore: GenerationReader {
    /// Replaces the record that this one was made from, whose number is one less. The first record is stored only if
    /// there is none yet. Superseded if another record is stored.
    ///
    /// Write a record with another layout only through [`generations::change`](crate::generations::change), which keeps
    /// readers from using outdated copies.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn write(&self, projection: &str, new: &Generations) -> Result<Written, ReadStoreError>;

    /// Replaces a copy, if the new one [may replace](RecordCopy::replaces) the stored one. Superseded if it may not.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn write_copy(
        &self,
        projection: &str,
        copy: CopyIndex,
        new: &RecordCopy,
    ) -> Result<Written, ReadStoreError>;

    /// The progress of a run's segments, by index; strongly consistent. Segments without recorded progress are missing.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn progress(
        &self,
        projection: &str,
        run: u64,
    ) -> Result<Vec<SegmentProgress>, ReadStoreError>;

    /// Records the progress of a segment in a run.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn save(
        &self,
        projection: &str,
        run: u64,
        progress: &SegmentProgress,
    ) -> Result<(), ReadStoreError>;

    /// Deletes the progress of all segments in a run.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn forget(&self, projection: &str, run: u64) -> Result<(), ReadStoreError>;
}

/// The progress of a walk through a segment of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentProgress {
    /// The segment's index, from 0.
    pub index: u32,
    /// The number of segments.
    pub of: u32,
    /// The number of its streams that are done.
    pub streams: u64,
    /// The number of these that failed.
    pub failed: u64,
    /// The place to continue at.
    pub at: SegmentPlace,
}

/// A place in a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SegmentPlace {
    /// The beginning of the segment.
    Start,
    /// The beginning of a page.
    Page(Resume),
    /// The end of the segment.
    End,
}

impl SegmentProgress {
    /// The progress before anything of the segment is done.
    pub const fn start(segment: Segment) -> Self {
        let (index, of) = (segment.index(), segment.of());
        Self { index, of, streams: 0, failed: 0, at: SegmentPlace::Start }
    }

    /// The place of the next page: `Some(None)` for the first page, `None` at the end of the segment.
    pub fn from(&self) -> Option<Option<Resume>> {
        match &self.at {
            SegmentPlace::Start => Some(None),
            SegmentPlace::Page(resume) => Some(Some(resume.clone())),
            SegmentPlace::End => None,
        }
    }

    /// The progress after one more page. `failed` is the number of its streams that failed.
    #[must_use]
    pub fn after(self, page: Page<StreamId>, failed: u64) -> Self {
        self.passed(page.items.len(), page.next, failed)
    }

    /// The progress after this many more items. `failed` is the number of failures among them.
    #[must_use]
    pub fn passed(self, pieces: usize, next: Option<Resume>, failed: u64) -> Self {
        let done = u64::try_from(pieces).unwrap_or(u64::MAX);
        Self {
            streams: self.streams.saturating_add(done),
            failed: self.failed.saturating_add(failed),
            at: next.map_or(SegmentPlace::End, SegmentPlace::Page),
            ..self
        }
    }
}
