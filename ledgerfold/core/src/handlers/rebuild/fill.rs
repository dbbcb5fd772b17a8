use std::{num::NonZeroU32, sync::Mutex};

use futures::{StreamExt, TryStreamExt, stream};

use super::{CONCURRENT_STREAMS, FINDINGS, Observer, RebuildError, Rebuilder, Step};
use crate::{
    StreamId,
    ports::{Page, Segment, SegmentProgress},
    project::{ProjectError, Updater},
    vocabulary::Building,
    waiting::RateLimit,
};

/// The parallelism and the speed of a walk through the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The number of segments that are walked concurrently. A resumed fill keeps the segments that it began with.
    pub segments: u32,
    /// The highest number of streams per second in all segments together; `None` for no limit.
    pub streams_per_second: Option<NonZeroU32>,
}

impl Default for Plan {
    /// Eight segments, without a speed limit.
    fn default() -> Self {
        Self { segments: 8, streams_per_second: None }
    }
}

/// The result of a fill, including earlier runs that were interrupted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// The number of processed streams.
    pub streams: u64,
    /// The number of streams that could not be projected.
    pub failed: u64,
    /// The first failed streams of this run, with their reasons.
    pub reasons: Vec<Unfilled>,
}

/// A stream that could not be projected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfilled {
    /// The stream.
    pub stream: StreamId,
    /// The error.
    pub reason: String,
}

/// The shared state of a fill's segments.
struct Work<'a> {
    rebuilder: &'a Rebuilder,
    building: &'a Building,
    updater: Updater,
    pace: RateLimit<'a>,
    observer: Observer<'a>,
    /// The first failed streams. A mutex, because every segment adds its own.
    reasons: Mutex<Vec<Unfilled>>,
}

impl Rebuilder {
    /// Walks all streams of the log, and updates the generation to the end of each. Progress is recorded page by page,
    /// so an interrupted fill resumes from there. A stream that cannot be projected is counted, and the fill continues;
    /// the verification finds the stream.
    ///
    /// # Errors
    /// [`RebuildError`] if a store fails, or the generation is not being built any more.
    pub async fn fill(
        &self,
        building: &Building,
        plan: Plan,
        observer: Observer<'_>,
    ) -> Result<Filled, RebuildError> {
        let work = Work {
            rebuilder: self,
            building,
            updater: self.models.updater(building.generation, &self.ports)?,
            pace: RateLimit::new(plan.streams_per_second, &*self.ports.clock),
            observer,
            reasons: Mutex::default(),
        };
        let segments = self.segments(building, plan).await?;
        let work = &work;
        let done: Vec<_> = stream::iter(segments)
            .map(|(segment, progress)| work.segment(segment, progress))
            .buffer_unordered(usize::MAX)
            .try_collect()
            .await?;
        Ok(Filled {
            streams: done.iter().map(|segment| segment.streams).sum(),
            failed: done.iter().map(|segment| segment.failed).sum(),
            reasons: std::mem::take(&mut *lock(&work.reasons)),
        })
    }

    /// All segments with their recorded progress.
    async fn segments(
        &self,
        building: &Building,
        plan: Plan,
    ) -> Result<Vec<(Segment, SegmentProgress)>, RebuildError> {
        let known = self.generations.progress(self.projection(), building.run).await?;
        let of = known.first().map_or(plan.segments, |progress| progress.of);
        let progress = |segment: Segment| {
            let known = known.iter().find(|progress| progress.index == segment.index());
            (segment, known.cloned().unwrap_or_else(|| SegmentProgress::start(segment)))
        };
        Ok(Segment::split(of).map(progress).collect())
    }
}

impl Work<'_> {
    async fn segment(
        &self,
        segment: Segment,
        mut progress: SegmentProgress,
    ) -> Result<SegmentProgress, RebuildError> {
        (self.observer)(Step::Filled(progress.clone()));
        let Rebuilder { generations, streams, .. } = self.rebuilder;
        while let Some(from) = progress.from() {
            self.rebuilder.still(self.building).await?;
            let mut page = streams.list(segment, from.as_ref()).await?;
            page.items.retain(|stream| self.rebuilder.is_ours(stream));
            let failed = self.page(&page).await?;
            progress = progress.after(page, failed);
            let projection = self.rebuilder.projection();
            generations.save(projection, self.building.run, &progress).await?;
            (self.observer)(Step::Filled(progress.clone()));
        }
        Ok(progress)
    }

    /// Fills the streams of a page, and returns the number of failed ones.
    async fn page(&self, page: &Page<StreamId>) -> Result<u64, RebuildError> {
        self.pace.take(page.items.len()).await;
        let failed: Vec<_> = stream::iter(page.items.iter().cloned())
            .map(|stream| async move { self.stream(&stream).await })
            .buffer_unordered(CONCURRENT_STREAMS)
            .try_filter_map(|unfilled| async { Ok(unfilled) })
            .try_collect()
            .await?;
        let count = u64::try_from(failed.len()).unwrap_or(u64::MAX);
        let mut reasons = lock(&self.reasons);
        let room = FINDINGS.saturating_sub(reasons.len());
        reasons.extend(failed.into_iter().take(room));
        Ok(count)
    }

    async fn stream(&self, stream: &StreamId) -> Result<Option<Unfilled>, RebuildError> {
        match self.catch_up(stream).await {
            Err(error) if error.is_lasting() => {
                Ok(Some(Unfilled { stream: stream.clone(), reason: error.to_string() }))
            }
            outcome => Ok(outcome.map(|()| None)?),
        }
    }

    async fn catch_up(&self, stream: &StreamId) -> Result<(), ProjectError> {
        let head = self.rebuilder.ports.log.head(stream).await?;
        self.updater.catch_up_to(stream, head).await.map(drop)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
