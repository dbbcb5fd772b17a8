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

/// How often a subject is looked at, and a record changed, while others keep changing it.
const BACKOFF: Backoff = Backoff {
    attempts: 10,
    wait: ExponentialWait::new(Duration::from_millis(5), Duration::from_millis(200)),
};

/// An observer of a build, for example a progress bar.
pub type Observer<'a> = &'a (dyn Fn(Step) + Send + Sync);

/// Builds the reservations of a category's streams from the log, and corrects those that are wrong.
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
    /// How many reservations this call corrected.
    pub corrected: u64,
    /// How many faults the build had to leave, also before it was cut short.
    pub left: u64,
    /// The first of those that this call met.
    pub findings: Vec<Finding>,
    /// The revision of the claims for which the reservations are complete now, if they are.
    pub complete: Option<u32>,
}

/// A build under way, in this call.
struct Work<'a> {
    builder: &'a ClaimsBuilder,
    category: &'a Category,
    pace: RateLimit<'a>,
    observer: Observer<'a>,
    /// Segments change one record: they take turns, so that only another build is in their way.
    turn: AsyncMutex<()>,
    done: Mutex<Built>,
}

impl ClaimsBuilder {
    /// A builder of the reservations that the inspector examines.
    pub fn new(inspector: Inspector, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { inspector, clock, random }
    }

    /// Walks all streams of the category and reserves the keys that they own. Then it walks all reservations and
    /// removes those whose stream does not own the key. If no fault is left, it records the reservations as complete.
    ///
    /// Commands and other builds may run at the same time. Progress is recorded page by page, so an interrupted build
    /// goes on from there.
    ///
    /// # Errors
    /// [`ClaimsError`]; what was corrected before stands.
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
    /// Begins a build, or finds one with the same revision of the claims that was cut short.
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

    /// Goes through the segments of a walk that are not done.
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
            let (category, progress) = (self.category.clone(), progress.clone());
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
                // Another build has been through all of this walk, and gone on.
                return Ok(());
            }
            observe(&progress);
        }
        Ok(())
    }

    /// Corrects the subjects of a page, and answers with how many faults had to be left.
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

    /// Corrects the faults of a subject, and returns those that remain: faults that look the same twice and that only
    /// people can settle, and faults of a subject that others keep changing.
    async fn correct(&self, subject: &Subject) -> Result<Vec<Finding>, ClaimsError> {
        let Self { builder: ClaimsBuilder { inspector, clock, random }, .. } = self;
        let mut before = Vec::new();
        for attempt in 0..BACKOFF.attempts {
            BACKOFF.wait(attempt, &**clock, &**random).await;
            let findings = inspector.look(subject).await?;
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
        Ok(inspector.look(subject).await?)
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

    /// Changes the record, unless the change has nothing to change, and answers with the record as it
    /// is then.
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
    /// Others have changed the key or its stream meanwhile.
    Overtaken,
    /// The log asks for none.
    Impossible,
}
