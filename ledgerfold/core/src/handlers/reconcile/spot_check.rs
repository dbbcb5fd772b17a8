use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{Finding, Reconciler, Sample, Summary};
use crate::{
    StreamId, Timestamp,
    ports::{
        Clock, EventReader, GenerationStore, PageWalk, Quarantine, QuarantineError, ReadStoreError,
        Skips, StreamsError,
    },
    project::{Models, ProjectError, UnknownModel, Verdict},
    vocabulary::GenerationRef,
};

/// How many streams are compared between two looks at the clock.
const PAGE: usize = 25;
/// How many findings are kept with their reasons; all of them are counted.
const FINDINGS: usize = 100;
/// How often a page is compared again because another generation has become live meanwhile.
const SWITCHES: usize = 3;

/// A comparison of some streams in the live read models of a context, run by a schedule.
///
/// Each run draws other streams, so widespread damage is found at once, and a single wrong row one day. It compares
/// rows and memos. Counters, which are sums over all streams, and the bus need the audit of everything.
#[derive(Clone)]
pub struct SpotCheck {
    sample: Sample,
    generations: Arc<dyn GenerationStore>,
    log: Arc<dyn EventReader>,
    clock: Arc<dyn Clock>,
    subjects: Vec<Subject>,
}

#[derive(Clone)]
struct Subject {
    models: Models,
    skips: Arc<dyn Skips>,
    quarantine: Arc<dyn Quarantine>,
}

/// Which streams are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// At most so many, drawn.
    At(usize),
    /// These.
    On(Vec<StreamId>),
}

/// The result of a spot check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpotChecked {
    /// How many streams were compared.
    pub streams: u64,
    /// How many of them there are of each verdict, by projection.
    pub summaries: BTreeMap<&'static str, Summary>,
    /// The first of those that are not current.
    pub findings: Vec<Finding>,
    /// Whether the time was up before all of them were compared, or generations kept changing.
    pub cut_short: bool,
}

/// The backlog in the read models of a context, beside the queues.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Since when the oldest entry has been in a projection's quarantine, if there is one.
    pub parked_since: BTreeMap<&'static str, Option<Timestamp>>,
    /// How many generations are being built. One that stays was left by a rebuild that was cut short.
    pub building: usize,
}

/// A spot check could not be made or gone on with.
#[derive(Debug, thiserror::Error)]
pub enum SpotCheckError {
    /// The streams could not be listed.
    #[error(transparent)]
    Streams(#[from] StreamsError),
    /// The table of generations failed.
    #[error("the table of generations: {0}")]
    Generations(#[from] ReadStoreError),
    /// The program lacks the model of a generation.
    #[error(transparent)]
    Model(#[from] UnknownModel),
    /// The log or a read table failed.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// A quarantine could not be listed.
    #[error(transparent)]
    Quarantine(#[from] QuarantineError),
}

impl SpotChecked {
    /// How many rows and memos are wrong, in all projections together. One that is parked is known to
    /// be, and is not among them.
    pub fn wrong(&self) -> u64 {
        self.summaries.values().map(Summary::wrong).sum()
    }

    fn add(&mut self, finding: Finding) {
        let comparison = &finding.comparison;
        self.summaries.entry(finding.projection).or_default().add(comparison);
        if comparison.verdict != Verdict::Current && self.findings.len() < FINDINGS {
            self.findings.push(finding);
        }
    }
}

impl SpotCheck {
    /// A check of streams of this sample, in no read model yet.
    pub fn new(
        sample: Sample,
        generations: Arc<dyn GenerationStore>,
        log: Arc<dyn EventReader>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { sample, generations, log, clock, subjects: Vec::new() }
    }

    /// The same, also in the live read model of this projection, with parked streams reported as such.
    #[must_use]
    pub fn of(
        mut self,
        models: Models,
        skips: Arc<dyn Skips>,
        quarantine: Arc<dyn Quarantine>,
    ) -> Self {
        self.subjects.push(Subject { models, skips, quarantine });
        self
    }

    /// Compares a sample, until the time is up. Events that were recorded within `patience` may still be in transit,
    /// and do not count as missing.
    ///
    /// # Errors
    /// [`SpotCheckError`].
    pub async fn run(
        &self,
        look: Look,
        patience: Duration,
        until: Timestamp,
    ) -> Result<SpotChecked, SpotCheckError> {
        let streams = match look {
            Look::At(most) => self.sample.draw(most).await?,
            Look::On(streams) => streams,
        };
        let mut checked = SpotChecked::default();
        for page in streams.chunks(PAGE) {
            if self.clock.now() >= until {
                checked.cut_short = true;
                break;
            }
            let Some(findings) = self.page(page).await? else {
                checked.cut_short = true;
                break;
            };
            for mut finding in findings {
                if self.is_on_its_way(&finding, patience) {
                    finding.comparison.verdict = Verdict::Current;
                }
                checked.add(finding);
            }
            checked.streams += u64::try_from(page.len()).unwrap_or(u64::MAX);
        }
        Ok(checked)
    }

    /// The present backlog.
    ///
    /// # Errors
    /// [`SpotCheckError`].
    pub async fn backlog(&self) -> Result<Backlog, SpotCheckError> {
        let mut backlog = Backlog::default();
        for Subject { models, quarantine, .. } in &self.subjects {
            let projection = models.projection();
            let generations = models.peek(&*self.generations).await?;
            backlog.building += usize::from(generations.building().is_some());
            let oldest = parked_since(&**quarantine).await?;
            backlog.parked_since.insert(projection, oldest);
        }
        Ok(backlog)
    }

    /// Compares in the generation that is live before and after: a former one may be removed, and its findings mean
    /// nothing. `None` if operators keep switching.
    async fn page(&self, streams: &[StreamId]) -> Result<Option<Vec<Finding>>, SpotCheckError> {
        let mut live = self.live().await?;
        for _ in 0..SWITCHES {
            let findings = self.auditor(&live)?.examine(streams).await?;
            let now = self.live().await?;
            if now == live {
                return Ok(Some(findings));
            }
            live = now;
        }
        Ok(None)
    }

    async fn live(&self) -> Result<Vec<GenerationRef>, ReadStoreError> {
        let mut live = Vec::with_capacity(self.subjects.len());
        for subject in &self.subjects {
            live.push(subject.models.peek(&*self.generations).await?.live());
        }
        Ok(live)
    }

    fn auditor(&self, live: &[GenerationRef]) -> Result<Reconciler, UnknownModel> {
        let none = Reconciler::new(self.log.clone(), self.clock.clone(), Duration::ZERO);
        self.subjects.iter().zip(live).try_fold(none, |auditor, (subject, generation)| {
            let Subject { models, skips, quarantine } = subject.clone();
            Ok(auditor.of_parking(
                models.projection(),
                models.open(*generation)?,
                skips,
                quarantine,
            ))
        })
    }

    fn is_on_its_way(&self, finding: &Finding, patience: Duration) -> bool {
        let comparison = &finding.comparison;
        let missed = comparison.waiting_since.and_then(|since| since.checked_add(patience).ok());
        comparison.is_late() && missed.is_some_and(|missed| self.clock.now() < missed)
    }
}

async fn parked_since(quarantine: &dyn Quarantine) -> Result<Option<Timestamp>, QuarantineError> {
    let mut oldest: Option<Timestamp> = None;
    let mut walk = PageWalk::start();
    while let Some(after) = walk.next_place() {
        let parked = walk.turn(quarantine.list(after.as_ref()).await?);
        oldest = parked.iter().map(|parked| parked.since).chain(oldest).min();
    }
    Ok(oldest)
}
