use std::{sync::Arc, time::Duration};

use futures::{StreamExt, TryStreamExt, stream};

use super::compare::{Audited, Comparison, Verdict};
use crate::{
    StreamId, Version,
    ports::{Clock, EventStore, Quarantine},
    project::ProjectError,
};

/// How many streams are compared at a time.
const CONCURRENT_STREAMS: usize = 8;

/// Holds a read model against the log.
#[derive(Clone)]
pub struct Auditor {
    model: Arc<dyn Audited>,
    log: Arc<dyn EventStore>,
    clock: Arc<dyn Clock>,
    grace: Duration,
    quarantine: Option<Arc<dyn Quarantine>>,
}

/// A stream with what the audit has found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The stream.
    pub stream: StreamId,
    /// How the model stands to it.
    pub comparison: Comparison,
}

impl Finding {
    /// How many events the model lacks.
    pub fn missing(&self) -> u64 {
        let stored = self.comparison.stored.unwrap_or(Version::NONE);
        self.comparison.head.get().saturating_sub(stored.get())
    }
}

impl Auditor {
    /// An auditor of this model. What is behind is looked at again after `grace`, and only counts if
    /// it has not reached by then where its stream was before.
    pub fn new(
        model: Arc<dyn Audited>,
        log: Arc<dyn EventStore>,
        clock: Arc<dyn Clock>,
        grace: Duration,
    ) -> Self {
        Self { model, log, clock, grace, quarantine: None }
    }

    /// The same, telling apart what stands parked in this quarantine.
    #[must_use]
    pub fn with_quarantine(self, quarantine: Arc<dyn Quarantine>) -> Self {
        Self { quarantine: Some(quarantine), ..self }
    }

    /// Compares these streams. The model and the log may move meanwhile.
    ///
    /// # Errors
    /// [`ProjectError`] where the log or the read table fails.
    pub async fn examine(&self, streams: &[StreamId]) -> Result<Vec<Finding>, ProjectError> {
        let mut findings = self.compare(streams).await?;
        let late: Vec<_> = findings
            .iter()
            .enumerate()
            .filter(|(_, finding)| finding.is_late())
            .map(|(at, finding)| (at, finding.stream.clone(), finding.comparison.head))
            .collect();
        if late.is_empty() || self.grace.is_zero() {
            return Ok(findings);
        }
        self.clock.sleep(self.grace).await;
        let streams: Vec<_> = late.iter().map(|(_, stream, _)| stream.clone()).collect();
        for ((at, _, due), mut again) in late.into_iter().zip(self.compare(&streams).await?) {
            // A busy stream is always a little behind; what was there before the wait is not.
            if again.is_late() && again.comparison.stored >= Some(due) {
                again.comparison.verdict = Verdict::Current;
            }
            findings[at] = again;
        }
        Ok(findings)
    }

    async fn compare(&self, streams: &[StreamId]) -> Result<Vec<Finding>, ProjectError> {
        stream::iter(streams.iter().cloned())
            .map(|stream| async move {
                let comparison = self.model.compare(&stream, &*self.log).await?;
                let comparison = comparison.or_parked(&stream, self.quarantine.as_deref()).await?;
                Ok(Finding { stream, comparison })
            })
            .buffered(CONCURRENT_STREAMS)
            .try_collect()
            .await
    }
}

impl Finding {
    fn is_late(&self) -> bool {
        matches!(self.comparison.verdict, Verdict::Lost | Verdict::Behind)
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
}

impl Summary {
    /// Counts a finding.
    pub fn add(&mut self, finding: &Finding) {
        self.streams += 1;
        match finding.comparison.verdict {
            Verdict::Current => {}
            Verdict::Lost => self.lost += 1,
            Verdict::Behind => self.behind += 1,
            Verdict::Diverged => self.diverged += 1,
            Verdict::Ahead => self.ahead += 1,
            Verdict::Unreadable(_) => self.unreadable += 1,
            Verdict::Parked(_) => self.parked += 1,
        }
    }

    /// Whether every stream is current.
    pub const fn is_clean(&self) -> bool {
        let Self { lost, diverged, behind, ahead, unreadable, parked, streams: _ } = *self;
        lost + diverged + behind + ahead + unreadable + parked == 0
    }
}
