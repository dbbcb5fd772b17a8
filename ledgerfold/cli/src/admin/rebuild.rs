//! `rebuild` and `roll-back`: fills and verifies another generation of read models, then switches to it.

use std::{num::NonZeroU32, process::ExitCode};

use clap::{ArgGroup, Args};
use ledgerfold::{
    StreamId,
    ports::{Skip, Written},
    rebuild::{Filled, Plan, RebuildError, Rebuilder, Verified},
    reconcile::CountersVerdict,
    vocabulary::Building,
};
use serde::Serialize;

use super::{Context, generations::Readers, progress_bars::ProgressBars};
use crate::{
    error::{CliError, FINDINGS},
    output::{Output, Report, confirm, table},
};

/// How often a verification restarts because a projector could not apply an event in the meantime.
const ROUNDS: usize = 5;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).args(["projection", "all"])))]
pub(super) struct Options {
    /// The projections
    #[arg(value_name = "PROJECTION")]
    projection: Vec<String>,
    /// All projections
    #[arg(long)]
    all: bool,
    /// Stop after the new generation is verified; run it again without this option to switch
    #[arg(long)]
    no_switch: bool,
    #[command(flatten)]
    settings: RebuildSettings,
}

#[derive(Debug, Args)]
pub(super) struct RollBackOptions {
    /// The projections
    #[arg(value_name = "PROJECTION", required = true)]
    projection: Vec<String>,
    #[command(flatten)]
    readers: Readers,
    #[command(flatten)]
    settings: RebuildSettings,
}

#[derive(Debug, Args)]
struct RebuildSettings {
    /// How many segments of the log to read concurrently
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    segments: u32,
    /// At most this many streams a second, so that live traffic keeps its throughput
    #[arg(long, value_name = "STREAMS")]
    rate: Option<NonZeroU32>,
    /// Switch even if the new generation has faults, for example because the live one is no better
    #[arg(long)]
    despite_findings: bool,
    /// Do not ask before the switch
    #[arg(long)]
    yes: bool,
}

impl RebuildSettings {
    const fn plan(&self) -> Plan {
        Plan { segments: self.segments, streams_per_second: self.rate }
    }
}

impl Options {
    pub(super) fn projections(&self) -> &[String] {
        &self.projection
    }
}

impl RollBackOptions {
    pub(super) fn projections(&self) -> &[String] {
        &self.projection
    }
}

pub(super) async fn run(
    options: &Options,
    context: &Context,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let mut report = Rebuilds::default();
    let mut outcome = Ok(());
    for subject in &context.subjects {
        let begin = async |rebuilder: &Rebuilder| rebuilder.begin().await;
        let rebuilder = context.rebuilder(subject);
        let rebuilt = rebuild(rebuilder, &options.settings, !options.no_switch, begin).await;
        match rebuilt {
            Ok(rebuilt) => report.rebuilt.push(rebuilt),
            Err(error) => {
                outcome = Err(error);
                break;
            }
        }
    }
    // A finished generation stays finished after an interruption, so report it.
    if outcome.is_ok() || !report.rebuilt.is_empty() {
        output.report(&report)?;
    }
    outcome?;
    Ok(report.exit_code())
}

pub(super) async fn roll_back(
    options: &RollBackOptions,
    context: &Context,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let mut report = Rebuilds::default();
    for subject in &context.subjects {
        let begin = async |rebuilder: &Rebuilder| rebuilder.begin_roll_back().await;
        let longest_read = options.readers.longest_read();
        let rebuilder = context.rebuilder(subject).with_longest_read(longest_read);
        report.rebuilt.push(rebuild(rebuilder, &options.settings, true, begin).await?);
    }
    output.report(&report)?;
    Ok(report.exit_code())
}

async fn rebuild(
    rebuilder: Rebuilder,
    settings: &RebuildSettings,
    switch: bool,
    begin: impl AsyncFn(&Rebuilder) -> Result<Building, RebuildError>,
) -> Result<Rebuilt, CliError> {
    let projection = rebuilder.projection();
    let job = RebuildJob { rebuilder, settings, bars: ProgressBars::new() };
    let outcome = job.run(switch, begin).await;
    job.bars.clear();
    outcome.map_err(|outcome| match outcome {
        Stop::Rebuild(cause) => CliError::Rebuild { projection, cause },
        Stop::CliError(failed) => failed,
    })
}

/// The rebuild of one projection.
struct RebuildJob<'a> {
    rebuilder: Rebuilder,
    settings: &'a RebuildSettings,
    bars: ProgressBars,
}

enum Stop {
    Rebuild(RebuildError),
    CliError(CliError),
}

impl From<RebuildError> for Stop {
    fn from(cause: RebuildError) -> Self {
        Self::Rebuild(cause)
    }
}

impl RebuildJob<'_> {
    async fn run(
        &self,
        switch: bool,
        begin: impl AsyncFn(&Rebuilder) -> Result<Building, RebuildError>,
    ) -> Result<Rebuilt, Stop> {
        let building = begin(&self.rebuilder).await?;
        let live = self.rebuilder.generations().await?.live().number;
        let plan = self.settings.plan();
        let projection = self.rebuilder.projection();
        let watch = |step| self.bars.show(projection, &step);
        let filled = self.rebuilder.fill(&building, plan, &watch).await?;
        let mut confirmed = self.settings.yes;
        for _ in 0..ROUNDS {
            let verified = self.rebuilder.verify(&building, plan, &watch).await?;
            let report = Rebuilt::new(projection, &building, &filled, &verified);
            let sound = verified.wrong() == 0 || self.settings.despite_findings;
            if !switch || !sound {
                return Ok(report);
            }
            self.bars.clear();
            confirmed = confirmed || self.confirm(&building, live.get()).map_err(Stop::CliError)?;
            if !confirmed {
                return Ok(report);
            }
            if self.rebuilder.switch(&verified.accepted()).await? == Written::Done {
                return Ok(Rebuilt { switched: true, ..report });
            }
        }
        Err(RebuildError::Contention.into())
    }

    fn confirm(&self, building: &Building, live: u32) -> Result<bool, CliError> {
        let projection = self.rebuilder.projection();
        let new = building.generation.number;
        let question = format!("Switch readers of {projection} from generation {live} to {new}?");
        match confirm(&question, false) {
            Err(CliError::NotConfirmed) => Ok(false),
            answer => answer.map(|()| true),
        }
    }
}

/// The result of all rebuilds.
#[derive(Debug, Default, Serialize)]
struct Rebuilds {
    rebuilt: Vec<Rebuilt>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rebuilt {
    projection: &'static str,
    generation: u32,
    revision: u32,
    streams: u64,
    /// Streams that could not be projected.
    failed: u64,
    /// Streams and counters that differ from a fresh fold.
    wrong: u64,
    /// How many events the generation lacks because an operator skipped them.
    skipped: u64,
    /// The first skips, with their reasons.
    skips: Vec<Skip>,
    /// `equal`, `differ`, or `moved` if they changed during the verification. Rows have no counters.
    counters: Option<&'static str>,
    switched: bool,
    findings: Vec<RebuildFault>,
}

#[derive(Debug, Serialize)]
struct RebuildFault {
    stream: StreamId,
    verdict: String,
}

impl Rebuilt {
    fn new(
        projection: &'static str,
        building: &Building,
        filled: &Filled,
        verified: &Verified,
    ) -> Self {
        let unfilled = filled.reasons.iter().map(|unfilled| RebuildFault {
            stream: unfilled.stream.clone(),
            verdict: format!("not projected: {}", unfilled.reason),
        });
        let found = verified.findings().iter().map(|finding| RebuildFault {
            stream: finding.stream.clone(),
            verdict: finding.comparison.verdict.name().to_owned(),
        });
        Self {
            projection,
            generation: building.generation.number.get(),
            revision: building.generation.revision,
            streams: verified.summary().streams,
            failed: filled.failed,
            wrong: verified.wrong(),
            skipped: verified.summary().skipped,
            skips: verified.skipped().to_vec(),
            counters: verified.counters().map(|counters| match counters {
                CountersVerdict::Equal => "equal",
                CountersVerdict::Moved => "moved",
                CountersVerdict::Differ(_) => "differ",
            }),
            switched: false,
            findings: if verified.wrong() > 0 { unfilled.chain(found).collect() } else { vec![] },
        }
    }
}

impl Rebuilds {
    fn exit_code(&self) -> ExitCode {
        let sound = self.rebuilt.iter().all(|rebuilt| rebuilt.wrong == 0);
        if sound { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) }
    }
}

impl Report for Rebuilds {
    fn text(&self) -> String {
        let mut text = String::new();
        let found = self.rebuilt.iter().flat_map(|rebuilt| {
            let projection = rebuilt.projection.to_owned();
            let row = move |found: &RebuildFault| {
                [projection.clone(), found.stream.to_string(), found.verdict.clone()]
            };
            rebuilt.findings.iter().map(row)
        });
        let found: Vec<_> = found.collect();
        if !found.is_empty() {
            text += &table(["projection", "stream", "verdict"], found);
        }
        for rebuilt in &self.rebuilt {
            let Rebuilt { projection, generation, revision, streams, wrong, skipped, .. } = rebuilt;
            let counters = rebuilt
                .counters
                .map(|counters| format!(" counters={counters}"))
                .unwrap_or_default();
            text += &format!(
                "{projection}: generation={generation} revision={revision} streams={streams} \
                 wrong={wrong} skipped={skipped}{counters} switched={}\n",
                rebuilt.switched
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{RebuildFault, Rebuilds, Rebuilt};
    use crate::output::rendered;

    #[test]
    fn rebuilds_and_their_findings_are_reported() {
        let found = RebuildFault {
            stream: "default/account#1".parse().expect("a stream"),
            verdict: "not projected: it has no place".to_owned(),
        };
        let sound = Rebuilt {
            projection: "totals",
            generation: 2,
            revision: 1,
            streams: 7,
            failed: 0,
            wrong: 0,
            skipped: 2,
            skips: Vec::new(),
            counters: Some("equal"),
            switched: true,
            findings: Vec::new(),
        };
        let unsound = Rebuilt {
            projection: "statements",
            failed: 1,
            wrong: 1,
            skipped: 0,
            skips: Vec::new(),
            counters: None,
            switched: false,
            findings: vec![found],
            ..sound
        };
        let sound = Rebuilt { findings: Vec::new(), skips: Vec::new(), ..sound };
        let report = Rebuilds { rebuilt: vec![sound, unsound] };
        let text = rendered(&report, false).expect("text");
        let lines: Vec<_> = text.lines().collect();
        assert!(
            lines[1].contains("default/account#1") && lines[1].contains("it has no place"),
            "{text}"
        );
        assert_eq!(
            lines[2..],
            [
                "totals: generation=2 revision=1 streams=7 wrong=0 skipped=2 counters=equal switched=true",
                "statements: generation=2 revision=1 streams=7 wrong=1 skipped=0 switched=false",
            ]
        );
        let json: serde_json::Value =
            serde_json::from_str(&rendered(&report, true).expect("JSON")).expect("JSON");
        assert_eq!(json["rebuilt"][1]["findings"][0]["stream"], "default/account#1");
        assert_eq!(json["rebuilt"][0]["counters"], "equal");
    }
}
