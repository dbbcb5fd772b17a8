use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{StreamExt, TryStreamExt, lock::Mutex as AsyncMutex, stream};

use super::{CONCURRENT_SUBJECTS, ClaimsError, FINDINGS, Finding, Inspector, Step, Subject};
use crate::{
    Category,
    ports::{
        ClaimsBuild, ClaimsRecord, Clock, Random, Segment, SegmentProgress, StoreError, Written,
    },
    rebuild::Plan,
    waiting::{Backoff, ExponentialWait, RateLimit},
};

/// The number of attempts to examine a subject or to change a record while others keep changing it.
const BACKOFF: Backoff = Backoff {
    attempts: 10,
    wait: ExponentialWait::new(Duration::from_millis(5), Duration::from_millis(200)),
};

/// An observer of a build, for example a progress bar.
pub type Observer<'a> = &'a (dyn Fn(Step) + Send + Sync);

/// Builds the reservations of a category's streams from the log, and corrects wrong ones.
///
/// ```
/// # use ledgerfold::{Category, claims::{Built, ClaimsBuilder, ClaimsError}, rebuild::Plan};
/// async fn build(builder: &ClaimsBuilder, accounts: &Category) -> Result<Built, ClaimsError> {
///     builder.build(accounts, Plan::default(), &|step| println!("{step:?}")).await
/// }
/// ```
#[derive(Clone)]
pub struct ClaimsBuilder {
    inspector: Inspector,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// The result of a build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Built {
    /// The number of reservations that this call corrected.
    pub corrected: u64,
    /// The number of faults that the build could not correct, including earlier runs that were interrupted.
    pub left: u64,
    /// The first faults that this call could not correct.
    pub findings: Vec<Finding>,
    /// The revision of the claims for which the reservations are complete now; `None` if they are incomplete.
    pub complete: Option<u32>,
}

/// A running build.
struct Work<'a> {
    builder: &'a ClaimsBuilder,
    category: &'a Category,
    pace: RateLimit<'a>,
    observer: Observer<'a>,
    /// All segments change one record. They take turns, so that only another build can interfere.
    turn: AsyncMutex<()>,
    /// The result so far. A mutex, because every segment adds its corrections and findings.
    done: Mutex<Built>,
}

impl ClaimsBuilder {
    /// A builder of the reservations that the inspector examines.
    pub fn new(inspector: Inspector, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { inspector, clock, random }
    }

    /// Walks all streams of the category and reserves the keys that they own. Then walks all reservations and removes
    /// those whose stream does not own the key. If no fault is left, records the reservations as complete.
    ///
    /// Commands and other builds may run at the same time. Progress is recorded page by page, so an interrupted build
    /// resumes from there.
    ///
    /// # Errors
    /// [`ClaimsError`]; earlier corrections keep their effect.
    pub async fn build(
        &self,
        category: &Category,
        plan: Plan,
        observer: Observer<'_>,
    ) -> Result<Built, ClaimsError> {
        let work = Work {
            builder: self,
            category,
            pace: RateLimit::new(plan.streams_per_second, &*self.clock),
            observer,
            turn: AsyncMutex::default(),
            done: Mutex::default(),
        };
        let mut build = work.begin(plan).await?;
        let run = build.run;
        let mut left = 0;
        loop {
            work.walk(&build).await?;
            let walked = work.change(|_| None).await?;
            left = walked.build().filter(|now| now.run == run).map_or(left, ClaimsBuild::left);
            let record = work.change(|record| record.walked(run, build.walk)).await?;
            match record.build().filter(|now| now.run == run) {
                Some(now) => build = now.clone(),
                None => return Ok(work.end(left, record.complete())),
            }
        }
    }
}

impl Work<'_> {
    /// Begins a build, or resumes an interrupted one with the same revision of the claims.
    async fn begin(&self, plan: Plan) -> Result<ClaimsBuild, ClaimsError> {
        let unknown = || ClaimsError::Undeclared(self.category.clone());
        let claimant = self.builder.inspector.claimants.of(self.category).ok_or_else(unknown)?;
        let revision = claimant.revision;
        let record = self
            .change(|record| match record.build() {
                Some(build) if build.revision == revision => None,
                _ => Some(record.begun(revision, plan.segments)),
            })
            .await?;
        record.build().cloned().ok_or_else(|| ClaimsError::Contention(self.category.clone()))
    }

    fn end(self, left: u64, complete: Option<u32>) -> Built {
        let built = self.done.into_inner().unwrap_or_else(PoisonError::into_inner);
        Built { left: left.max(built.left), complete, ..built }
    }

    /// Walks the segments that are not done yet.
    async fn walk(&self, build: &ClaimsBuild) -> Result<(), ClaimsError> {
        let of = u32::try_from(build.segments.len()).unwrap_or(u32::MAX);
        stream::iter(Segment::split(of).zip(build.segments.iter().cloned()))
            .map(|(segment, progress)| self.segment(build, segment, progress))
            .buffer_unordered(usize::MAX)
            .try_collect()
            .await
    }

    async fn segment(
        &self,
        build: &ClaimsBuild,
        segment: Segment,
        mut progress: SegmentProgress,
    ) -> Result<(), ClaimsError> {
        let ClaimsBuild { run, walk, .. } = *build;
        let observe = |progress: &SegmentProgress| {
            let category = self.category.clone();
            let progress = progress.clone();
            (self.observer)(Step { category, walk, progress });
        };
        observe(&progress);
        while let Some(from) = progress.from() {
            let place = (walk, segment);
            let (subjects, next) =
                self.builder.inspector.list(self.category, place, from.as_ref()).await?;
            let failed = self.page(&subjects).await?;
            progress = progress.passed(subjects.len(), next, failed);
            let record = self.change(|record| record.progressed(run, walk, &progress)).await?;
            if !record.build().is_some_and(|now| now.is_at(run, walk)) {
                // Another build has finished this walk.
                return Ok(());
            }
            observe(&progress);
        }
        Ok(())
    }

    /// Corrects the subjects of a page, and returns the number of faults that are left.
    async fn page(&self, subjects: &[Subject]) -> Result<u64, ClaimsError> {
        self.pace.take(subjects.len()).await;
        let left: Vec<_> = stream::iter(subjects)
            .map(|subject| self.correct(subject))
            .buffer_unordered(CONCURRENT_SUBJECTS)
            .try_concat()
            .await?;
        let count = u64::try_from(left.len()).unwrap_or(u64::MAX);
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.left = done.left.saturating_add(count);
        let room = FINDINGS.saturating_sub(done.findings.len());
        done.findings.extend(left.into_iter().take(room));
        Ok(count)
    }

    /// Corrects the faults of a subject, and returns the remaining ones. A fault remains if it was seen twice unchanged
    /// and needs an operator's decision, or if others keep changing the subject.
    async fn correct(&self, subject: &Subject) -> Result<Vec<Finding>, ClaimsError> {
        let Self { builder: ClaimsBuilder { inspector, clock, random }, .. } = self;
        let mut before = Vec::new();
        for attempt in 0..BACKOFF.attempts {
            BACKOFF.wait(attempt, &**clock, &**random).await;
            let findings = inspector.examine(subject).await?;
            let mut left = Vec::new();
            let mut overtaken = false;
            for finding in findings {
                match self.apply(&finding).await? {
                    Applied::Done => {}
                    Applied::Overtaken => overtaken = true,
                    Applied::Impossible => left.push(finding),
                }
            }
            if !overtaken && (left.is_empty() || left == before) {
                return Ok(left);
            }
            before = left;
        }
        Ok(inspector.examine(subject).await?)
    }

    async fn apply(&self, finding: &Finding) -> Result<Applied, StoreError> {
        let Some((key, correction)) = finding.correction() else {
            return Ok(Applied::Impossible);
        };
        match self.builder.inspector.reservations.correct(key, &correction).await? {
            Written::Superseded => Ok(Applied::Overtaken),
            Written::Done => {
                let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
                done.corrected = done.corrected.saturating_add(1);
                Ok(Applied::Done)
            }
        }
    }

    /// Changes the record, and returns the new record. If `change` returns `None`, the record stays as it is.
    async fn change(
        &self,
        change: impl Fn(&ClaimsRecord) -> Option<ClaimsRecord>,
    ) -> Result<ClaimsRecord, ClaimsError> {
        let Self { builder: ClaimsBuilder { inspector, clock, random }, category, .. } = self;
        let reservations = &inspector.reservations;
        let _turn = self.turn.lock().await;
        for attempt in 0..BACKOFF.attempts {
            BACKOFF.wait(attempt, &**clock, &**random).await;
            let seen = reservations.read_record(category).await?;
            let Some(new) = change(&seen) else { return Ok(seen) };
            if reservations.write_record(category, &new).await? == Written::Done {
                return Ok(new);
            }
        }
        Err(ClaimsError::Contention((*category).clone()))
    }
}

/// The result of a correction.
enum Applied {
    Done,
    /// The key or its stream was changed meanwhile.
    Overtaken,
    /// There is no correction: an operator must decide.
    Impossible,
}
