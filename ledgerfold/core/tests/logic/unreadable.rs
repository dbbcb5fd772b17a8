//! Tests that only readable events and snapshots are stored, and that a panic fails one command only.

use std::sync::Arc;

use ledgerfold::{
    Category, Decider, Snapshots, StreamId,
    command::{CommandError, CommandHandler},
    events,
};
use ledgerfold_proofs::conformance::{
    account::ask,
    notebook::{Refused, Write, fresh},
};
use ledgerfold_testkit::{ManualClock, MemoryEventStore, SeededRandom};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A ratio was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Measured {
    ratio: f64,
}
/// A gauge was labelled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Labelled {
    label: Option<Option<u8>>,
    #[serde(skip)]
    hidden: u8,
}

events! {
    /// The events of a gauge.
    enum GaugeEvent { Measured: 1, Labelled: 1 }
}

/// A state with a field that is not serialized.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Gauge {
    measured: f64,
    #[serde(skip)]
    count: u32,
}

struct Gauges;

impl Decider for Gauges {
    type Command = Write;
    type Event = GaugeEvent;
    type State = Gauge;
    type Rejection = Refused;

    const CATEGORY: Category = Category::from_static("gauge");

    fn initial() -> Gauge {
        Gauge::default()
    }

    fn evolve(gauge: Gauge, event: &GaugeEvent) -> Gauge {
        let count = gauge.count + 1;
        match event {
            GaugeEvent::Measured(Measured { ratio }) if *ratio < 0.0 => panic!("a negative ratio"),
            GaugeEvent::Measured(Measured { ratio }) => Gauge { measured: *ratio, count },
            GaugeEvent::Labelled(_) => Gauge { count, ..gauge },
        }
    }

    fn decide(_: &Gauge, Write(texts): &Write) -> Result<Vec<GaugeEvent>, Refused> {
        let event = |text: &String| match text.as_str() {
            "label" => Labelled { label: Some(None), hidden: 0 }.into(),
            "hidden" => Labelled { label: None, hidden: 1 }.into(),
            "panic" => panic!("the decision"),
            number => Measured { ratio: number.parse().expect("a number") }.into(),
        };
        Ok(texts.iter().map(event).collect())
    }

    fn snapshots() -> Option<Snapshots<Gauge>> {
        Some(Snapshots::of::<Self>(1))
    }
}

fn gauges(log: &Arc<MemoryEventStore>) -> CommandHandler<Gauges> {
    let (clock, random) = (Arc::new(ManualClock::default()), Arc::new(SeededRandom::new(1)));
    CommandHandler::new(log.clone(), clock, random)
}

type Outcome = Result<ledgerfold::command::Answer, CommandError<Refused>>;

async fn note(
    gauges: &CommandHandler<Gauges>,
    stream: &StreamId,
    attempt: &str,
    text: &str,
) -> Outcome {
    gauges.handle(&ask(stream, attempt, Write(vec![text.to_owned()]))).await
}

#[tokio::test]
async fn an_event_that_is_not_read_back_equal_is_not_appended() {
    let (log, stream) = (Arc::<MemoryEventStore>::default(), fresh());
    let warm = gauges(&log);
    note(&warm, &stream, "one", "0.5").await.expect("a number is JSON");
    for (attempt, text) in [("two", "NaN"), ("three", "inf"), ("four", "label"), ("five", "hidden")]
    {
        for gauges in [&warm, &gauges(&log)] {
            let refused = note(gauges, &stream, attempt, text).await;
            assert!(matches!(refused, Err(CommandError::Encode(_))), "{text}: {refused:?}");
        }
    }
    assert_eq!(log.commits().len(), 1);
    note(&gauges(&log), &stream, "six", "117.63331139400017")
        .await
        .expect("a cold start can read it");
}

#[tokio::test]
async fn a_panic_in_a_decision_or_in_a_fold_is_the_failure_of_its_command() {
    let (log, stream) = (Arc::<MemoryEventStore>::default(), fresh());
    let warm = gauges(&log);
    note(&warm, &stream, "one", "1").await.expect("the command is accepted");
    for gauges in [&warm, &gauges(&log)] {
        for text in ["panic", "-1"] {
            let failed = note(gauges, &stream, text, text).await;
            assert!(matches!(failed, Err(CommandError::Panicked(_))), "{text}: {failed:?}");
        }
    }
    let next = note(&warm, &stream, "two", "2").await.expect("the stream is unchanged");
    assert_eq!((next.version.get(), log.commits().len()), (2, 2));
}

#[tokio::test]
async fn a_state_that_is_not_read_back_equal_makes_no_snapshot() {
    let (log, stream) = (Arc::<MemoryEventStore>::default(), fresh());
    let warm = gauges(&log);
    for attempt in 0..45 {
        note(&warm, &stream, &attempt.to_string(), "1").await.expect("the command is accepted");
    }
    assert!(log.commits().iter().all(|commit| commit.snapshot().is_none()));
}
