//! `repair`: what read models lack, from the log.

use std::{num::NonZeroU32, process::ExitCode, sync::Arc, time::Duration};

use clap::Args;
use futures::{StreamExt, stream};
use ledgerfold::{
    StreamId, Version,
    reconcile::{Effect, LostMemos, OnDivergence, Repair, Repairer},
    waiting::RateLimit,
};
use serde::Serialize;

use super::{
    Context, Model,
    bus::{self, WindowOptions},
    deadlines,
    walk::{Choice, interrupted},
};
use crate::{
    error::{CliError, FINDINGS},
    output::{Output, Report, confirm, progress, table},
};
use ledgerfold_aws::{SystemClock, SystemRandom};

/// How many streams are repaired at a time: few, so that live traffic keeps its throughput.
const CONCURRENT_STREAMS: usize = 4;

#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    choice: Choice,
    /// Write the fold over rows that have diverged, which are only reported otherwise
    #[arg(long)]
    overwrite: bool,
    /// Count streams that a tally has no memo of. Only where the audit has found the counters right:
    /// if the memo was lost and not the messages, they are counted twice
    #[arg(long)]
    count_lost: bool,
    /// Publish what the bus has not published, and repair nothing else: read models, and everybody else
    /// on the bus, get it as they get all events
    #[arg(long, conflicts_with_all = ["overwrite", "count_lost", "projection"])]
    bus: bool,
    /// Schedule the deadlines that are lost, and repair nothing else
    #[arg(long, conflicts_with_all = ["overwrite", "count_lost", "projection", "bus", "rate"])]
    deadlines: bool,
    /// How long the message of a deadline may take to arrive before it counts as lost; half an hour if
    /// nothing is said
    #[arg(long, value_name = "SECONDS", requires = "deadlines")]
    grace: Option<u64>,
    #[command(flatten)]
    window: WindowOptions,
    /// At most so many streams a second; with --bus commits, 50 if no number is given
    #[arg(long, value_name = "COUNT")]
    rate: Option<NonZeroU32>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

impl Options {
    pub(super) fn projections(&self) -> &[String] {
        &self.choice.projection
    }

    fn confirm(&self) -> Result<(), CliError> {
        if self.overwrite {
            confirm("Write over rows that are not the fold of their stream?", self.yes)?;
        }
        if self.count_lost {
            confirm("Count streams that have no memo?", self.yes)?;
        }
        Ok(())
    }

    fn repairer(&self, model: &Model, context: &Context) -> Repairer {
        let on_divergence =
            if self.overwrite { OnDivergence::Overwrite } else { OnDivergence::Report };
        let lost_memos = if self.count_lost { LostMemos::Count } else { LostMemos::Leave };
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let (of, log, skips) = (model.model.clone(), context.log.clone(), model.skips.clone());
        Repairer::new(of, log, skips, clock, random, on_divergence)
            .with_lost_memos(lost_memos)
            .with_quarantine(model.quarantine.clone())
    }
}

pub(super) async fn run(
    options: &Options,
    context: &Context,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    if options.bus {
        let Options { choice, window, rate, yes, .. } = options;
        return bus::republish(choice, window, *rate, *yes, context, output).await;
    }
    if options.deadlines {
        let Options { choice, grace, yes, .. } = options;
        let grace = grace.map(Duration::from_secs);
        return deadlines::repair(choice, grace, *yes, context, output).await;
    }
    options.confirm()?;
    let mut report = Repairs::default();
    let outcome = repair(options, context, &mut report).await;
    // What was done before an interruption is done.
    if outcome.is_ok() || !report.repairs.is_empty() {
        output.report(&report)?;
    }
    outcome?;
    Ok(if report.left == 0 { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) })
}

async fn repair(
    options: &Options,
    context: &Context,
    report: &mut Repairs,
) -> Result<(), CliError> {
    let bar = progress("streams looked at");
    let models = context.models().await?;
    let pace = &RateLimit::new(options.rate, &SystemClock);
    let mut walk = options.choice.walk(context);
    while let Some((streams, place)) = walk.next().await? {
        for model in &models {
            model.still_alone().await.map_err(|cause| interrupted(cause, place.as_ref()))?;
            let repairer = &options.repairer(model, context);
            let mut repairs = stream::iter(&streams)
                .map(|stream| async move {
                    pace.take(1).await;
                    repairer.repair(stream).await
                })
                .buffered(CONCURRENT_STREAMS);
            while let Some(repair) = repairs.next().await {
                let repair = repair.map_err(|error| interrupted(error.into(), place.as_ref()))?;
                report.add(model.projection, &repair);
            }
        }
        report.streams += u64::try_from(streams.len()).unwrap_or(u64::MAX);
        bar.set_position(report.streams);
    }
    bar.finish_and_clear();
    Ok(())
}

/// What the repair has done.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Repairs {
    streams: u64,
    caught_up: u64,
    overwritten: u64,
    left: u64,
    repairs: Vec<Done>,
}

#[derive(Debug, Serialize)]
struct Done {
    projection: &'static str,
    stream: StreamId,
    was: &'static str,
    stored: Option<Version>,
    head: Version,
    effect: &'static str,
}

impl Repairs {
    fn add(&mut self, projection: &'static str, repair: &Repair) {
        let (effect, count) = match repair.effect {
            Effect::None => return,
            Effect::CaughtUp => ("caught up", &mut self.caught_up),
            Effect::Overwritten => ("overwritten", &mut self.overwritten),
            Effect::Left => ("left", &mut self.left),
        };
        *count += 1;
        let comparison = &repair.before;
        self.repairs.push(Done {
            projection,
            stream: repair.stream.clone(),
            was: comparison.verdict.name(),
            stored: comparison.stored,
            head: comparison.head,
            effect,
        });
    }
}

impl Report for Repairs {
    fn text(&self) -> String {
        let mut text = String::new();
        if !self.repairs.is_empty() {
            let rows = self.repairs.iter().map(|done| {
                [
                    done.projection.to_owned(),
                    done.stream.to_string(),
                    done.was.to_owned(),
                    done.stored.map_or_else(|| "-".to_owned(), |version| version.to_string()),
                    done.head.to_string(),
                    done.effect.to_owned(),
                ]
            });
            text += &table(["projection", "stream", "was", "row at", "stream at", "effect"], rows);
        }
        let Self { streams, caught_up, overwritten, left, .. } = self;
        text + &format!(
            "caught-up={caught_up} overwritten={overwritten} left={left} streams={streams}\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use ledgerfold::{
        Version,
        project::{Comparison, Verdict},
        reconcile::{Effect, Repair},
    };

    use super::Repairs;
    use crate::output::rendered;

    #[test]
    fn what_was_done_and_what_was_left_is_said() {
        let mut report = Repairs { streams: 3, ..Repairs::default() };
        for (verdict, effect) in [
            (Verdict::Current, Effect::None),
            (Verdict::Behind, Effect::CaughtUp),
            (Verdict::Diverged, Effect::Left),
        ] {
            let (stored, head) = (Some(Version::new(1)), Version::new(2));
            let (waiting_since, counted, skipped) = (None, None, Vec::new());
            let before = Comparison { stored, head, waiting_since, verdict, counted, skipped };
            let stream = "book#1".parse().expect("a stream");
            report.add("loans", &Repair { stream, before, effect });
        }
        let text = rendered(&report, false).expect("text");
        assert!(text.ends_with("caught-up=1 overwritten=0 left=1 streams=3\n"), "{text}");
        assert_eq!(text.lines().count(), 4, "{text}");
    }
}
