use std::{sync::Arc, time::Duration};

use futures::{StreamExt, TryStreamExt, stream};

use super::first_page::FirstPage;
use crate::{
    StreamId,
    ports::{Clock, EventReader, Quarantine, Skips},
    project::{Comparison, ProjectError, Verdict, Verifiable},
};

/// How many streams are compared at a time.
const CONCURRENT_STREAMS: usize = 8;

/// Holds the read models of some projections against the log, which is read once for all of them.
#[derive(Clone)]
pub struct Reconciler {
    models: Vec<UnderAudit>,
    log: Arc<dyn EventReader>,
    clock: Arc<dyn Clock>,
    grace: Duration,
}

#[derive(Clone)]
struct UnderAudit {
    projection: &'static str,
    model: Arc<dyn Verifiable>,
    skips: Arc<dyn Skips>,
    quarantine: Option<Arc<dyn Quarantine>>,
}

/// A stream with the result for one read model.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The projection whose model it is.
    pub projection: &'static str,
    /// The stream.
    pub stream: StreamId,
    /// How the model stands to it.
    pub comparison: Comparison,
}

impl Reconciler {
    /// A reconciler without models. A late stream is compared again after `grace`, and only counts if it has not
    /// reached its former end by then.
    pub fn new(log: Arc<dyn EventReader>, clock: Arc<dyn Clock>, grace: Duration) -> Self {
        Self { models: Vec::new(), log, clock, grace }
    }

    /// The same, of this projection's model too, which need not have the events that were skipped.
    #[must_use]
    pub fn of(
        self,
        projection: &'static str,
        model: Arc<dyn Verifiable>,
        skips: Arc<dyn Skips>,
    ) -> Self {
        self.with(UnderAudit { projection, model, skips, quarantine: None })
    }

    /// The same, also for this projection's model, with parked streams reported as such.
    #[must_use]
    pub fn of_parking(
        self,
        projection: &'static str,
        model: Arc<dyn Verifiable>,
        skips: Arc<dyn Skips>,
        quarantine: Arc<dyn Quarantine>,
    ) -> Self {
        self.with(UnderAudit { projection, model, skips, quarantine: Some(quarantine) })
    }

    fn with(mut self, model: UnderAudit) -> Self {
        self.models.push(model);
        self
    }

    /// Compares these streams in every model, stream by stream, in the order in which both were given.
    /// The models and the log may move meanwhile.
    ///
    /// # Errors
    /// [`ProjectError`] where the log or a read table fails.
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
            .map(|finding| self.look_again(finding))
            .buffered(CONCURRENT_STREAMS)
            .try_collect()
            .await
    }

    /// Compares one stream in every model.
    async fn compare(&self, stream: &StreamId) -> Result<Vec<Finding>, ProjectError> {
        let log = FirstPage::of(stream, &*self.log);
        let mut findings = Vec::with_capacity(self.models.len());
        for model in &self.models {
            let mut finding = model.compare(stream, &log).await?;
            // The page was read for another model. This model's row may have moved on since.
            if finding.comparison.verdict != Verdict::Current {
                finding = model.compare(stream, &*self.log).await?;
            }
            findings.push(finding);
        }
        Ok(findings)
    }

    /// Compares a late stream once more.
    async fn look_again(&self, seen: Finding) -> Result<Finding, ProjectError> {
        let model = self.models.iter().find(|model| model.projection == seen.projection);
        let (Some(model), true) = (model, seen.comparison.is_late()) else { return Ok(seen) };
        let mut again = model.compare(&seen.stream, &*self.log).await?;
        // A busy stream is always a little behind. Only events from before the wait count.
        if again.comparison.is_late() && again.comparison.stored >= Some(seen.comparison.head) {
            again.comparison.verdict = Verdict::Current;
        }
        Ok(again)
    }
}

impl UnderAudit {
    async fn compare(
        &self,
        stream: &StreamId,
        log: &dyn EventReader,
    ) -> Result<Finding, ProjectError> {
        let comparison = self.model.compare(stream, log, &*self.skips).await?;
        let comparison = comparison.or_parked(stream, self.quarantine.as_deref()).await?;
        Ok(Finding { projection: self.projection, stream: stream.clone(), comparison })
    }
}

/// How many streams there are of each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Compared at all.
    pub streams: u64,
    /// Without a row or memo.
    pub lost: u64,
    /// With other content than the fold.
    pub diverged: u64,
    /// Right up to a version that is not the last.
    pub behind: u64,
    /// Beyond the end of their stream.
    pub ahead: u64,
    /// Not to be read or folded.
    pub unreadable: u64,
    /// Parked, and waiting for somebody to mend the cause.
    pub parked: u64,
    /// Events that were skipped. Their streams are right without them.
    pub skipped: u64,
}

impl Summary {
    /// Counts a stream.
    pub fn add(&mut self, comparison: &Comparison) {
        self.streams += 1;
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

    /// How many are not as they should be, without anybody knowing: all but those that are current or
    /// parked.
    pub const fn wrong(&self) -> u64 {
        let Self { lost, diverged, behind, ahead, unreadable, .. } = *self;
        lost + diverged + behind + ahead + unreadable
    }

    /// Whether every stream is current.
    pub const fn is_clean(&self) -> bool {
        self.wrong() + self.parked == 0
    }
}
