//! `claims`: builds the reservations of unique keys from the log. Also the checks behind `audit --claims`.

mod reservation_fault;

use std::{num::NonZeroU32, process::ExitCode, sync::Arc, time::Duration};

use clap::{Args, Subcommand};
use ledgerfold::{
    StreamId,
    claims::{Built, Claimants, ClaimsBuilder, ClaimsChecker, Finding, Inspector, Step, Subject},
    ports::{ClaimsState, Reservations, Segment, Walk},
    rebuild::Plan,
};
use ledgerfold_dynamodb::{DynamoEventStore, DynamoStreams};
use serde::Serialize;

pub(super) use reservation_fault::ReservationFault;

use super::{progress_bars::ProgressBars, walk::COMMITS_PER_PAGE};
use crate::{
    error::{CliError, FINDINGS},
    output::{Output, Report, table},
    stream_name::TenantChoice,
    target::Target,
};
use ledgerfold_aws::{SystemClock, SystemRandom};

#[derive(Debug, Subcommand)]
pub(super) enum Claims {
    /// Reserve the unique keys that streams own, and remove reservations that no stream needs. Run it after
    /// you have added or changed claims and no function runs the old code any more. If it is interrupted,
    /// run it again: it continues where it stopped
    Build(BuildOptions),
    /// Show whether the reservations are complete
    Show,
}

#[derive(Debug, Args)]
pub(super) struct BuildOptions {
    /// How many segments of the log to read concurrently
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    segments: u32,
    /// At most this many streams or reservations a second, so that live traffic keeps its throughput
    #[arg(long, value_name = "COUNT")]
    rate: Option<NonZeroU32>,
}

/// The log of a context together with its reservations.
struct ReservedLog {
    log: Arc<DynamoEventStore>,
    inspector: Inspector,
}

impl ReservedLog {
    async fn of(claimants: &Claimants, target: &Target) -> Result<Self, CliError> {
        if claimants.categories().next().is_none() {
            return Err(CliError::NoClaims);
        }
        let log = target.log().await?.with_reservations(target.reservations()?);
        let log = Arc::new(log);
        let streams = DynamoStreams::new(target.connection.dynamodb().await, target.event_table()?);
        let streams = Arc::new(streams.in_pages_of(COMMITS_PER_PAGE).strongly_consistent());
        let inspector = Inspector::new(claimants.clone(), log.clone(), log.clone(), streams);
        Ok(Self { log, inspector })
    }
}

pub(super) async fn run(
    command: &Claims,
    claimants: &Claimants,
    target: &Target,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let reserved = ReservedLog::of(claimants, target).await?;
    match command {
        Claims::Build(_) if target.tenant.chosen().is_some() => Err(CliError::EveryTenant),
        Claims::Build(options) => build(options, reserved.inspector, output).await,
        Claims::Show => show(&reserved, output).await,
    }
}

async fn build(
    options: &BuildOptions,
    inspector: Inspector,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let plan = Plan { segments: options.segments, streams_per_second: options.rate };
    let categories: Vec<_> = inspector.categories().cloned().collect();
    let builder = ClaimsBuilder::new(inspector, Arc::new(SystemClock), Arc::new(SystemRandom));
    let mut report = Builds::default();
    let bars = ProgressBars::new();
    for category in categories {
        let watch = |step: Step| {
            let label = match step.walk {
                Walk::Streams => "streams",
                Walk::Reservations => "reservations",
            };
            bars.segment(step.category.as_str(), label, &step.progress);
        };
        let built = builder.build(&category, plan, &watch).await;
        bars.clear();
        report.built.push(BuiltCategory::new(category.to_string(), built?));
    }
    output.report(&report)?;
    Ok(report.exit_code())
}

async fn show(reserved: &ReservedLog, output: &mut Output) -> Result<ExitCode, CliError> {
    let mut report = Shown::default();
    for category in reserved.inspector.categories() {
        let record = reserved.log.read_record(category).await.map_err(CliError::Log)?;
        let (state, revision) = match record.state() {
            ClaimsState::Incomplete => ("incomplete", None),
            ClaimsState::Building(build) => ("building", Some(build.revision)),
            ClaimsState::Complete { revision } => ("complete", Some(*revision)),
        };
        report.categories.push(ShownCategory { category: category.to_string(), state, revision });
    }
    output.report(&report)?;
    Ok(ExitCode::SUCCESS)
}

/// The faults of the reservations: for the keys of these streams, or for all streams and reservations if
/// none is given.
pub(super) async fn audit(
    claimants: &Claimants,
    target: &Target,
    streams: &[StreamId],
    grace: Duration,
) -> Result<Vec<ReservationFault>, CliError> {
    let inspector = ReservedLog::of(claimants, target).await?.inspector;
    let categories: Vec<_> = inspector.categories().cloned().collect();
    let auditor = ClaimsChecker::new(inspector, Arc::new(SystemClock), grace);
    if !streams.is_empty() {
        let subjects: Vec<_> = streams.iter().cloned().map(Subject::Stream).collect();
        return Ok(found(&auditor.examine(&subjects).await?));
    }
    let mut all = Vec::new();
    for category in &categories {
        for walk in [Walk::Streams, Walk::Reservations] {
            let mut from = None;
            loop {
                let place = (walk, Segment::WHOLE);
                let page = auditor.inspector().list(category, place, from.as_ref()).await?;
                let mut subjects = page.0;
                subjects.retain(|subject| includes(&target.tenant, subject));
                all.extend(found(&auditor.examine(&subjects).await?));
                from = page.1;
                if from.is_none() {
                    break;
                }
            }
        }
    }
    Ok(all)
}

fn includes(tenant: &TenantChoice, subject: &Subject) -> bool {
    match subject {
        Subject::Stream(stream) => tenant.includes(stream),
        Subject::Reservation(reservation) => tenant.includes(&reservation.holder),
    }
}

fn found(findings: &[Finding]) -> Vec<ReservationFault> {
    findings.iter().map(ReservationFault::from).collect()
}

/// The result of a build.
#[derive(Debug, Default, Serialize)]
struct Builds {
    built: Vec<BuiltCategory>,
}

#[derive(Debug, Serialize)]
struct BuiltCategory {
    category: String,
    corrected: u64,
    /// Faults that the build could not correct.
    left: u64,
    /// The revision of the claims for which the reservations are complete, if they are complete.
    complete: Option<u32>,
    findings: Vec<ReservationFault>,
}

impl BuiltCategory {
    fn new(category: String, built: Built) -> Self {
        let Built { corrected, left, findings, complete } = built;
        Self { category, corrected, left, complete, findings: found(&findings) }
    }
}

impl Builds {
    fn exit_code(&self) -> ExitCode {
        let complete = self.built.iter().all(|built| built.complete.is_some());
        if complete { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) }
    }
}

impl Report for Builds {
    fn text(&self) -> String {
        let mut text = ReservationFault::table(self.built.iter().flat_map(|built| &built.findings));
        for BuiltCategory { category, corrected, left, complete, findings } in &self.built {
            let named = u64::try_from(findings.len()).unwrap_or(u64::MAX);
            if *left > named {
                text += &format!("{category}: run `audit --claims` to list all {left} faults.\n");
            }
            let complete = complete.map_or("no".to_owned(), |it| format!("revision {it}"));
            text += &format!("{category}: corrected={corrected} left={left} complete={complete}\n");
        }
        text
    }
}

/// Whether the reservations are complete.
#[derive(Debug, Default, Serialize)]
struct Shown {
    categories: Vec<ShownCategory>,
}

#[derive(Debug, Serialize)]
struct ShownCategory {
    category: String,
    state: &'static str,
    revision: Option<u32>,
}

impl Report for Shown {
    fn text(&self) -> String {
        let rows = self.categories.iter().map(|shown| {
            let revision = shown.revision.map_or_else(|| "-".to_owned(), |it| it.to_string());
            [shown.category.clone(), shown.state.to_owned(), revision]
        });
        table(["category", "reservations", "claims revision"], rows)
    }
}

#[cfg(test)]
mod tests {
    use super::{Builds, BuiltCategory, ReservationFault};
    use crate::output::rendered;

    #[test]
    fn a_build_reports_corrected_and_remaining_faults() {
        let contested = ReservationFault {
            fault: "contested",
            key: Some("default/email#ada@example.org".to_owned()),
            owner: "default/account#2".parse().ok(),
            holder: "default/account#1".parse().ok(),
            reason: None,
        };
        let built = |left, complete, findings| BuiltCategory {
            category: "account".to_owned(),
            corrected: 7,
            left,
            complete,
            findings,
        };
        let report =
            Builds { built: vec![built(2, None, vec![contested]), built(0, Some(3), Vec::new())] };
        let text = rendered(&report, false).expect("text");
        let lines: Vec<_> = text.lines().collect();
        for named in
            ["contested", "default/email#ada@example.org", "default/account#1", "default/account#2"]
        {
            assert!(lines[1].contains(named), "{text}");
        }
        assert_eq!(
            lines[2..],
            [
                "account: run `audit --claims` to list all 2 faults.",
                "account: corrected=7 left=2 complete=no",
                "account: corrected=7 left=0 complete=revision 3",
            ]
        );
        let json: serde_json::Value =
            serde_json::from_str(&rendered(&report, true).expect("JSON")).expect("JSON");
        assert_eq!(json["built"][0]["findings"][0]["holder"], "default/account#1");
        assert_eq!(json["built"][1]["complete"], 3);
    }
}
