//! `repair`: writes events that read models are missing, from the log.
//!
//! With `--bus` or `--deadlines` it hands over to the modules of these names.

use std::{num::NonZeroU32, process::ExitCode, time::Duration};

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
use ledgerfold_aws::SystemClock;

/// How many streams are repaired concurrently: few, so that live traffic keeps its throughput.
const CONCURRENT_STREAMS: usize = 4;

#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    choice: Choice,
    /// Replace rows that have diverged with the fold of their stream; without this, they are only reported
    #[arg(long)]
    overwrite: bool,
    /// Count streams that a tally has no memo of. Use it only if the audit found the counters correct,
    /// because then these streams were never counted; otherwise they may be counted twice
    #[arg(long)]
    count_lost: bool,
    /// Publish events that the bus has not published, and repair nothing else. Every consumer on the bus
    /// receives them
    #[arg(long, conflicts_with_all = ["overwrite", "count_lost", "projection"])]
    bus: bool,
    /// Schedule missing deadlines, and repair nothing else
    #[arg(long, conflicts_with_all = ["overwrite", "count_lost", "projection", "bus", "rate"])]
    deadlines: bool,
    /// How long the message of a deadline may be on its way before the deadline counts as missing
    /// [default: 1800]
    #[arg(long, value_name = "SECONDS", requires = "deadlines")]
    grace: Option<u64>,
    #[command(flatten)]
    window: WindowOptions,
    /// At most this many streams a second, or with --bus commits [default with --bus: 50]
    #[arg(long, value_name = "COUNT")]
    rate: Option<NonZeroU32>,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

impl Options {
    pub(super) fn projections(&self) -> &[String] {
        &self.choice.projection
    }

    /// Whether it repairs something else than read models.
    pub(super) const fn needs_own_log(&self) -> bool {
        self.bus || self.deadlines
    }

    fn confirm(&self) -> Result<(), CliError> {
        if self.overwrite {
            confirm("Replace rows that differ from the fold of their stream?", self.yes)?;
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
        let ports = context.projector_ports(&model.skips);
        Repairer::new(model.model.clone(), ports, on_divergence)
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
    // Completed repairs stay in place after an interruption, so report them.
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
    let bar = progress("streams checked");
    let models = context.models().await?;
    let pace = &RateLimit::new(options.rate, &SystemClock);
    let mut walk = options.choice.walk(context);
    while let Some((streams, place)) = walk.next().await? {
        for model in &models {
            model.still_alone().await.map_err(|cause| interrupted(cause, place.as_ref()))?;
            let repairer = &options.repairer(model, context);
            let selection = model.models.selection();
            let mut repairs = stream::iter(streams.iter().filter(|it| selection.has(it)))
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

/// The result of a repair.
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
        project::{Comparison, Extent, Verdict},
        reconcile::{Effect, Repair},
    };

    use super::Repairs;
    use crate::output::rendered;

    #[test]
    fn completed_and_remaining_repairs_are_reported() {
        let mut report = Repairs { streams: 3, ..Repairs::default() };
        for (verdict, effect) in [
            (Verdict::Current, Effect::None),
            (Verdict::Behind, Effect::CaughtUp),
            (Verdict::Diverged, Effect::Left),
        ] {
            let (stored, head) = (Some(Version::new(1)), Version::new(2));
            let (waiting_since, counted, skipped) = (None, None, Vec::new());
            let extent = Extent::Whole;
            let before =
                Comparison { stored, head, waiting_since, verdict, extent, counted, skipped };
            let stream = "default/account#1".parse().expect("a stream");
            report.add("statements", &Repair { stream, before, effect });
        }
        let text = rendered(&report, false).expect("text");
        assert!(text.ends_with("caught-up=1 overwritten=0 left=1 streams=3\n"), "{text}");
        assert_eq!(text.lines().count(), 4, "{text}");
    }
}
