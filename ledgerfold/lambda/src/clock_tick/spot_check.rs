//! The function that audits a random sample of streams.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use lambda_runtime::{LambdaEvent, run, service_fn};
use ledgerfold::{
    StreamId, Timestamp, Version,
    ports::Clock,
    project::Verdict,
    reconcile::{Finding, Look, SpotCheck, SpotCheckError, SpotChecked, Summary},
};
use serde::{Deserialize, Serialize};

use super::end_of_work;
use crate::{RunError, metrics};

/// The defaults of a spot check. An invocation may override them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpotCheckSettings {
    /// The most streams in the sample.
    pub streams: usize,
    /// How long an event may be on its way before a read model without it counts as wrong. Choose it longer
    /// than the queue's own retries.
    pub patience: Duration,
}

/// Audits a sample on each tick of a scheduled rule of the bus, and writes the findings as metrics.
///
/// By projection and in total: `Audited`, `Lost`, `Diverged`, `Behind`, `Ahead`, `Unreadable`, `Parked`,
/// `Partial`, and `Wrong`, the sum of `Lost`, `Diverged`, `Behind`, `Ahead` and `Unreadable`. `Partial` counts streams that
/// are too long, of which only the end was compared. The log lists the streams. Two more metrics show
/// unfinished work: `OldestParked`, the seconds since the oldest entry in a projection's quarantine, and
/// `GenerationsBuilding`.
///
/// An invocation may override the settings, `{"streams": 1000, "patience": 0}`, or name the streams,
/// `{"on": ["order#0192…"]}`. The answer has the findings. An invocation fails only if the audit could not
/// run, not because of its findings.
///
/// # Errors
/// The runtime's, if it cannot continue.
pub async fn serve_spot_checks(
    check: SpotCheck,
    settings: SpotCheckSettings,
    clock: Arc<dyn Clock>,
) -> Result<(), RunError> {
    run(service_fn(move |event: LambdaEvent<Tick>| {
        let check = check.clone();
        let clock = clock.clone();
        async move {
            let end = end_of_work(event.context.deadline, &*clock);
            let checked = handle(&check, settings, end, event.payload).await?;
            let function = &event.context.env_config.function_name;
            metrics::spot_check(function, &checked.summaries);
            metrics::backlog(function, &check.backlog().await?, clock.now());
            Ok::<_, RunError>(serde_json::to_value(Report::from(&checked))?)
        }
    }))
    .await
}

/// The event of an invocation. All fields of EventBridge's own tick are ignored.
#[derive(Debug, Default, Deserialize)]
struct Tick {
    streams: Option<usize>,
    on: Option<Vec<StreamId>>,
    patience: Option<u64>,
}

async fn handle(
    check: &SpotCheck,
    settings: SpotCheckSettings,
    end: Timestamp,
    tick: Tick,
) -> Result<SpotChecked, SpotCheckError> {
    let look = match tick.on {
        Some(streams) => Look::On(streams),
        None => Look::At(tick.streams.unwrap_or(settings.streams)),
    };
    let patience = tick.patience.map_or(settings.patience, Duration::from_secs);
    let checked = check.run(look, patience, end).await?;
    log_findings(&checked);
    Ok(checked)
}

/// Logs the findings, stream by stream.
fn log_findings(checked: &SpotChecked) {
    for Finding { projection, stream, comparison } in &checked.findings {
        let verdict = comparison.verdict.name();
        match &comparison.verdict {
            Verdict::Parked(why) => tracing::warn!(projection, %stream, verdict, why),
            Verdict::Unreadable(why) => tracing::error!(projection, %stream, verdict, why),
            _ => {
                let stored = comparison.stored;
                let head = comparison.head;
                tracing::error!(projection, %stream, verdict, ?stored, %head);
            }
        }
    }
    let streams = checked.streams;
    let wrong = checked.wrong();
    let cut_short = checked.cut_short;
    if cut_short {
        tracing::warn!(streams, wrong, "ran out of time before the whole sample was audited");
    } else {
        tracing::info!(streams, wrong, "sample audited");
    }
}

/// The answer to an invocation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    streams: u64,
    wrong: u64,
    cut_short: bool,
    projections: BTreeMap<&'a str, Counted>,
    findings: Vec<Found<'a>>,
}

#[derive(Debug, Serialize)]
struct Counted {
    lost: u64,
    diverged: u64,
    behind: u64,
    ahead: u64,
    unreadable: u64,
    parked: u64,
    skipped: u64,
    /// Streams of which only the end was compared.
    partial: u64,
}

#[derive(Debug, Serialize)]
struct Found<'a> {
    projection: &'a str,
    stream: &'a StreamId,
    verdict: &'static str,
    stored: Option<Version>,
    head: Version,
}

impl<'a> From<&'a SpotChecked> for Report<'a> {
    fn from(checked: &'a SpotChecked) -> Self {
        let projections =
            checked.summaries.iter().map(|(name, summary)| (*name, (*summary).into()));
        Self {
            streams: checked.streams,
            wrong: checked.wrong(),
            cut_short: checked.cut_short,
            projections: projections.collect(),
            findings: checked.findings.iter().map(Found::from).collect(),
        }
    }
}

impl From<Summary> for Counted {
    fn from(summary: Summary) -> Self {
        let Summary { lost, diverged, behind, ahead, unreadable, parked, skipped, partial, .. } =
            summary;
        Self { lost, diverged, behind, ahead, unreadable, parked, skipped, partial }
    }
}

impl<'a> From<&'a Finding> for Found<'a> {
    fn from(finding: &'a Finding) -> Self {
        let Finding { projection, stream, comparison } = finding;
        let stored = comparison.stored;
        let head = comparison.head;
        Self { projection, stream, verdict: comparison.verdict.name(), stored, head }
    }
}

#[cfg(test)]
mod tests {
    use ledgerfold::{
        Recorded,
        command::Loaded,
        ports::EventStore,
        project::{Catalog, Projection},
        reconcile::Sample,
    };
    use ledgerfold_proofs::conformance::requests::{commit, fresh};
    use ledgerfold_testkit::bank::NoteEvent;
    use ledgerfold_testkit::{
        ManualClock, MemoryEventStore, MemoryGenerationStore, MemoryQuarantine, MemoryReadTable,
        SeededRandom,
    };
    use serde_json::{Value, json};

    use super::*;
    use crate::clock_tick::tests::tick;

    struct Count;

    impl Projection for Count {
        type Event = NoteEvent;
        type Row = u32;

        fn evolve(row: Option<u32>, _: &Recorded<NoteEvent>) -> Result<Option<u32>, String> {
            Ok(Some(row.unwrap_or(0) + 1))
        }
    }

    const SETTINGS: SpotCheckSettings =
        SpotCheckSettings { streams: 2, patience: Duration::from_secs(900) };

    /// A log of three streams that no read model has processed.
    async fn unprojected() -> (Vec<StreamId>, Arc<ManualClock>, SpotCheck) {
        let log = Arc::<MemoryEventStore>::default();
        let streams: Vec<_> = (0..3).map(|_| fresh()).collect();
        for stream in &streams {
            let head = Loaded::unread(stream.clone());
            log.append(&commit(&head, "one", &["a"], 60)).await.expect("it is free");
        }
        let recorded = log.commits().iter().map(|it| it.metadata().recorded_at).max();
        let clock = Arc::new(ManualClock::at(recorded.expect("there are some")));
        let sample = Sample::new(log.clone(), Arc::new(SeededRandom::new(1)));
        let generations = Arc::<MemoryGenerationStore>::default();
        let table = Arc::<MemoryReadTable>::default();
        let models = Catalog::new().rows::<Count>("pages").models("pages", table);
        let parked = Arc::<MemoryQuarantine>::default();
        let check = SpotCheck::new(sample, generations, log, clock.clone()).of(
            models.expect("it exists"),
            parked.clone(),
            parked,
        );
        (streams, clock, check)
    }

    async fn invoke(check: &SpotCheck, event: Value) -> Value {
        let tick = serde_json::from_value(event).expect("an event");
        let checked = handle(check, SETTINGS, Timestamp::MAX, tick).await.expect("it can be read");
        serde_json::to_value(Report::from(&checked)).expect("JSON")
    }

    #[tokio::test]
    async fn a_tick_audits_with_the_default_settings() {
        let (_, clock, check) = unprojected().await;
        let clean = json!({"lost": 0, "diverged": 0, "behind": 0, "ahead": 0, "unreadable": 0, "parked": 0, "skipped": 0, "partial": 0});
        let report = invoke(&check, tick()).await;
        let expected = json!({
            "streams": 2, "wrong": 0, "cutShort": false, "projections": {"pages": clean}, "findings": [],
        });
        assert_eq!(report, expected);
        clock.set(clock.now() + SETTINGS.patience);
        let report = invoke(&check, tick()).await;
        assert_eq!(
            (&report["wrong"], &report["projections"]["pages"]["lost"]),
            (&json!(2), &json!(2))
        );
    }

    #[tokio::test]
    async fn an_invocation_may_name_streams_and_a_patience() {
        let (streams, _, check) = unprojected().await;
        let report = invoke(&check, json!({"streams": 9, "patience": 0})).await;
        assert_eq!((&report["streams"], &report["wrong"]), (&json!(3), &json!(3)));
        let report = invoke(&check, json!({"on": [streams[1]], "patience": 0})).await;
        let found = json!([
            {"projection": "pages", "stream": streams[1], "verdict": "lost", "stored": null, "head": 1},
        ]);
        assert_eq!((&report["streams"], &report["findings"]), (&json!(1), &found));
    }

    #[test]
    fn an_invalid_stream_is_refused_with_an_explanation() {
        let refused = serde_json::from_value::<Tick>(json!({"on": ["no stream"]}));
        let why = refused.expect_err("it is none").to_string();
        assert!(why.contains("<category>#<id>"), "it shows the format: {why}");
    }
}
