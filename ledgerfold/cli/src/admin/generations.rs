//! `generations`, `remove-old` and `abandon`: lists the generations of projections and removes them.

use std::{process::ExitCode, time::Duration};

use clap::Args;
use futures::future::join_all;
use ledgerfold::{
    rebuild::{RebuildError, Rebuilder},
    vocabulary::{GenerationRef, Generations, Purpose},
};
use serde::Serialize;

use super::{Context, progress_bars::ProgressBars};
use crate::{
    error::CliError,
    output::{Output, Report, confirm, table},
};

#[derive(Debug, Args)]
pub(super) struct ShowOptions {
    /// The projections [default: all]
    #[arg(value_name = "PROJECTION")]
    projection: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct RemoveOptions {
    /// The projections
    #[arg(value_name = "PROJECTION", required = true)]
    projection: Vec<String>,
    #[command(flatten)]
    readers: Readers,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

/// Readers that may still read the generation that was live before a switch.
#[derive(Debug, Args)]
pub(super) struct Readers {
    /// How long a read may last, in seconds. The command waits this long after a switch
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    longest_read: u64,
}

impl Readers {
    pub(super) const fn longest_read(&self) -> Duration {
        Duration::from_secs(self.longest_read)
    }
}

impl ShowOptions {
    pub(super) fn projections(&self) -> &[String] {
        &self.projection
    }
}

impl RemoveOptions {
    pub(super) fn projections(&self) -> &[String] {
        &self.projection
    }
}

pub(super) async fn show(context: &Context, output: &mut Output) -> Result<ExitCode, CliError> {
    let mut report = Shown::default();
    for subject in &context.subjects {
        let projection = subject.models.projection();
        let record = subject.generations.read(projection).await?;
        report.projections.push(Line::new(projection, record.as_ref()));
    }
    output.report(&report)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn remove_old(
    options: &RemoveOptions,
    context: &Context,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let question = "Give up the previous generation and remove its rows?";
    let give_up = async |rebuilder: &Rebuilder| rebuilder.retire().await;
    remove(question, give_up, options, context, output).await
}

pub(super) async fn abandon(
    options: &RemoveOptions,
    context: &Context,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let question = "Give up the generation under construction and remove its rows?";
    let give_up = async |rebuilder: &Rebuilder| rebuilder.abandon().await;
    remove(question, give_up, options, context, output).await
}

async fn remove(
    question: &str,
    give_up: impl AsyncFn(&Rebuilder) -> Result<Generations, RebuildError>,
    options: &RemoveOptions,
    context: &Context,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    confirm(question, options.yes)?;
    let bars = &ProgressBars::new();
    let give_up = &give_up;
    // Concurrently, because each may have to wait for its readers.
    let all = context.subjects.iter().map(|subject| async move {
        let longest_read = options.readers.longest_read();
        let rebuilder = context.rebuilder(subject).with_longest_read(longest_read);
        let projection = rebuilder.projection();
        let failed = |cause| CliError::Rebuild { projection, cause };
        give_up(&rebuilder).await.map_err(failed)?;
        let items = rebuilder.remove(&|step| bars.show(projection, &step)).await;
        Ok::<_, CliError>(RemovedItems { projection, items: items.map_err(failed)? })
    });
    let (done, failed): (Vec<_>, Vec<_>) = join_all(all).await.into_iter().partition(Result::is_ok);
    bars.clear();
    let removed: Vec<_> = done.into_iter().filter_map(Result::ok).collect();
    if !removed.is_empty() {
        output.report(&Removed { removed })?;
    }
    failed.into_iter().find_map(Result::err).map_or(Ok(ExitCode::SUCCESS), Err)
}

/// The generations of all projections.
#[derive(Debug, Default, Serialize)]
struct Shown {
    projections: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    projection: &'static str,
    /// Absent until the projection has written its first row.
    live: Option<Shape>,
    building: Option<Shape>,
    /// `rebuild` or `roll back`.
    purpose: Option<&'static str>,
    /// Why the generation under construction must be verified again.
    missed: Option<String>,
    previous: Option<Shape>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Shape {
    generation: u32,
    revision: u32,
}

impl From<GenerationRef> for Shape {
    fn from(generation: GenerationRef) -> Self {
        Self { generation: generation.number.get(), revision: generation.revision }
    }
}

impl Line {
    fn new(projection: &'static str, record: Option<&Generations>) -> Self {
        let building = record.and_then(Generations::building);
        let missed = building.and_then(|building| building.missed.as_ref());
        Self {
            projection,
            live: record.map(|record| record.live().into()),
            building: building.map(|building| building.generation.into()),
            purpose: building.map(|building| match building.purpose {
                Purpose::Rebuild => "rebuild",
                Purpose::RollBack => "roll back",
            }),
            missed: missed.map(|missed| format!("{}: {}", missed.stream, missed.reason)),
            previous: record.and_then(Generations::previous).map(Shape::from),
        }
    }
}

impl Report for Shown {
    fn text(&self) -> String {
        let shape = |shape: Option<Shape>| match shape {
            Some(Shape { generation, revision }) => format!("{generation} (revision {revision})"),
            None => "-".to_owned(),
        };
        let rows = self.projections.iter().map(|line| {
            [
                line.projection.to_owned(),
                shape(line.live),
                shape(line.building),
                line.purpose.unwrap_or("-").to_owned(),
                shape(line.previous),
                line.missed.clone().unwrap_or_default(),
            ]
        });
        table(
            ["projection", "live", "building", "purpose", "previous", "verify again because"],
            rows,
        )
    }
}

/// The result of a removal.
#[derive(Debug, Default, Serialize)]
struct Removed {
    removed: Vec<RemovedItems>,
}

#[derive(Debug, Serialize)]
struct RemovedItems {
    projection: &'static str,
    items: u64,
}

impl Report for Removed {
    fn text(&self) -> String {
        let lines = self.removed.iter();
        lines.map(|it| format!("{}: removed={}\n", it.projection, it.items)).collect()
    }
}

#[cfg(test)]
mod tests {
    use ledgerfold::{
        Timestamp,
        vocabulary::{Generations, MissedEvent},
    };

    use super::{Line, Shown};
    use crate::output::rendered;

    #[test]
    fn generations_are_shown_with_their_purpose() {
        let missed = MissedEvent {
            stream: "default/account#1".parse().expect("a stream"),
            reason: "it has no place".to_owned(),
        };
        let begun = Generations::first(1).begun(2).expect("none is built");
        let missed = begun.with_missed_event(missed).expect("one is built");
        let switched = begun.switched(Timestamp::UNIX_EPOCH).expect("one is built");
        let lines = [("statements", Some(missed)), ("totals", Some(switched)), ("fines", None)];
        let projections = lines.iter().map(|(name, record)| Line::new(name, record.as_ref()));
        let projections = projections.collect();
        let report = Shown { projections };
        let text = rendered(&report, false).expect("text");
        assert!(text.contains("default/account#1: it has no place"), "{text}");
        let json: serde_json::Value =
            serde_json::from_str(&rendered(&report, true).expect("JSON")).expect("JSON");
        assert_eq!(json["projections"][0]["building"]["revision"], 2);
        assert_eq!(json["projections"][0]["purpose"], "rebuild");
        assert_eq!(json["projections"][1]["live"]["generation"], 2);
        assert_eq!(json["projections"][1]["previous"]["generation"], 1);
        assert!(json["projections"][2]["live"].is_null(), "{json}");
    }
}
