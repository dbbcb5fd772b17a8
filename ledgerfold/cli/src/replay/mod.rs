//! `ledgerfold replay`: replays events from the bus's archive to projections.

mod report;
mod start;
mod watch;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use ledgerfold::vocabulary::ReplayName;
use ledgerfold_eventbridge::Replays;

use crate::{
    error::CliError,
    output::{Output, progress},
    target::Target,
};
use ledgerfold_aws::{SystemClock, SystemRandom};

use report::{Cancelled, Listed, Shown};
use start::Start;
use watch::watch;

pub(crate) use start::{fresh_name, start};
pub(crate) use watch::verdict;

#[derive(Debug, Subcommand)]
pub(crate) enum Replay {
    /// Replay the events of a period to projections, and to no other consumer
    Start(Start),
    /// Wait for the end of a replay; the exit code is 0 if it completed
    Watch(Name),
    /// Stop a replay; events already sent are not taken back
    Cancel(Name),
    /// List the archive's replays of the last 90 days
    List(List),
}

/// The name of a replay.
#[derive(Debug, Args)]
pub(crate) struct Name {
    /// The name that `replay start` printed
    name: String,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Stop after the page that reaches this many replays
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
    limit: u16,
    /// Continue where an earlier list ended
    #[arg(long, value_name = "PLACE")]
    from: Option<String>,
}

pub(crate) async fn run(
    command: &Replay,
    target: &Target,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let client = target.connection.eventbridge().await;
    let replays = Replays::open(client, target.archive()?).await?;
    match command {
        Replay::Start(options) => {
            let world = start::World { clock: &SystemClock, random: &SystemRandom };
            start::run(options, target, &replays, &world, output).await
        }
        Replay::Watch(Name { name }) => {
            let name = ReplayName(name.clone());
            let status = watch(&replays, &name, &SystemClock).await?;
            output.report(&Shown::from(&status))?;
            verdict(&status)
        }
        Replay::Cancel(Name { name }) => {
            let state = replays.cancel(&ReplayName(name.clone())).await?;
            output.report(&Cancelled::of(name, state))?;
            Ok(ExitCode::SUCCESS)
        }
        Replay::List(options) => {
            output.report(&list(options, &replays).await?)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn list(options: &List, replays: &Replays) -> Result<Listed, CliError> {
    let bar = progress("replays");
    let mut listed = Listed { replays: Vec::new(), next: options.from.clone() };
    loop {
        let page = replays.list(listed.next.as_deref()).await?;
        listed.replays.extend(page.replays.iter().map(Shown::from));
        bar.set_position(u64::try_from(listed.replays.len()).unwrap_or(u64::MAX));
        listed.next = page.next;
        if listed.next.is_none() || listed.replays.len() >= usize::from(options.limit) {
            bar.finish_and_clear();
            return Ok(listed);
        }
    }
}
