use std::{sync::Arc, time::Duration};

use futures::{StreamExt, TryStreamExt, stream};

use super::pages::{PageBudget, Pages};
use crate::{
    Category, StreamId,
    ports::{Clock, EventReader, Quarantine, Skips},
    project::{Comparison, Extent, ProjectError, Verdict, Verifiable},
};

/// How many streams are compared concurrently.
const CONCURRENT_STREAMS: usize = 8;

/// Compares the read models of some projections with the log. Each stream is read once for all models.
#[derive(Clone)]
pub struct Reconciler {
    models: Vec<ComparedModel>,
    log: Arc<dyn EventReader>,
    clock: Arc<dyn Clock>,
    grace: Duration,
    /// Shared by all comparisons of a spot check. `None` without a limit.
    budget: Option<Arc<PageBudget>>,
}

/// A read model with the ports that its comparison needs.
#[derive(Clone)]
struct ComparedModel {
    projection: &'static str,
    model: Arc<dyn Verifiable>,
    skips: Arc<dyn Skips>,
    quarantine: Option<Arc<dyn Quarantine>>,
    /// The category of the streams that the model reads; `None` if it reads all.
    category: Option<Category>,
}

/// A stream with the result for one read model.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The projection.
    pub projection: &'static str,
    /// The stream.
    pub stream: StreamId,
    /// The comparison of the model with the stream.
    pub comparison: Comparison,
}

impl Reconciler {
    /// A reconciler without models. A late stream is compared again after `grace`, and is reported only if it has not
    /// reached its former end by then.
    pub fn new(log: Arc<dyn EventReader>, clock: Arc<dyn Clock>, grace: Duration) -> Self {
        Self { models: Vec::new(), log, clock, grace, budget: None }
    }

    /// Adds this projection's model. It may lack the skipped events.
    #[must_use]
    pub fn of(
        self,
        projection: &'static str,
        model: Arc<dyn Verifiable>,
        skips: Arc<dyn Skips>,
    ) -> Self {
        self.with(ComparedModel { projection, model, skips, quarantine: None, category: None })
    }

    /// Adds this projection's model, and reports quarantined streams as parked.
    #[must_use]
    pub fn of_parking(
        self,
        projection: &'static str,
        model: Arc<dyn Verifiable>,
        skips: Arc<dyn Skips>,
        quarantine: Arc<dyn Quarantine>,
    ) -> Self {
        let quarantine = Some(quarantine);
        self.with(ComparedModel { projection, model, skips, quarantine, category: None })
    }

    /// Limits the model that was added last to the streams of this category, or removes the limit with `None`.
    #[must_use]
    pub fn only(mut self, category: impl Into<Option<Category>>) -> Self {
        if let Some(last) = self.models.last_mut() {
            last.category = category.into();
        }
        self
    }

    /// Compares only the ends of streams that have more pages than this budget.
    #[must_use]
    pub(super) fn within(self, budget: Arc<PageBudget>) -> Self {
        Self { budget: Some(budget), ..self }
    }

    fn with(mut self, model: ComparedModel) -> Self {
        self.models.push(model);
        self
    }

    /// Compares these streams in every model that reads them. The findings are in the order of the streams, and per stream in the order
    /// of the models. The models and the log may change meanwhile.
    ///
    /// # Errors
    /// [`ProjectError`] if the log or a read table fails.
    pub async fn examine(&self, streams: &[StreamId]) -> Result<Vec<Finding>, ProjectError> {
        let findings: Vec<_> = stream::iter(streams.iter().cloned())
            .map(|stream| async move { self.compare(&stream).await })
            .buffered(CONCURRENT_STREAMS)
            .try_collect()
            .await?;
        let findings: Vec<_> = findings.into_iter().flatten().collect();
        if self.grace.is_zero() || !findings.iter().any(|finding| finding.comparison.is_late()) {
            return Ok(findings);
        }
        self.clock.sleep(self.grace).await;
        stream::iter(findings)
            .map(|finding| self.compare_again(finding))
            .buffered(CONCURRENT_STREAMS)
            .try_collect()
            .await
    }

    /// Compares one stream in every model that reads it.
    async fn compare(&self, stream: &StreamId) -> Result<Vec<Finding>, ProjectError> {
        let models: Vec<_> = self.models.iter().filter(|model| model.reads(stream)).collect();
        if models.is_empty() {
            return Ok(Vec::new());
        }
        let pages = Pages::read(stream, &*self.log, self.budget.as_deref()).await;
        let extent = pages.extent();
        let mut findings = Vec::with_capacity(models.len());
        for model in models {
            let mut finding = model.compare(stream, &pages, extent).await?;
            // The pages were read before the row, which may be newer.
            if finding.comparison.verdict != Verdict::Current {
                finding = model.compare(stream, &*self.log, extent).await?;
            }
            findings.push(finding);
        }
        Ok(findings)
    }

    /// Compares a late stream once more.
    async fn compare_again(&self, seen: Finding) -> Result<Finding, ProjectError> {
        let model = self.models.iter().find(|model| model.projection == seen.projection);
        let (Some(model), true) = (model, seen.comparison.is_late()) else { return Ok(seen) };
        let mut again = model.compare(&seen.stream, &*self.log, seen.comparison.extent).await?;
        // A busy stream is always a little behind. Only events from before the wait count.
        if again.comparison.is_late() && again.comparison.stored >= Some(seen.comparison.head) {
            again.comparison.verdict = Verdict::Current;
        }
        Ok(again)
    }
}

impl ComparedModel {
    fn reads(&self, stream: &StreamId) -> bool {
        self.category.as_ref().is_none_or(|category| category == stream.category())
    }

    async fn compare(
        &self,
        stream: &StreamId,
        log: &dyn EventReader,
        extent: Extent,
    ) -> Result<Finding, ProjectError> {
        let comparison = match extent {
            Extent::Whole => self.model.compare(stream, log, &*self.skips).await?,
            Extent::End => self.model.compare_end(stream, log).await?,
        };
        let comparison = comparison.or_parked(stream, self.quarantine.as_deref()).await?;
        Ok(Finding { projection: self.projection, stream: stream.clone(), comparison })
    }
}

/// The number of streams by verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Streams that were compared.
    pub streams: u64,
    /// Streams without a row or memo.
    pub lost: u64,
    /// Streams whose row or memo differs from the fold.
    pub diverged: u64,
    /// Streams whose row or memo is correct, but lacks the newest events.
    pub behind: u64,
    /// Streams whose row or memo has a version that the stream has not reached.
    pub ahead: u64,
    /// Streams that cannot be read or folded.
    pub unreadable: u64,
    /// Quarantined streams. They need a fix.
    pub parked: u64,
    /// Skipped events. Their streams are correct without them.
    pub skipped: u64,
    /// Streams of which only the end was compared, because they are too long. They also count by verdict.
    pub partial: u64,
}

impl Summary {
    /// Counts a stream.
    pub fn add(&mut self, comparison: &Comparison) {
        self.streams += 1;
        self.partial += u64::from(comparison.extent == Extent::End);
        self.skipped += u64::try_from(comparison.skipped.len()).unwrap_or(u64::MAX);
        match comparison.verdict {
            Verdict::Current => {}
            Verdict::Lost => self.lost += 1,
            Verdict::Behind => self.behind += 1,
            Verdict::Diverged => self.diverged += 1,
            Verdict::Ahead => self.ahead += 1,
            Verdict::Unreadable(_) => self.unreadable += 1,
            Verdict::Parked(_) => self.parked += 1,
        }
    }

    /// The number of wrong streams: all except current and quarantined ones. Quarantined streams are known already.
    pub const fn wrong(&self) -> u64 {
        let Self { lost, diverged, behind, ahead, unreadable, .. } = *self;
        lost + diverged + behind + ahead + unreadable
    }

    /// Whether every stream is current.
    pub const fn is_clean(&self) -> bool {
        self.wrong() + self.parked == 0
    }
}
