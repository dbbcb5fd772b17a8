//! `ledgerfold verify`: compares a table, an export or a restored copy with the transparency log.

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use ledgerfold::{
    ports::{Clock as _, PayloadError, PayloadStore},
    vocabulary::ContentId,
};
use ledgerfold_aws::SystemClock;
use ledgerfold_transparency::ObjectStore as _;
use ledgerfold_verifier::{
    Checkpoint, Comparison, Finding, Item, ItemError, PublicKey, SealedLog, Stored, Window,
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    LogCommandError, export, keys, read,
    source::{LogAt, Place},
    table,
};
use crate::{
    duration::duration,
    error::{CliError, FINDINGS},
    output::{Output, Report, table as columns},
    target::Target,
};

/// Compare all commits with the transparency log
///
/// It reads the event table, or with --export the files of an export, or with --event-table a restored copy. Findings have the
/// stream, the version and the kind: `edited`, `dropped`, `reordered`, `truncated` (the newest commits are missing),
/// `missing` (the whole stream is missing), `forked` (other commits with right hashes), `inserted`, or `unsealed` (too old
/// to be without an entry).
///
/// Give a checkpoint that you kept in another place. Without one, the published checkpoint counts, and the command only
/// shows that table and log agree: whoever can write both could have changed both. The command keeps all commits in
/// memory.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The log: `s3://BUCKET/PREFIX`, or a folder with a copy
    #[arg(long, value_name = "PLACE")]
    pub(super) log: Place,
    /// The public key of the log, or a file with it; may be repeated
    #[arg(long = "key", required = true, value_name = "KEY")]
    pub(super) keys: Vec<String>,
    /// A file with a checkpoint that you kept; may be repeated
    #[arg(long = "checkpoint", value_name = "FILE")]
    pub(super) checkpoints: Vec<PathBuf>,
    /// Compare only with the checkpoints that you kept, not with the published one: for a copy that is older
    #[arg(long, requires = "checkpoints")]
    pub(super) only_kept: bool,
    /// A file of an export instead of the table; may be repeated
    #[arg(long = "export", value_name = "FILE")]
    pub(super) exports: Vec<PathBuf>,
    /// How old a commit may be without an entry in the log
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    pub(super) unsealed_for: Duration,
    /// The time of the copy, for example 2026-11-29T00:00:00Z [default: now]
    #[arg(long, value_name = "INSTANT")]
    pub(super) at: Option<Timestamp>,
}

pub(crate) async fn run(
    command: &Verify,
    target: &Target,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let log = LogAt::open(&command.log, target).await;
    // Before the table: a commit that is sealed meanwhile must not be missing in what was read.
    let sealed = sealed(command, &log).await?;
    let mut found = Streams::default();
    if command.exports.is_empty() {
        let client = target.connection.dynamodb().await;
        table::items(&client, target.event_table()?, |item| found.add(&item)).await?;
    } else {
        found.add_files(&command.exports)?;
    }
    let streams = found.complete(target.payloads().await).await?;
    let report = compare(command, &sealed, &streams);
    output.report(&report)?;
    Ok(report.exit_code())
}

/// The report about an export without a payload store, and about a copy of the log in a folder.
#[cfg(test)]
pub(super) async fn of_export(command: &Verify) -> Result<Verified, CliError> {
    let Place::Folder(folder) = &command.log else { return Ok(Verified::default()) };
    let sealed = sealed(command, &LogAt::Folder(folder.clone())).await?;
    let mut found = Streams::default();
    found.add_files(&command.exports)?;
    Ok(compare(command, &sealed, &found.complete(None).await?))
}

/// The entries of the log, compared with the checkpoints.
async fn sealed(command: &Verify, log: &LogAt) -> Result<SealedLog, LogCommandError> {
    let checkpoints = checkpoints(command, log, &keys(&command.keys)?).await?;
    Ok(SealedLog::read(log, &checkpoints).await?)
}

/// The checkpoints to compare with, verified.
async fn checkpoints(
    command: &Verify,
    log: &LogAt,
    keys: &[PublicKey],
) -> Result<Vec<Checkpoint>, LogCommandError> {
    let mut notes = Vec::new();
    for path in &command.checkpoints {
        notes.push((path.display().to_string(), read(path)?));
    }
    if !command.only_kept {
        let published = log.get("checkpoint").await?;
        let published = published.and_then(|note| String::from_utf8(note).ok());
        notes.push(("checkpoint".to_owned(), published.ok_or(LogCommandError::NoCheckpoint)?));
    }
    let verify = |(place, note): (String, String)| {
        let verified = Checkpoint::verify(&note, keys);
        verified.map_err(|error| LogCommandError::Checkpoint { place, error })
    };
    notes.into_iter().map(verify).collect()
}

/// The commits by stream.
#[derive(Default)]
struct Streams {
    items: BTreeMap<String, Vec<Result<Item, ItemError>>>,
    /// Items without a readable stream.
    strangers: u64,
}

impl Streams {
    fn add(&mut self, item: &Map<String, Value>) {
        let parsed = Item::parse(item);
        let stream = match &parsed {
            Ok(item) => Some(item.stream().to_owned()),
            Err(error) => error.from.and(error.stream.clone()),
        };
        match stream {
            Some(stream) => self.items.entry(stream).or_default().push(parsed),
            None => self.strangers += 1,
        }
    }

    fn add_files(&mut self, paths: &[PathBuf]) -> Result<(), LogCommandError> {
        paths.iter().try_for_each(|path| export::items(path, |item| self.add(&item)))
    }

    /// Fetches the events that are in the payload store.
    async fn complete(self, payloads: Option<Arc<dyn PayloadStore>>) -> Result<Compared, CliError> {
        let mut streams = BTreeMap::new();
        for (stream, items) in self.items {
            let mut stored = Vec::with_capacity(items.len());
            for item in items {
                stored.push(stored_commit(item, payloads.as_deref()).await?);
            }
            streams.insert(stream, stored);
        }
        Ok(Compared { streams, strangers: self.strangers })
    }
}

/// All commits, with their events.
struct Compared {
    streams: BTreeMap<String, Vec<Stored>>,
    strangers: u64,
}

async fn stored_commit(
    item: Result<Item, ItemError>,
    payloads: Option<&dyn PayloadStore>,
) -> Result<Stored, CliError> {
    let commit = match item {
        Ok(item) => {
            let payload = match item.payload() {
                Some(id) => payload(id, payloads).await?,
                None => None,
            };
            item.commit(payload.as_deref())
        }
        Err(error) => Err(error),
    };
    Ok(match commit {
        Ok(commit) => Stored::Commit(Box::new(commit)),
        Err(error) => Stored::Unreadable {
            from: error.from.unwrap_or_default(),
            reason: error.reason.to_owned(),
        },
    })
}

/// The content in the payload store; `None` if it is not there or no text, so that the commit counts as edited. A store that
/// does not answer is an error and no tampering. The content is verified with the hash of the commit.
async fn payload(
    id: &str,
    payloads: Option<&dyn PayloadStore>,
) -> Result<Option<String>, CliError> {
    let subject = "payload store".to_owned();
    let payloads = payloads.ok_or(CliError::NoName { subject, option: "--payloads" })?;
    let Ok(id) = id.parse::<ContentId>() else { return Ok(None) };
    match payloads.get(&id).await {
        Ok(content) => Ok(String::from_utf8(content).ok()),
        Err(PayloadError::Missing(_)) => Ok(None),
        Err(error) => Err(CliError::Call { call: "GetObject", reason: error.to_string() }),
    }
}

fn compare(command: &Verify, sealed: &SealedLog, compared: &Compared) -> Verified {
    let now = command.at.unwrap_or_else(|| SystemClock.now());
    let allowed = SignedDuration::try_from(command.unsealed_for).unwrap_or(SignedDuration::MAX);
    let mut comparison = Comparison::new(sealed, Window { now, allowed });
    let mut report = Verified {
        entries: sealed.size(),
        sealed_at: sealed.sealed_at().map(str::to_owned),
        kept_checkpoints: command.checkpoints.len(),
        strangers: compared.strangers,
        log: sealed.faults().iter().map(ToString::to_string).collect(),
        ..Verified::default()
    };
    for (stream, stored) in &compared.streams {
        report.streams += 1;
        report.commits += stored.len();
        report.findings.extend(comparison.stream(stream, stored).into_iter().map(Found::from));
    }
    report.findings.extend(comparison.end().into_iter().map(Found::from));
    report
}

/// The result of a verification.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Verified {
    streams: usize,
    commits: usize,
    entries: u64,
    sealed_at: Option<String>,
    kept_checkpoints: usize,
    /// The contradictions of the log itself.
    log: Vec<String>,
    /// Items that are no commits of any stream.
    strangers: u64,
    findings: Vec<Found>,
}

#[derive(Debug, Serialize)]
struct Found {
    stream: String,
    version: u64,
    kind: &'static str,
}

impl From<Finding> for Found {
    fn from(found: Finding) -> Self {
        Self { stream: found.stream, version: found.version, kind: found.kind.name() }
    }
}

impl Verified {
    fn exit_code(&self) -> ExitCode {
        let is_sound = self.findings.is_empty() && self.log.is_empty() && self.strangers == 0;
        if is_sound { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) }
    }
}

impl Report for Verified {
    fn text(&self) -> String {
        let mut text: String = self.log.iter().map(|fault| format!("the log: {fault}\n")).collect();
        if !self.findings.is_empty() {
            let rows = self.findings.iter().map(|found| {
                [found.stream.clone(), found.version.to_string(), found.kind.to_owned()]
            });
            text += &columns(["stream", "version", "kind"], rows);
        }
        let Self { streams, commits, entries, strangers, findings, .. } = self;
        let findings = findings.len();
        text + &format!(
            "findings={findings} strangers={strangers} commits={commits} streams={streams} entries={entries}\n"
        )
    }

    fn hint(&self) -> Option<String> {
        (self.kept_checkpoints == 0).then(|| {
            "No checkpoint from elsewhere was given. This shows that the table and the log agree, not that both are \
             unchanged."
                .to_owned()
        })
    }
}
