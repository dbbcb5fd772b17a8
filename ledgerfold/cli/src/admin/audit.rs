//! `audit`: compares read models, counters, reservations, deadlines and the bus with the log.
//!
//! It only reads. `repair` and `rebuild` do the writing.

use std::{collections::BTreeMap, num::NonZeroU32, process::ExitCode, sync::Arc, time::Duration};

use clap::Args;
use ledgerfold::{
    StreamId, Version,
    ports::Skip,
    project::Verdict,
    reconcile::{Counters, CountersVerdict, Finding, Reconciler, Summary},
    vocabulary::Commit,
};
use serde::Serialize;

use super::{
    Context, Model,
    bus::{AuditedBus, BusContents, Unpublished, WindowOptions},
    claims,
    deadlines::{AuditedDeadlines, DeadlineFinding},
    snapshots::{self, WrongSnapshot},
    walk::{Choice, Walk, interrupted},
};
use crate::{
    error::{CliError, FINDINGS},
    output::{Output, Report, progress, table},
    parked::signed,
    stream_name::TenantChoice,
};
use ledgerfold_aws::SystemClock;

/// How far behind a row may be by default, in time, before it counts as behind.
const ROWS_TAKE: Duration = Duration::from_secs(3);

#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    choice: Choice,
    /// Only a random sample of about this many streams
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["stream", "from"])]
    sample: Option<NonZeroU32>,
    /// How long an event may be on its way before a row counts as behind [default: 3, and 1800 for
    /// deadlines]
    #[arg(long, value_name = "SECONDS")]
    grace: Option<u64>,
    /// Also compare the deadlines of processes with the log
    #[arg(long)]
    deadlines: bool,
    /// Also check the bus: replay its archive into a private queue and compare the events with the log.
    /// This costs as much as publishing them did
    #[arg(long)]
    bus: bool,
    /// Also compare the reservations of unique keys with the log. This reads the log once more, and each
    /// stream that holds a reservation
    #[arg(long, conflicts_with_all = ["sample", "from"])]
    claims: bool,
    /// Also compare the snapshots of streams with the fold of their events. This reads the log once more
    #[arg(long)]
    snapshots: bool,
    #[command(flatten)]
    window: WindowOptions,
}

impl Options {
    pub(super) fn projections(&self) -> &[String] {
        &self.choice.projection
    }

    /// Whether it compares more than read models with the log.
    pub(super) const fn needs_own_log(&self) -> bool {
        self.bus || self.claims || self.deadlines || self.snapshots
    }
}

/// The counters of one model, while the streams are read.
struct CountersOf<'a> {
    model: &'a Model,
    counters: Counters,
}

pub(super) async fn run(
    options: &Options,
    context: &Context,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let mut report = Audit::default();
    let outcome = audit(options, context, &mut report).await;
    // Continuing with `--from` does not find these again, so report them now.
    if outcome.is_ok() || report.streams > 0 {
        output.report(&report)?;
    }
    outcome?;
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) })
}

async fn audit(options: &Options, context: &Context, report: &mut Audit) -> Result<(), CliError> {
    if options.claims {
        report.claims = Some(options.audit_claims(context).await?);
    }
    let models = context.models().await?;
    let auditor = options.auditor(&models, context);
    let tenant = &context.target.tenant;
    let mut counters = CountersOf::begin(&models, options.is_of_everything(tenant)).await?;
    let contents =
        if options.bus { Some(BusContents::read(context, &options.window).await?) } else { None };
    if let Some(contents) = &contents {
        report.bus = Some(contents.audited());
        report.totals.unpublished = Some(0);
    }
    let mut deadlines =
        if options.deadlines { Some(AuditedDeadlines::begin(context).await?) } else { None };
    if deadlines.is_some() {
        report.totals.deadlines = Some(0);
    }
    if options.snapshots {
        report.totals.snapshots = Some(0);
    }
    let bar = progress("streams audited");
    let mut walk = options.walk(context).await?;
    while let Some((streams, place)) = walk.next().await? {
        let findings = auditor.examine(&streams).await;
        for finding in findings.map_err(|error| interrupted(error.into(), place.as_ref()))? {
            let mut of_it = counters.iter_mut();
            if let Some(of) = of_it.find(|of| of.model.projection == finding.projection) {
                of.counters.add(&finding.stream, &finding.comparison);
            }
            report.add(&finding);
        }
        if let Some(contents) = &contents {
            let lacking = contents.lacks(context, &streams).await;
            report.lacks(&lacking.map_err(|cause| interrupted(cause, place.as_ref()))?);
        }
        if let Some(deadlines) = &mut deadlines {
            let wrong = deadlines.examine(&streams, options.grace()).await;
            report.misses(wrong.map_err(|cause| interrupted(cause, place.as_ref()))?);
        }
        if options.snapshots {
            let wrong = snapshots::examine(context, &streams).await;
            report.distrusts(wrong.map_err(|cause| interrupted(cause, place.as_ref()))?);
        }
        report.streams += u64::try_from(streams.len()).unwrap_or(u64::MAX);
        bar.set_position(report.streams);
    }
    if let Some(deadlines) = deadlines.filter(|_| options.is_of_everything(tenant)) {
        report.misses(deadlines.superfluous());
    }
    for counters in counters {
        counters.end(report).await?;
    }
    for model in &models {
        model.still_live().await?;
    }
    bar.finish_and_clear();
    Ok(())
}

impl Options {
    async fn walk<'a>(&'a self, context: &'a Context) -> Result<Walk<'a>, CliError> {
        match self.sample {
            Some(most) => {
                Walk::of_sample(context, usize::try_from(most.get()).unwrap_or(usize::MAX)).await
            }
            None => Ok(self.choice.walk(context)),
        }
    }

    fn grace(&self) -> Option<Duration> {
        self.grace.map(Duration::from_secs)
    }

    const fn is_of_everything(&self, tenant: &TenantChoice) -> bool {
        self.choice.is_everything(tenant) && self.sample.is_none()
    }

    async fn audit_claims(
        &self,
        context: &Context,
    ) -> Result<Vec<claims::ReservationFault>, CliError> {
        let claimants = context.declaration.claimants();
        let target = &context.target;
        let grace = self.grace().unwrap_or(ROWS_TAKE);
        let streams = self.choice.streams(&target.tenant);
        claims::audit(claimants, target, &streams, grace).await
    }

    fn auditor(&self, models: &[Model], context: &Context) -> Reconciler {
        let grace = self.grace().unwrap_or(ROWS_TAKE);
        let none = Reconciler::new(context.reader(), Arc::new(SystemClock), grace);
        models.iter().fold(none, |auditor, it| {
            let skips = it.skips.clone();
            let quarantine = it.quarantine.clone();
            auditor
                .of_parking(it.projection, it.model.clone(), skips, quarantine)
                .only(it.models.selection().category().cloned())
        })
    }
}

impl<'a> CountersOf<'a> {
    /// Counters sum over all streams, so they can only be compared when every stream is read.
    async fn begin(models: &'a [Model], of_everything: bool) -> Result<Vec<Self>, CliError> {
        let mut all = Vec::new();
        for model in models.iter().filter(|_| of_everything) {
            if let Some(counters) = Counters::begin(&*model.model).await? {
                all.push(Self { model, counters });
            }
        }
        Ok(all)
    }

    async fn end(self, report: &mut Audit) -> Result<(), CliError> {
        match self.counters.end(&*self.model.model, &SystemClock).await? {
            CountersVerdict::Equal => {}
            CountersVerdict::Moved => report.counters_moved.push(self.model.projection),
            CountersVerdict::Differ(differences) => {
                report.counters.extend(differences.into_iter().map(|difference| WrongCounter {
                    projection: self.model.projection,
                    key: difference.key.to_string(),
                    counter: difference.counter,
                    expected: difference.expected,
                    shown: difference.shown,
                }));
            }
        }
        Ok(())
    }
}

/// The result of an audit.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Audit {
    streams: u64,
    totals: Totals,
    projections: BTreeMap<&'static str, Totals>,
    findings: Vec<RowFault>,
    /// Events missing from read models because an operator skipped them.
    skipped: Vec<SkippedFor>,
    counters: Vec<WrongCounter>,
    /// Projections whose counters changed during the audit, so that they could not be compared.
    counters_moved: Vec<&'static str>,
    /// The comparison with the bus, with `--bus`.
    bus: Option<AuditedBus>,
    unpublished: Vec<Unpublished>,
    /// The faults of the reservations, with `--claims`.
    claims: Option<Vec<claims::ReservationFault>>,
    /// Deadlines that differ from the log, with `--deadlines`.
    deadlines: Vec<DeadlineFinding>,
    /// Snapshots that are not the fold of their events, with `--snapshots`.
    snapshots: Vec<WrongSnapshot>,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Totals {
    lost: u64,
    diverged: u64,
    behind: u64,
    ahead: u64,
    unreadable: u64,
    parked: u64,
    skipped: u64,
    /// Commits with an event that the bus did not publish, with `--bus`.
    #[serde(skip_serializing_if = "Option::is_none")]
    unpublished: Option<usize>,
    /// Deadlines that differ from the log, with `--deadlines`.
    #[serde(skip_serializing_if = "Option::is_none")]
    deadlines: Option<usize>,
    /// Snapshots that are not the fold of their events, with `--snapshots`.
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshots: Option<usize>,
}

impl From<Summary> for Totals {
    fn from(summary: Summary) -> Self {
        let Summary { lost, diverged, behind, ahead, unreadable, parked, skipped, .. } = summary;
        let totals = Self::default();
        Self { lost, diverged, behind, ahead, unreadable, parked, skipped, ..totals }
    }
}

impl Totals {
    fn add(&mut self, other: Self) {
        self.lost += other.lost;
        self.diverged += other.diverged;
        self.behind += other.behind;
        self.ahead += other.ahead;
        self.unreadable += other.unreadable;
        self.parked += other.parked;
        self.skipped += other.skipped;
    }
}

#[derive(Debug, Serialize)]
struct RowFault {
    projection: &'static str,
    stream: StreamId,
    verdict: &'static str,
    stored: Option<Version>,
    head: Version,
    missing: u64,
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct SkippedFor {
    projection: &'static str,
    #[serde(flatten)]
    skip: Skip,
}

#[derive(Debug, Serialize)]
struct WrongCounter {
    projection: &'static str,
    key: String,
    counter: String,
    expected: i128,
    shown: i128,
}

impl Audit {
    fn add(&mut self, finding: &Finding) {
        let mut summary = Summary::default();
        summary.add(&finding.comparison);
        self.projections.entry(finding.projection).or_default().add(summary.into());
        self.totals.add(summary.into());
        let projection = finding.projection;
        let comparison = &finding.comparison;
        let skipped = comparison.skipped.iter().cloned();
        self.skipped.extend(skipped.map(|skip| SkippedFor { projection, skip }));
        if comparison.verdict != Verdict::Current {
            self.findings.push(RowFault {
                projection: finding.projection,
                stream: finding.stream.clone(),
                verdict: comparison.verdict.name(),
                stored: comparison.stored,
                head: comparison.head,
                missing: finding.comparison.missing(),
                reason: match &comparison.verdict {
                    Verdict::Unreadable(reason) | Verdict::Parked(reason) => Some(reason.clone()),
                    _ => None,
                },
            });
        }
    }

    fn lacks(&mut self, commits: &[Commit]) {
        self.unpublished.extend(commits.iter().map(Unpublished::from));
        self.totals.unpublished = Some(self.unpublished.len());
    }

    fn misses(&mut self, wrong: Vec<DeadlineFinding>) {
        self.deadlines.extend(wrong);
        self.totals.deadlines = Some(self.deadlines.len());
    }

    fn distrusts(&mut self, wrong: Vec<WrongSnapshot>) {
        self.snapshots.extend(wrong);
        self.totals.snapshots = Some(self.snapshots.len());
    }

    fn is_clean(&self) -> bool {
        let rows_are = self.findings.is_empty() && self.counters.is_empty();
        let claims_are = self.claims.as_ref().is_none_or(Vec::is_empty);
        let deadlines_are = self.deadlines.is_empty() && self.snapshots.is_empty();
        rows_are && claims_are && self.unpublished.is_empty() && deadlines_are
    }
}

impl Audit {
    fn last_line(&self) -> String {
        let Totals { lost, diverged, behind, ahead, unreadable, parked, skipped, .. } = self.totals;
        let asked = |name: &str, count: Option<usize>| {
            count.map(|count| format!(" {name}={count}")).unwrap_or_default()
        };
        format!(
            "lost={lost} diverged={diverged} parked={parked} behind={behind} ahead={ahead} \
             unreadable={unreadable} skipped={skipped} counters={}{}{}{}{} streams={}\n",
            self.counters.len(),
            asked("unpublished", self.totals.unpublished),
            asked("deadlines", self.totals.deadlines),
            asked("claims", self.claims.as_ref().map(Vec::len)),
            asked("snapshots", self.totals.snapshots),
            self.streams
        )
    }
}

impl SkippedFor {
    const COLUMNS: [&'static str; 5] = ["projection", "stream", "skipped", "by", "reason"];

    fn row(&self) -> [String; 5] {
        let Skip { stream, version, reason, by } = &self.skip;
        let projection = self.projection.to_owned();
        [projection, stream.to_string(), version.to_string(), signed(by), reason.to_string()]
    }
}

impl Report for Audit {
    fn text(&self) -> String {
        let mut text = String::new();
        if !self.findings.is_empty() {
            let rows = self.findings.iter().map(|found| {
                [
                    found.projection.to_owned(),
                    found.stream.to_string(),
                    found.verdict.to_owned(),
                    found.stored.map_or_else(|| "-".to_owned(), |version| version.to_string()),
                    found.head.to_string(),
                    found.reason.clone().unwrap_or_default(),
                ]
            });
            text +=
                &table(["projection", "stream", "verdict", "row at", "stream at", "reason"], rows);
        }
        if !self.skipped.is_empty() {
            text += &table(SkippedFor::COLUMNS, self.skipped.iter().map(SkippedFor::row));
        }
        if !self.counters.is_empty() {
            let rows = self.counters.iter().map(|wrong| {
                let expected = wrong.expected.to_string();
                let shown = wrong.shown.to_string();
                [
                    wrong.projection.to_owned(),
                    wrong.key.clone(),
                    wrong.counter.clone(),
                    expected,
                    shown,
                ]
            });
            text += &table(["projection", "counters", "counter", "log says", "shown"], rows);
        }
        for projection in &self.counters_moved {
            text += &format!(
                "The counters of {projection} changed during the audit. Try at a quieter time.\n"
            );
        }
        if !self.unpublished.is_empty() {
            text += &table(Unpublished::COLUMNS, self.unpublished.iter().map(Unpublished::row));
        }
        text += &claims::ReservationFault::table(self.claims.iter().flatten());
        if !self.deadlines.is_empty() {
            text += &DeadlineFinding::table(&self.deadlines);
        }
        text += &WrongSnapshot::table(&self.snapshots);
        text += &self.bus.as_ref().map(AuditedBus::text).unwrap_or_default();
        text + &self.last_line()
    }
}

#[cfg(test)]
mod tests;
