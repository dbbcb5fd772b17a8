use std::sync::{Arc, Mutex};

use futures::{StreamExt, TryStreamExt, stream};

use super::{CONCURRENT_STREAMS, FINDINGS, Observer, Plan, RebuildError, Rebuilder, Step};
use crate::{
    StreamId, Version,
    ports::{Page, Segment, SegmentProgress, Skip, Written},
    project::{Comparison, ProjectError, ProjectorPorts, Updater, Verdict, Verifiable},
    reconcile::{Counters, CountersVerdict, Finding, Summary},
    vocabulary::{Building, Generations, InvalidChange},
    waiting::RateLimit,
};

/// The result of a verification. A switch requires it.
#[derive(Clone, Debug)]
pub struct Verified {
    record: Generations,
    summary: Summary,
    findings: Vec<Finding>,
    skipped: Vec<Skip>,
    counters: Option<CountersVerdict>,
    accepted: bool,
}

impl Verified {
    /// The number of streams by verdict.
    pub const fn summary(&self) -> Summary {
        self.summary
    }

    /// The first wrong streams.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The first events that the generation lacks because an operator has skipped them.
    pub fn skipped(&self) -> &[Skip] {
        &self.skipped
    }

    /// The verdict on the counters, if the model has counters. Counters that changed during the verification prove
    /// nothing. They do not prevent a switch, because the memo of every stream was verified, and it is written together
    /// with the counters.
    pub const fn counters(&self) -> Option<&CountersVerdict> {
        self.counters.as_ref()
    }

    /// The number of wrong streams and counters.
    pub fn wrong(&self) -> u64 {
        let counters = match &self.counters {
            Some(CountersVerdict::Differ(differences)) => differences.len().max(1),
            _ => 0,
        };
        self.summary.wrong().saturating_add(u64::try_from(counters).unwrap_or(u64::MAX))
    }

    /// The same result, accepted in spite of its findings. Use it if the live generation is no better, for example if
    /// no model can read some stream.
    #[must_use]
    pub fn accepted(self) -> Self {
        Self { accepted: true, ..self }
    }

    pub(super) const fn is_accepted(&self) -> bool {
        self.accepted
    }

    /// The record of the generations when the verification began.
    pub(super) const fn record(&self) -> &Generations {
        &self.record
    }

    pub(super) fn building(&self) -> Result<&Building, InvalidChange> {
        self.record.building().ok_or(InvalidChange::NotBuilding)
    }
}

/// The shared state of a verification's segments.
struct Work<'a> {
    rebuilder: &'a Rebuilder,
    model: Arc<dyn Verifiable>,
    updater: Updater,
    pace: RateLimit<'a>,
    observer: Observer<'a>,
    /// The result so far. A mutex, because every segment adds its findings.
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    summary: Summary,
    findings: Vec<Finding>,
    skipped: Vec<Skip>,
    counters: Option<Counters>,
}

impl Rebuilder {
    /// Compares the generation with a fresh fold of every stream, and updates late streams. Also compares the counters
    /// with the sum of all streams. An interrupted verification has no result: start it again.
    ///
    /// # Errors
    /// [`RebuildError`] if a store fails, or the generation is not being built any more. A difference is not an error:
    /// it is in the result.
    pub async fn verify(
        &self,
        building: &Building,
        plan: Plan,
        observer: Observer<'_>,
    ) -> Result<Verified, RebuildError> {
        let record = self.without_missed_event(building).await?;
        let model = self.models.open(building.generation)?;
        let found = Found { counters: Counters::begin(&*model).await?, ..Found::default() };
        let work = Work {
            rebuilder: self,
            model: model.clone(),
            updater: self.models.updater(building.generation, &self.ports)?,
            pace: RateLimit::new(plan.streams_per_second, &*self.ports.clock),
            observer,
            found: Mutex::new(found),
        };
        let shared = &work;
        stream::iter(Segment::split(plan.segments))
            .map(|segment| shared.segment(segment))
            .buffer_unordered(usize::MAX)
            .try_collect::<Vec<()>>()
            .await?;
        let Found { summary, findings, skipped, counters } =
            work.found.into_inner().unwrap_or_default();
        let counters = match counters {
            Some(counters) => Some(counters.end(&*model, &*self.ports.clock).await?),
            None => None,
        };
        Ok(Verified { record, summary, findings, skipped, counters, accepted: false })
    }

    /// The record without a missed event. Any missed event from now on changes the record, so the switch notices it.
    async fn without_missed_event(&self, building: &Building) -> Result<Generations, RebuildError> {
        loop {
            let record = self.still(building).await?;
            if record.building().is_some_and(|building| building.missed.is_none()) {
                return Ok(record);
            }
            let cleared = record.without_missed_event()?;
            if self.write(&cleared).await? == Written::Done {
                return Ok(cleared);
            }
        }
    }
}

impl Work<'_> {
    async fn segment(&self, segment: Segment) -> Result<(), RebuildError> {
        let mut progress = SegmentProgress::start(segment);
        while let Some(from) = progress.from() {
            let mut page = self.rebuilder.streams.list(segment, from.as_ref()).await?;
            page.items.retain(|stream| self.rebuilder.is_ours(stream));
            let wrong = self.page(&page).await?;
            progress = progress.after(page, wrong);
            (self.observer)(Step::Verified(progress.clone()));
        }
        Ok(())
    }

    async fn page(&self, page: &Page<StreamId>) -> Result<u64, RebuildError> {
        self.pace.take(page.items.len()).await;
        let findings: Vec<_> = stream::iter(page.items.iter().cloned())
            .map(|stream| self.finding(stream))
            .buffer_unordered(CONCURRENT_STREAMS)
            .try_collect()
            .await?;
        let mut found = self.found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(findings.into_iter().map(|finding| u64::from(found.add(finding))).sum())
    }

    async fn finding(&self, stream: StreamId) -> Result<Finding, ProjectError> {
        let comparison = self.stream(&stream).await?;
        Ok(Finding { projection: self.rebuilder.projection(), stream, comparison })
    }

    /// Compares one stream. A late stream is updated to the end that it had at the comparison, and compared again.
    async fn stream(&self, stream: &StreamId) -> Result<Comparison, ProjectError> {
        let first = self.compare(stream).await?;
        if !first.is_late() {
            return Ok(first);
        }
        let due = first.head;
        match self.updater.catch_up_to(stream, due).await {
            Err(error) if error.is_lasting() => return Ok(first),
            outcome => drop(outcome?),
        }
        let mut again = self.compare(stream).await?;
        let reached = again.stored.unwrap_or(Version::NONE) >= due;
        if again.verdict == Verdict::Behind && reached {
            again.verdict = Verdict::Current;
        }
        Ok(again)
    }

    async fn compare(&self, stream: &StreamId) -> Result<Comparison, ProjectError> {
        let ProjectorPorts { log, skips, .. } = &self.rebuilder.ports;
        self.model.compare(stream, &**log, &**skips).await
    }
}

impl Found {
    /// Adds a finding, and returns whether the stream is wrong.
    fn add(&mut self, finding: Finding) -> bool {
        self.summary.add(&finding.comparison);
        if let Some(counters) = &mut self.counters {
            counters.add(&finding.stream, &finding.comparison);
        }
        let room = FINDINGS.saturating_sub(self.skipped.len());
        self.skipped.extend(finding.comparison.skipped.iter().take(room).cloned());
        let wrong = finding.comparison.verdict != Verdict::Current;
        if wrong && self.findings.len() < FINDINGS {
            self.findings.push(finding);
        }
        wrong
    }
}
