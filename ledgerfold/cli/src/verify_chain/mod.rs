//! `ledgerfold verify-chain`: verifies the hash chains of streams.

use std::{process::ExitCode, sync::Arc};

use clap::Args;
use futures::{StreamExt as _, stream};
use ledgerfold::{
    StreamId, Version,
    chain::{ChainVerifier, Fault, Finding},
    ports::{PageWalk, Resume, Segment, Streams},
};
use ledgerfold_dynamodb::DynamoStreams;
use serde::Serialize;

use crate::{
    error::{CliError, FINDINGS},
    output::{Output, Report, progress, table},
    stream_name::{Included, StreamName},
    target::Target,
};

/// How many streams are verified concurrently.
const CONCURRENT_STREAMS: usize = 8;
/// Commits per page of the list of streams. An interrupted command repeats at most one page.
const COMMITS_PER_PAGE: u16 = 500;

/// Verify that no stored commit was changed, removed or moved
///
/// Every commit has a hash of its content and of the hash of the commit before it. This command reads each stream and
/// computes the hashes again. `edited`: the commit does not have the hash of its content at this place. `missing`: the
/// commits before this one were removed. `unreadable`: the commit cannot be read.
///
/// The chain does not show that the newest commits or a whole stream were removed, or that someone changed a commit and
/// computed all later hashes again. Against these, keep the version and hash of a stream, which this command prints
/// for named streams, in another place, and compare them later. A list of all streams leaves out a stream whose first
/// commit was removed: name it.
#[derive(Debug, Args)]
pub(crate) struct VerifyChain {
    /// The streams, for example `order#4edde2f3-9e3f-8d71-857a-17616c743abd` [default: all]
    #[arg(value_name = "STREAM")]
    stream: Vec<StreamName>,
    /// Only streams of this category, for example `order`
    #[arg(long, conflicts_with = "stream")]
    category: Option<String>,
    /// Continue at the place that an interrupted run printed
    #[arg(long, value_name = "PLACE", conflicts_with = "stream")]
    from: Option<String>,
}

pub(crate) async fn run(
    command: &VerifyChain,
    target: &Target,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let index = DynamoStreams::new(target.connection.dynamodb().await, target.event_table()?);
    let index = index.in_pages_of(COMMITS_PER_PAGE);
    let tenant = target.tenant.clone();
    let named = tenant.streams(&command.stream);
    let log = ChainVerifier::new(Arc::new(target.log().await?));
    let mut report = Verified::default();
    let outcome = verify(command, &named, &Included { index, tenant }, &log, &mut report).await;
    // Continuing with `--from` does not find these again, so report them now.
    if outcome.is_ok() || report.streams > 0 {
        output.report(&report)?;
    }
    outcome?;
    Ok(report.exit_code())
}

async fn verify(
    command: &VerifyChain,
    named: &[StreamId],
    index: &dyn Streams,
    log: &ChainVerifier,
    report: &mut Verified,
) -> Result<(), CliError> {
    let bar = progress("streams verified");
    if !named.is_empty() {
        for chain in chains(named, log).await? {
            if chain.commits == 0 && chain.findings.is_empty() {
                let stream = chain.stream.to_string();
                return Err(CliError::NoStream { stream, until: "" });
            }
            report.heads.extend(chain.head());
            report.add(chain);
        }
        bar.finish_and_clear();
        return Ok(());
    }
    let mut walk = PageWalk::start();
    if let Some(place) = &command.from {
        walk.go_to(Some(Resume(place.clone())));
    }
    while let Some(from) = walk.next_place() {
        let page = page(command, index, log, from.as_ref(), &mut walk).await;
        for chain in page.map_err(|cause| interrupted(cause, from.as_ref()))? {
            report.add(chain);
        }
        bar.set_position(report.streams);
    }
    bar.finish_and_clear();
    Ok(())
}

async fn page(
    command: &VerifyChain,
    index: &dyn Streams,
    log: &ChainVerifier,
    from: Option<&Resume>,
    walk: &mut PageWalk,
) -> Result<Vec<Chain>, CliError> {
    let mut streams = walk.turn(index.list(Segment::WHOLE, from).await?);
    streams.retain(|stream| {
        command.category.as_ref().is_none_or(|wanted| stream.category().as_str() == wanted)
    });
    chains(&streams, log).await
}

async fn chains(streams: &[StreamId], log: &ChainVerifier) -> Result<Vec<Chain>, CliError> {
    let chains = stream::iter(streams).map(|stream| Chain::of(stream, log));
    let chains: Vec<_> = chains.buffered(CONCURRENT_STREAMS).collect().await;
    chains.into_iter().collect()
}

fn interrupted(cause: CliError, place: Option<&Resume>) -> CliError {
    match place {
        Some(Resume(place)) => {
            CliError::Interrupted { cause: Box::new(cause), place: place.clone() }
        }
        None => cause,
    }
}

/// A verified stream.
struct Chain {
    stream: StreamId,
    commits: u64,
    newest: Option<(Version, String)>,
    findings: Vec<Finding>,
}

impl Chain {
    async fn of(stream: &StreamId, log: &ChainVerifier) -> Result<Self, CliError> {
        let mut walk = log.walk(stream.clone());
        let mut findings = Vec::new();
        while let Some(found) = walk.next().await? {
            findings.extend(found);
        }
        let newest = walk.head().map(|(version, hash)| (version, hash.to_string()));
        Ok(Self { stream: stream.clone(), commits: walk.commits(), newest, findings })
    }

    fn head(&self) -> Option<Head> {
        let (version, hash) = self.newest.clone()?;
        Some(Head { stream: self.stream.clone(), version, hash })
    }
}

/// The result of a verification.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Verified {
    streams: u64,
    commits: u64,
    totals: Totals,
    findings: Vec<Found>,
    /// The newest commits of the named streams.
    heads: Vec<Head>,
}

#[derive(Debug, Default, Serialize)]
struct Totals {
    edited: u64,
    missing: u64,
    unreadable: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    stream: StreamId,
    version: Version,
    command_id: Option<String>,
    fault: &'static str,
    reason: String,
}

#[derive(Debug, Serialize)]
struct Head {
    stream: StreamId,
    version: Version,
    /// The stored hash, as 64 hexadecimal digits.
    hash: String,
}

impl Verified {
    fn add(&mut self, chain: Chain) {
        self.streams += 1;
        self.commits += chain.commits;
        for found in chain.findings {
            let count = match found.fault {
                Fault::Edited => &mut self.totals.edited,
                Fault::Missing { .. } => &mut self.totals.missing,
                Fault::Unreadable(_) => &mut self.totals.unreadable,
            };
            *count += 1;
            self.findings.push(Found::from(found));
        }
    }

    fn exit_code(&self) -> ExitCode {
        if self.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) }
    }
}

impl From<Finding> for Found {
    fn from(found: Finding) -> Self {
        Self {
            fault: found.fault.name(),
            reason: found.fault.to_string(),
            stream: found.stream,
            version: found.version,
            command_id: found.command.map(|id| id.to_string()),
        }
    }
}

impl Report for Verified {
    fn text(&self) -> String {
        let mut text = String::new();
        if !self.findings.is_empty() {
            let rows = self.findings.iter().map(|found| {
                [
                    found.stream.to_string(),
                    found.version.to_string(),
                    found.command_id.clone().unwrap_or_else(|| "-".to_owned()),
                    found.fault.to_owned(),
                    found.reason.clone(),
                ]
            });
            text += &table(["stream", "version", "command", "fault", "reason"], rows);
        }
        if !self.heads.is_empty() {
            let rows = self
                .heads
                .iter()
                .map(|head| [head.stream.to_string(), head.version.to_string(), head.hash.clone()]);
            text += &table(["stream", "version", "hash"], rows);
        }
        let Totals { edited, missing, unreadable } = self.totals;
        let Self { commits, streams, .. } = self;
        text += &format!(
            "edited={edited} missing={missing} unreadable={unreadable} commits={commits} streams={streams}\n"
        );
        text
    }
}

#[cfg(test)]
mod tests;
