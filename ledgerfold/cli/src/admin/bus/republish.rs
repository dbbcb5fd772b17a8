//! `repair --bus`: publishes events of the log that the bus has not published.

use std::{num::NonZeroU32, process::ExitCode, sync::Arc};

use ledgerfold::{
    relay::{Relay, StreamRecord},
    vocabulary::Commit,
    waiting::RateLimit,
};
use serde::Serialize;

use super::{AuditedBus, BusContents, Unpublished, WindowOptions};
use crate::{
    admin::{
        Context,
        walk::{Choice, interrupted},
    },
    error::CliError,
    output::{Output, Report, confirm, progress, table},
};
use ledgerfold_aws::{SystemClock, SystemRandom};

/// Slow enough for consumers to keep up while live traffic continues.
const COMMITS_PER_SECOND: NonZeroU32 = NonZeroU32::new(50).expect("it is not zero");

/// Publishes commit by commit, as the relay does. Consumers see a late delivery: they recognise events by
/// id, and may receive one twice.
pub(in crate::admin) async fn run(
    choice: &Choice,
    window: &WindowOptions,
    rate: Option<NonZeroU32>,
    yes: bool,
    context: &Context,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let relay = relay(context).await?;
    confirm("Publish the missing events? Every consumer on the bus receives them.", yes)?;
    let contents = BusContents::read(context, window).await?;
    let mut report =
        Republished { bus: contents.audited(), streams: 0, published: 0, commits: Vec::new() };
    let rate = rate.unwrap_or(COMMITS_PER_SECOND);
    let outcome = republish(choice, &contents, &relay, rate, context, &mut report).await;
    // Continuing with `--from` does not report these again, so report them now.
    if outcome.is_ok() || report.published > 0 {
        output.report(&report)?;
    }
    outcome?;
    Ok(ExitCode::SUCCESS)
}

async fn relay(context: &Context) -> Result<Relay, CliError> {
    let publisher = Arc::new(context.target.publisher().await?);
    let relay = Relay::new(publisher, Arc::new(SystemClock), Arc::new(SystemRandom));
    Ok(relay.publishing(context.declaration.public_forms().clone()))
}

async fn republish(
    choice: &Choice,
    contents: &BusContents,
    relay: &Relay,
    rate: NonZeroU32,
    context: &Context,
    report: &mut Republished,
) -> Result<(), CliError> {
    let pace = RateLimit::new(Some(rate), &SystemClock);
    let bar = progress("commits published");
    let mut walk = choice.walk(context);
    while let Some((streams, place)) = walk.next().await? {
        let lacking = contents.lacks(context, &streams).await;
        for commit in lacking.map_err(|cause| interrupted(cause, place.as_ref()))? {
            pace.take(1).await;
            let published = publish(relay, &commit).await;
            published.map_err(|cause| interrupted(cause, place.as_ref()))?;
            report.published += 1;
            report.commits.push(Unpublished::from(&commit));
            bar.set_position(report.published);
        }
        report.streams += u64::try_from(streams.len()).unwrap_or(u64::MAX);
    }
    bar.finish_and_clear();
    Ok(())
}

async fn publish(relay: &Relay, commit: &Commit) -> Result<(), CliError> {
    let name = format!("{} at {}", commit.stream(), commit.from());
    let record = StreamRecord { sequence_number: name.clone(), name, commit: Ok(commit.clone()) };
    relay.publish(&[record]).await.map_err(|unsent| CliError::Unsent {
        commit: unsent.sequence_number,
        reason: unsent.reason,
    })
}

/// The commits that were published again.
#[derive(Debug, Serialize)]
struct Republished {
    bus: AuditedBus,
    streams: u64,
    published: u64,
    commits: Vec<Unpublished>,
}

impl Report for Republished {
    fn text(&self) -> String {
        let mut text = String::new();
        if !self.commits.is_empty() {
            text += &table(Unpublished::COLUMNS, self.commits.iter().map(Unpublished::row));
        }
        text += &self.bus.text();
        text + &format!("published={} streams={}\n", self.published, self.streams)
    }
}
