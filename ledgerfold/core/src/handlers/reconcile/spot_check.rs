use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::{Finding, Reconciler, Sample, Summary, pages::PageBudget};
use crate::{
    StreamId, Timestamp,
    ports::{
        Clock, EventReader, GenerationStore, PageWalk, Quarantine, QuarantineError, ReadStoreError,
        Skips, StreamsError,
    },
    project::{Models, ProjectError, UnknownModel, Verdict},
    vocabulary::GenerationRef,
};

/// How many streams are compared before the time is checked again.
const PAGE: usize = 25;
/// How many pages of one stream are read.
const PAGES_OF_STREAM: usize = 4;
/// How many pages are read in one run, in addition to the first page of each stream.
const FURTHER_PAGES: usize = 100;
/// How many findings are reported with their reasons. All of them are counted.
const FINDINGS: usize = 100;
/// How often a page is compared, if another generation becomes live each time.
const SWITCHES: usize = 3;

/// A scheduled comparison of some streams with the live read models of a context.
///
/// Each run draws other streams. So widespread damage is found at once, and a single wrong row after some time. A spot
/// check compares rows and memos. It cannot check counters and the bus, because these need all streams.
///
/// The pages that a run reads are limited. Of a stream with more pages it compares only the end.
#[derive(Clone)]
pub struct SpotCheck {
    generations: Arc<dyn GenerationStore>,
    clock: Arc<dyn Clock>,
    /// The context's own log with its projections, and one part for each projection of another context's events.
    own: Part,
    foreign: Vec<Part>,
}

/// The projections that read one log.
#[derive(Clone)]
struct Part {
    sample: Sample,
    log: Arc<dyn EventReader>,
    subjects: Vec<Subject>,
}

#[derive(Clone)]
struct Subject {
    models: Models,
    skips: Arc<dyn Skips>,
    quarantine: Arc<dyn Quarantine>,
}

/// The streams of a spot check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// At most this many random streams.
    At(usize),
    /// These streams.
    On(Vec<StreamId>),
}

/// The result of a spot check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpotChecked {
    /// The number of streams that were compared.
    pub streams: u64,
    /// The number of streams by verdict, for each projection.
    pub summaries: BTreeMap<&'static str, Summary>,
    /// The first findings that are not current.
    pub findings: Vec<Finding>,
    /// Whether the time ended before all streams were compared, or generations kept changing.
    pub cut_short: bool,
}

/// The backlog in the read models of a context. Queues are not included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// The time of the oldest entry in each projection's quarantine; `None` if the quarantine is empty.
    pub parked_since: BTreeMap<&'static str, Option<Timestamp>>,
    /// The number of building generations. If one stays for long, a rebuild was interrupted and not resumed.
    pub building: usize,
}

/// A spot check failed.
#[derive(Debug, thiserror::Error)]
pub enum SpotCheckError {
    /// The streams could not be listed.
    #[error(transparent)]
    Streams(#[from] StreamsError),
    /// The table of generations failed.
    #[error("the table of generations failed: {0}")]
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
    /// The number of wrong rows and memos in all projections. Quarantined streams are known already, and do not count.
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
    /// A spot check of this sample of the context's own log, without read models.
    pub fn new(
        sample: Sample,
        generations: Arc<dyn GenerationStore>,
        log: Arc<dyn EventReader>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let own = Part { sample, log, subjects: Vec::new() };
        Self { generations, clock, own, foreign: Vec::new() }
    }

    /// Adds the live read model of this projection, and reports quarantined streams as parked.
    #[must_use]
    pub fn of(
        mut self,
        models: Models,
        skips: Arc<dyn Skips>,
        quarantine: Arc<dyn Quarantine>,
    ) -> Self {
        self.own.subjects.push(Subject { models, skips, quarantine });
        self
    }

    /// Adds the live read model of a projection of another context's events, with a sample of that context's log and with
    /// the log itself.
    #[must_use]
    pub fn of_source(
        mut self,
        models: Models,
        skips: Arc<dyn Skips>,
        quarantine: Arc<dyn Quarantine>,
        (sample, log): (Sample, Arc<dyn EventReader>),
    ) -> Self {
        let log = models.reader(log);
        let subjects = vec![Subject { models, skips, quarantine }];
        self.foreign.push(Part { sample, log, subjects });
        self
    }

    /// Compares streams until the time is `until`. Events that were recorded within the last `patience` may still be in
    /// transit, and do not count as missing.
    ///
    /// # Errors
    /// [`SpotCheckError`].
    pub async fn run(
        &self,
        look: Look,
        patience: Duration,
        until: Timestamp,
    ) -> Result<SpotChecked, SpotCheckError> {
        let mut checked = SpotChecked::default();
        let budget = Arc::new(PageBudget::new(PAGES_OF_STREAM, FURTHER_PAGES));
        for part in self.parts() {
            let streams = match &look {
                Look::At(most) => part.draw(*most).await?,
                Look::On(streams) => part.named(streams),
            };
            self.compare(part, &streams, &budget, (patience, until), &mut checked).await?;
        }
        Ok(checked)
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        std::iter::once(&self.own).chain(&self.foreign)
    }

    async fn compare(
        &self,
        part: &Part,
        streams: &[StreamId],
        budget: &Arc<PageBudget>,
        (patience, until): (Duration, Timestamp),
        checked: &mut SpotChecked,
    ) -> Result<(), SpotCheckError> {
        for page in streams.chunks(PAGE) {
            if self.clock.now() >= until {
                checked.cut_short = true;
                break;
            }
            let Some(findings) = self.page(part, page, budget).await? else {
                checked.cut_short = true;
                break;
            };
            for mut finding in findings {
                if self.is_in_transit(&finding, patience) {
                    finding.comparison.verdict = Verdict::Current;
                }
                checked.add(finding);
            }
            checked.streams += u64::try_from(page.len()).unwrap_or(u64::MAX);
        }
        Ok(())
    }

    /// The current backlog.
    ///
    /// # Errors
    /// [`SpotCheckError`].
    pub async fn backlog(&self) -> Result<Backlog, SpotCheckError> {
        let mut backlog = Backlog::default();
        for Subject { models, quarantine, .. } in self.parts().flat_map(|part| &part.subjects) {
            let projection = models.projection();
            let generations = models.peek(&*self.generations).await?;
            backlog.building += usize::from(generations.building().is_some());
            let oldest = parked_since(&**quarantine).await?;
            backlog.parked_since.insert(projection, oldest);
        }
        Ok(backlog)
    }

    /// Compares a page of streams. The findings count only if the same generations are live before and after the
    /// comparison, because a former generation may be removed meanwhile. `None` if operators keep switching.
    async fn page(
        &self,
        part: &Part,
        streams: &[StreamId],
        budget: &Arc<PageBudget>,
    ) -> Result<Option<Vec<Finding>>, SpotCheckError> {
        let mut live = self.live(part).await?;
        for _ in 0..SWITCHES {
            let findings =
                self.reconciler(part, &live)?.within(budget.clone()).examine(streams).await?;
            let now = self.live(part).await?;
            if now == live {
                return Ok(Some(findings));
            }
            live = now;
        }
        Ok(None)
    }

    async fn live(&self, part: &Part) -> Result<Vec<GenerationRef>, ReadStoreError> {
        let mut live = Vec::with_capacity(part.subjects.len());
        for subject in &part.subjects {
            live.push(subject.models.peek(&*self.generations).await?.live());
        }
        Ok(live)
    }

    fn reconciler(&self, part: &Part, live: &[GenerationRef]) -> Result<Reconciler, UnknownModel> {
        let empty = Reconciler::new(part.log.clone(), self.clock.clone(), Duration::ZERO);
        part.subjects.iter().zip(live).try_fold(empty, |reconciler, (subject, generation)| {
            let Subject { models, skips, quarantine } = subject.clone();
            let model = models.open(*generation)?;
            let category = models.selection().category().cloned();
            Ok(reconciler.of_parking(models.projection(), model, skips, quarantine).only(category))
        })
    }

    /// Whether the missing events are so new that their messages may still arrive.
    fn is_in_transit(&self, finding: &Finding, patience: Duration) -> bool {
        let comparison = &finding.comparison;
        let deadline = comparison.waiting_since.and_then(|since| since.checked_add(patience).ok());
        comparison.is_late() && deadline.is_some_and(|deadline| self.clock.now() < deadline)
    }
}

impl Part {
    /// A sample of the streams that its projections read.
    async fn draw(&self, most: usize) -> Result<Vec<StreamId>, StreamsError> {
        let subjects = self.subjects.iter();
        let categories = subjects.map(|it| it.models.selection().category().cloned());
        match categories.collect::<Option<BTreeSet<_>>>() {
            Some(categories) => self.sample.clone().only(categories).draw(most).await,
            None => self.sample.draw(most).await,
        }
    }

    /// The named streams that its projections read.
    fn named(&self, streams: &[StreamId]) -> Vec<StreamId> {
        let reads = |it: &StreamId| self.subjects.iter().any(|by| by.models.selection().has(it));
        streams.iter().filter(|it| reads(it)).cloned().collect()
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
