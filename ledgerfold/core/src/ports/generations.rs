use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Page, ReadStoreError, Resume, Segment, Written};
use crate::{StreamId, vocabulary::Generations};

/// The record of a projection's generations, for a function that reads it.
#[async_trait]
pub trait GenerationReader: Send + Sync {
    /// The record of a projection, strongly consistent; `None` before the first one.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn read(&self, projection: &str) -> Result<Option<Generations>, ReadStoreError>;
}

/// The records of generations, and the progress of filling one.
#[async_trait]
pub trait GenerationStore: GenerationReader {
    /// Puts a record in the place of the one it was made from, whose number is one less; the first
    /// record, where there is none. Superseded where another one is there.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn write(&self, projection: &str, new: &Generations) -> Result<Written, ReadStoreError>;

    /// How far each segment has come in a run, by its index; strongly consistent. Segments of which
    /// nothing was recorded are not there.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn progress(
        &self,
        projection: &str,
        run: u64,
    ) -> Result<Vec<SegmentProgress>, ReadStoreError>;

    /// Records how far a segment has come in a run.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn save(
        &self,
        projection: &str,
        run: u64,
        progress: &SegmentProgress,
    ) -> Result<(), ReadStoreError>;

    /// Forgets how far the segments of a run have come.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn forget(&self, projection: &str, run: u64) -> Result<(), ReadStoreError>;
}

/// How far a segment of the log has been gone through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentProgress {
    /// Which segment, from 0.
    pub index: u32,
    /// Of how many.
    pub of: u32,
    /// How many streams of it are done.
    pub streams: u64,
    /// How many of these could not be done.
    pub failed: u64,
    /// Where to go on.
    pub at: SegmentPlace,
}

/// A place in a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SegmentPlace {
    /// Its beginning.
    Start,
    /// A page of it.
    Page(Resume),
    /// Its end.
    End,
}

impl SegmentProgress {
    /// Nothing of a segment is done.
    pub const fn start(segment: Segment) -> Self {
        let (index, of) = (segment.index(), segment.of());
        Self { index, of, streams: 0, failed: 0, at: SegmentPlace::Start }
    }

    /// Where the next page begins, if there is one.
    pub fn from(&self) -> Option<Option<Resume>> {
        match &self.at {
            SegmentPlace::Start => Some(None),
            SegmentPlace::Page(resume) => Some(Some(resume.clone())),
            SegmentPlace::End => None,
        }
    }

    /// With a page more, of which so many streams could not be done.
    #[must_use]
    pub fn after(self, page: Page<StreamId>, failed: u64) -> Self {
        self.passed(page.items.len(), page.next, failed)
    }

    /// With so many pieces more, of which so many could not be done.
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
