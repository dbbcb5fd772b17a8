//! `export`: the files of events for analysts.

use std::{process::ExitCode, sync::Arc, time::Duration};

use clap::{Args, Subcommand};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::civil::Date;
use ledgerfold::{
    Timestamp,
    context::Context as Declaration,
    ports::{Clock as _, PageWalk, Segment, Streams as _},
};
use ledgerfold_aws::SystemClock;
use ledgerfold_dynamodb::{DynamoExportProgress, DynamoStreams};
use ledgerfold_export::{
    ExportPorts, Exporter, Finding, Tables, Verification, WindowLength, Withheld,
};
use ledgerfold_s3::S3ExportFiles;
use serde::Serialize;

use super::walk::COMMITS_PER_PAGE;
use crate::{
    duration::duration,
    error::{CliError, FINDINGS},
    output::{Output, Report, progress, table},
    target::{Target, unnamed},
};

/// How many segments of the log are read concurrently.
const SEGMENTS: u32 = 4;
/// How many findings are reported.
const REPORTED: usize = 100;
/// The time between two looks at an export.
const PAUSE: Duration = Duration::from_secs(5);

/// The commands about an export.
#[derive(Debug, Subcommand)]
pub(super) enum Export {
    /// Close the windows that are over and merge files, as the function does
    ///
    /// With `--all`, also add all events that are not in the files: the history from before the export began, and events
    /// whose messages were lost. It can run beside the function, and again after an interruption.
    Run(RunOptions),
    /// Wait until the windows up to a time are closed
    Watch(WatchOptions),
    /// Compare all files with the log, event by event
    Verify(Names),
    /// List the files that belong to the export
    Files(FileOptions),
}

#[derive(Debug, Args)]
pub(super) struct RunOptions {
    /// Add all events that are not in the files
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    names: Names,
}

#[derive(Debug, Args)]
pub(super) struct WatchOptions {
    /// The time up to which all windows must be closed [default: the start of the present window]
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Give up after this time
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    within: Duration,
    #[command(flatten)]
    names: Names,
}

#[derive(Debug, Args)]
pub(super) struct FileOptions {
    /// Only files of this day, for example `2026-11-29`
    #[arg(long)]
    day: Option<Date>,
    /// Only files of this table: `events`, or for example `typed/account/Debited/v1`
    #[arg(long)]
    table: Option<String>,
    #[command(flatten)]
    names: Names,
}

/// The names of the export's resources, if there is no stack file.
#[derive(Debug, Args)]
pub(super) struct Names {
    /// The bucket of the export
    #[arg(long, value_name = "BUCKET")]
    export_bucket: Option<String>,
    /// The table with the progress of the export
    #[arg(long, value_name = "TABLE")]
    export_progress: Option<String>,
    /// The minutes of its windows
    #[arg(long, value_name = "MINUTES")]
    export_minutes: Option<WindowLength>,
}

pub(super) async fn run(
    command: &Export,
    declaration: &Declaration,
    target: &Target,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    if declaration.exported().is_empty() {
        return Err(CliError::NoExport(declaration.name()));
    }
    if target.tenant.chosen().is_some() {
        return Err(CliError::EveryTenant);
    }
    match command {
        Export::Run(options) => {
            let exporter = options.names.exporter(declaration, target).await?;
            export(&exporter, options.all.then_some(target), output).await
        }
        Export::Watch(options) => {
            let window = options.names.window(target)?;
            let until = options.until.unwrap_or_else(|| window.start_of(SystemClock.now()));
            let exporter = options.names.exporter(declaration, target).await?;
            watch(&exporter, until, options.within, output).await
        }
        Export::Verify(names) => {
            verify(&names.exporter(declaration, target).await?, target, output).await
        }
        Export::Files(options) => {
            files(&options.names.exporter(declaration, target).await?, options, output).await
        }
    }
}

impl Names {
    fn window(&self, target: &Target) -> Result<WindowLength, CliError> {
        let named = target.names.export.minutes.as_deref().and_then(|text| text.parse().ok());
        let window = self.export_minutes.or(named);
        window.ok_or_else(|| unnamed("length of the export's windows", "--export-minutes"))
    }

    async fn exporter(
        &self,
        declaration: &Declaration,
        target: &Target,
    ) -> Result<Exporter, CliError> {
        let named = &target.names.export;
        let bucket = self.export_bucket.as_ref().or(named.bucket.as_ref());
        let bucket = bucket.ok_or_else(|| unnamed("bucket of the export", "--export-bucket"))?;
        let table = self.export_progress.as_ref().or(named.progress.as_ref());
        let table = table.ok_or_else(|| unnamed("table of the export", "--export-progress"))?;
        let ports = ExportPorts {
            log: Arc::new(target.log().await?),
            files: Arc::new(S3ExportFiles::new(target.connection.s3().await, bucket, "")),
            progress: Arc::new(DynamoExportProgress::new(
                target.connection.dynamodb().await,
                table,
            )),
            clock: Arc::new(SystemClock),
        };
        let tables = Tables::of(declaration.exported());
        Ok(Exporter::new(ports, tables, self.window(target)?))
    }
}

async fn index(target: &Target) -> Result<DynamoStreams, CliError> {
    let index = DynamoStreams::new(target.connection.dynamodb().await, target.event_table()?);
    Ok(index.in_pages_of(COMMITS_PER_PAGE).strongly_consistent())
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Exported {
    events: u64,
    windows: u64,
    merged: u64,
    withheld: Vec<Withheld>,
}

/// Runs the export, and first fills it from all of this deployment's log if there is one.
async fn export(
    exporter: &Exporter,
    log: Option<&Target>,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let mut report = Exported::default();
    if let Some(target) = log {
        let index = index(target).await?;
        let bar = progress("events exported");
        let segments = Segment::split(SEGMENTS);
        let filled = stream::iter(segments).map(|segment| fill(exporter, &index, segment, &bar));
        let filled: Vec<_> = filled.buffer_unordered(usize::MAX).try_collect().await?;
        bar.finish_and_clear();
        for one in filled {
            report.events += one.events;
            report.withheld.extend(one.withheld);
        }
    }
    let run = exporter.close_windows(Timestamp::MAX).await?;
    report.events += run.events;
    report.windows = run.windows;
    report.withheld.extend(run.withheld);
    report.merged = exporter.compact(Timestamp::MAX).await?;
    output.report(&report)?;
    Ok(if report.withheld.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) })
}

async fn fill(
    exporter: &Exporter,
    index: &DynamoStreams,
    segment: Segment,
    bar: &indicatif::ProgressBar,
) -> Result<Exported, CliError> {
    let mut filled = Exported::default();
    let mut walk = PageWalk::start();
    while let Some(from) = walk.next_place() {
        let streams = walk.turn(index.list(segment, from.as_ref()).await?);
        let run = exporter.back_fill(&streams).await?;
        bar.inc(run.events);
        filled.events += run.events;
        filled.withheld.extend(run.withheld);
    }
    Ok(filled)
}

impl Report for Exported {
    fn text(&self) -> String {
        let Self { events, windows, merged, withheld } = self;
        let mut text = format!(
            "{events} events exported, {windows} windows closed, {merged} groups of files merged\n"
        );
        for Withheld { stream, reason } in withheld {
            text.push_str(&format!("{stream} cannot be exported: {reason}\n"));
        }
        text
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Watched {
    closed: Option<Timestamp>,
    number: u64,
}

async fn watch(
    exporter: &Exporter,
    until: Timestamp,
    within: Duration,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let bar = progress("steps");
    let given_up = SystemClock.now().checked_add(within).unwrap_or(Timestamp::MAX);
    loop {
        let live = exporter.live().await?;
        bar.set_position(live.number);
        if live.closed.is_some_and(|closed| closed >= until) {
            bar.finish_and_clear();
            output.report(&Watched { closed: live.closed, number: live.number })?;
            return Ok(ExitCode::SUCCESS);
        }
        if SystemClock.now() >= given_up {
            return Err(CliError::NotClosed(until));
        }
        SystemClock.sleep(PAUSE).await;
    }
}

impl Report for Watched {
    fn text(&self) -> String {
        let closed = self.closed.map_or_else(String::new, |closed| closed.to_string());
        format!("closed up to {closed}\n")
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Verified {
    events: u64,
    files: usize,
    closed: Option<Timestamp>,
    findings: usize,
    /// The first findings.
    reported: Vec<Finding>,
}

async fn verify(
    exporter: &Exporter,
    target: &Target,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let bar = progress("events compared");
    let mut verification = Verification::begin(exporter).await?;
    let mut findings = verification.files(|rows| bar.set_position(rows)).await?;
    let index = index(target).await?;
    let mut walk = PageWalk::start();
    while let Some(from) = walk.next_place() {
        for stream in walk.turn(index.list(Segment::WHOLE, from.as_ref()).await?) {
            findings.extend(verification.missing(&stream).await?);
        }
    }
    bar.finish_and_clear();
    let live = verification.live();
    let report = Verified {
        events: verification.rows(),
        files: live.units().values().map(|unit| unit.files.len()).sum(),
        closed: live.closed,
        findings: findings.len(),
        reported: findings.into_iter().take(REPORTED).collect(),
    };
    output.report(&report)?;
    Ok(if report.findings == 0 { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) })
}

impl Report for Verified {
    fn text(&self) -> String {
        let Self { events, files, findings, .. } = self;
        let mut text = format!("{events} events in {files} files, {findings} findings\n");
        for finding in &self.reported {
            text.push_str(&format!("{finding}\n"));
        }
        text
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    files: Vec<ListedFile>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ListedFile {
    table: String,
    day: Date,
    rows: u64,
    bytes: u64,
    uri: String,
}

async fn files(
    exporter: &Exporter,
    options: &FileOptions,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let live = exporter.live().await?;
    let mut files = Vec::new();
    for unit in live.units().values() {
        if options.day.is_some_and(|day| day != unit.day) {
            continue;
        }
        let wanted = |table: &String| options.table.as_ref().is_none_or(|it| it == table);
        for file in unit.files.iter().filter(|file| wanted(&file.table)) {
            let (table, uri) = (file.table.clone(), exporter.uri(&file.key));
            let (rows, bytes) = (file.rows, file.bytes);
            files.push(ListedFile { table, day: unit.day, rows, bytes, uri });
        }
    }
    output.report(&Listed { files })?;
    Ok(ExitCode::SUCCESS)
}

impl Report for Listed {
    fn text(&self) -> String {
        let row = |file: &ListedFile| {
            let ListedFile { table, day, rows, bytes, uri } = file;
            [table.clone(), day.to_string(), rows.to_string(), bytes.to_string(), uri.clone()]
        };
        table(["TABLE", "DAY", "ROWS", "BYTES", "FILE"], self.files.iter().map(row))
    }
}
