//! Tests of upcasters: parcels that yesterday's code has written and today's code reads.

use std::sync::Arc;

use ledgerfold::{
    Category, Command, CommandId, CommandName, Decider, DecodeError, Event, EventType, Payload,
    Recorded, Rejection, SchemaVersion, Snapshots, StreamId, Version,
    command::{CommandError, CommandRequest, LoadError},
    events,
    ports::{CounterKey, TallyReader},
    project::{Counts, Projection, ReadModel, RowModel, Tally, TallyModel},
    query::{AuditPosition, Until, as_of, audit, fresh_row},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shelf::{World, deliveries};

/// Yesterday's events: weights in grams, and one event for weighing and labelling.
mod yesterday {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub(super) struct Packed {
        pub(super) grams: u32,
        pub(super) label: String,
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub(super) struct Noted {
        pub(super) text: String,
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub(super) struct Sealed {
        pub(super) tape: String,
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub(super) struct Scanned {}

    events! {
        /// Yesterday's events of a parcel.
        pub(super) enum ParcelEvent {
            Packed: 1,
            Noted: 1,
            Sealed: 1,
            Scanned: 1,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Packed {
    kilograms: f64,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Labelled {
    label: String,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Closed {
    tape: String,
}

events! {
    /// The events of a parcel.
    enum ParcelEvent {
        Packed: 2,
        Labelled: 1,
        Closed: 1,
    }
    upcast {
        Packed: 1 as yesterday::Packed => |old| [
            Packed { kilograms: f64::from(old.grams) / 1000.0 }.into(),
            Labelled { label: old.label }.into(),
        ],
        Sealed: 1 as yesterday::Sealed => |old| [Closed { tape: old.tape }.into()],
        Noted: 1 as yesterday::Noted => |old| {
            // Before `Labelled` existed, a label was also written as a note.
            old.text.strip_prefix("label ").map(|label| Labelled { label: label.to_owned() }.into())
        },
    }
    retired {
        Scanned: 1,
    }
}

events! {
    /// The events for a count of closed parcels.
    enum ClosingEvent {
        Closed: 1,
    }
    unknown: skip
}

fn decode<E: Event>(kind: &str, version: u32, data: &str) -> Result<Vec<E>, DecodeError> {
    let kind = EventType::new(kind).expect("letters");
    let data = Payload::from_text(data.to_owned()).expect("JSON");
    let today = E::decode(&kind, SchemaVersion::new(version), &data)?;
    Ok(today.into_iter().collect())
}

fn closed(tape: &str) -> Closed {
    Closed { tape: tape.to_owned() }
}

#[test]
fn an_old_event_becomes_one_event_or_several_or_none() {
    let read = |kind, version, data| decode::<ParcelEvent>(kind, version, data).expect("known");
    assert_eq!(read("Packed", 2, r#"{"kilograms":1.5}"#), [Packed { kilograms: 1.5 }.into()]);
    assert_eq!(read("Sealed", 1, r#"{"tape":"red"}"#), [closed("red").into()]);
    assert_eq!(
        read("Packed", 1, r#"{"grams":1500,"label":"fragile"}"#),
        [Packed { kilograms: 1.5 }.into(), Labelled { label: "fragile".to_owned() }.into()]
    );
    assert_eq!(read("Noted", 1, r#"{"text":"it rains"}"#), []);
    assert_eq!(read("Scanned", 1, "{}"), []);
}

#[test]
fn an_unknown_event_is_an_error_unless_unknown_events_are_skipped() {
    for (kind, version) in [("Lost", 1), ("Packed", 3), ("Sealed", 2), ("Scanned", 2)] {
        let unknown = decode::<ParcelEvent>(kind, version, "{}");
        assert!(matches!(unknown, Err(DecodeError::Unknown { .. })), "{kind}: {unknown:?}");
    }
    assert_eq!(decode::<ClosingEvent>("Packed", 1, "{}").expect("the event is skipped"), []);
    let read = decode::<ClosingEvent>("Closed", 1, r#"{"tape":"red"}"#);
    assert_eq!(read.expect("the event is known"), [closed("red").into()]);
}

#[test]
fn a_known_type_is_never_skipped() {
    let newer = decode::<ClosingEvent>("Closed", 2, r#"{"tape":"red"}"#);
    assert!(matches!(newer, Err(DecodeError::Unknown { .. })), "{newer:?}");
    for (kind, version) in [("Packed", 1), ("Packed", 2), ("Sealed", 1), ("Noted", 1)] {
        let malformed = decode::<ParcelEvent>(kind, version, r#"{"weight":7}"#);
        assert!(matches!(malformed, Err(DecodeError::Malformed(_))), "{kind}: {malformed:?}");
    }
    let malformed = decode::<ClosingEvent>("Closed", 1, r#"{"tape":7}"#);
    assert!(matches!(malformed, Err(DecodeError::Malformed(_))), "{malformed:?}");
}

/// Appends these events.
#[derive(Clone, Debug, Serialize)]
struct Append(Vec<String>);

/// Closes the parcel, if it is packed and labelled.
#[derive(Clone, Debug, Serialize)]
struct Close;

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("it has no label")]
struct NoLabel;

impl Rejection for NoLabel {
    fn rule(&self) -> &'static str {
        "no-label"
    }
}

impl Command for Append {
    fn name(&self) -> CommandName {
        CommandName::from_static("Append")
    }
}

impl Command for Close {
    fn name(&self) -> CommandName {
        CommandName::from_static("Close")
    }
}

const PARCEL: Category = Category::from_static("parcel");

/// A parcel's labels, and whether it is closed.
type Labels = (Vec<String>, bool);

struct Yesterday;

impl Decider for Yesterday {
    type Command = Append;
    type Event = yesterday::ParcelEvent;
    type State = Labels;
    type Rejection = NoLabel;
    const CATEGORY: Category = PARCEL;

    fn initial() -> Labels {
        Labels::default()
    }

    fn evolve(labels: Labels, _: &yesterday::ParcelEvent) -> Labels {
        labels
    }

    fn decide(_: &Labels, Append(kinds): &Append) -> Result<Vec<yesterday::ParcelEvent>, NoLabel> {
        let event = |kind: &String| match kind.as_str() {
            "packed" => yesterday::Packed { grams: 1500, label: "fragile".to_owned() }.into(),
            "sealed" => yesterday::Sealed { tape: "red".to_owned() }.into(),
            "scanned" => yesterday::Scanned {}.into(),
            text => yesterday::Noted { text: text.to_owned() }.into(),
        };
        Ok(kinds.iter().map(event).collect())
    }
}

struct Today;

impl Decider for Today {
    type Command = Close;
    type Event = ParcelEvent;
    type State = Labels;
    type Rejection = NoLabel;
    const CATEGORY: Category = PARCEL;

    fn initial() -> Self::State {
        Self::State::default()
    }

    fn evolve((mut labels, closed): Self::State, event: &ParcelEvent) -> Self::State {
        match event {
            ParcelEvent::Packed(_) => (labels, closed),
            ParcelEvent::Labelled(label) => {
                labels.push(label.label.clone());
                (labels, closed)
            }
            ParcelEvent::Closed(_) => (labels, true),
        }
    }

    fn decide((labels, closed): &Self::State, Close: &Close) -> Result<Vec<ParcelEvent>, NoLabel> {
        match (labels.join("+"), closed) {
            (tape, _) if tape.is_empty() => Err(NoLabel),
            (_, true) => Ok(Vec::new()),
            (tape, false) => Ok(vec![Closed { tape }.into()]),
        }
    }
}

/// A projection of all event types with their versions.
struct Story;

impl Projection for Story {
    type Event = ParcelEvent;
    type Row = Vec<(String, u64)>;

    fn evolve(
        row: Option<Self::Row>,
        event: &Recorded<ParcelEvent>,
    ) -> Result<Option<Self::Row>, String> {
        let mut story = row.unwrap_or_default();
        story.push((event.event.event_type().to_string(), event.version.get()));
        Ok(Some(story))
    }
}

/// A tally of the events by type.
struct Kinds;

impl Tally for Kinds {
    type Event = ParcelEvent;
    type Memo = ();

    fn count(
        (): &mut (),
        event: &Recorded<ParcelEvent>,
        counts: &mut Counts,
    ) -> Result<(), String> {
        counts.add(
            CounterKey::new(event.event.event_type().to_string()).expect("a key"),
            "events",
            1,
        )
    }
}

fn request<C>(stream: &StreamId, attempt: &str, command: C) -> CommandRequest<C> {
    let id = CommandId::new(attempt).expect("visible ASCII");
    CommandRequest::new(stream.clone(), command, id)
}

/// A parcel with these events of yesterday, in one commit.
async fn parcel(world: &World, events: &[&str]) -> StreamId {
    let id = format!("p-{}", world.log.commits().len());
    let stream = StreamId::new(PARCEL, id.parse().expect("an id"));
    let append = Append(events.iter().map(ToString::to_string).collect());
    let handler = world.handler::<Yesterday>();
    handler.handle(&request(&stream, "append", append)).await.expect("accepted");
    stream
}

fn story(events: &[(&str, u64)]) -> Vec<(String, u64)> {
    events.iter().map(|(kind, version)| ((*kind).to_owned(), *version)).collect()
}

#[tokio::test]
async fn a_command_is_decided_on_upcast_events() {
    let world = World::new();
    let stream = parcel(&world, &["packed", "scanned", "label heavy"]).await;
    let close = request(&stream, "close", Close);
    let answer = world.handler::<Today>().handle(&close).await.expect("the parcel has a label");
    assert_eq!(answer.version, Version::new(4), "versions count stored events");
    let commits = world.log.commits();
    let (_, last) = commits[1].events().last().expect("the parcel was closed");
    assert_eq!(last.data.as_str(), r#"{"tape":"fragile+heavy"}"#);

    let unlabelled = parcel(&world, &["scanned", "it rains"]).await;
    let refused = world.handler::<Today>().handle(&request(&unlabelled, "close", Close)).await;
    assert!(matches!(refused, Err(CommandError::Rejected(NoLabel))), "{refused:?}");
    let sealed = parcel(&world, &["packed", "sealed"]).await;
    let nothing = world.handler::<Today>().handle(&request(&sealed, "close", Close)).await;
    assert_eq!(nothing.expect("the parcel is closed").events.len(), 0);
}

#[tokio::test]
async fn a_stream_with_an_unknown_event_is_not_decided_on() {
    let world = World::new();
    let stream = parcel(&world, &["packed"]).await;
    world.handler::<Today>().handle(&request(&stream, "close", Close)).await.expect("accepted");
    // Yesterday's code still runs somewhere and reads an event of today.
    let append = request(&stream, "late", Append(vec!["sealed".to_owned()]));
    let refused = world.handler::<Yesterday>().handle(&append).await;
    let Err(CommandError::Load(LoadError::Event { version, source, .. })) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(version, Version::new(2));
    assert!(matches!(source, DecodeError::Unknown { .. }), "{source}");
}

#[tokio::test]
async fn read_models_fold_upcast_events_in_any_order_of_deliveries() {
    let world = World::new();
    let stream = parcel(&world, &["packed", "scanned", "sealed"]).await;
    let today = story(&[("Packed", 1), ("Labelled", 1), ("Closed", 3)]);
    let row = || async {
        let row =
            fresh_row::<Story>(&*world.rows, &*world.log, &*world.parked_pages, &stream, None)
                .await;
        row.expect("the read succeeds").map(|fresh| (fresh.row, fresh.version.get()))
    };
    assert_eq!(row().await, Some((today.clone(), 3)), "from the log");

    let rows = Arc::new(RowModel::<Story>::new(world.rows.clone()));
    let kinds = Arc::new(TallyModel::<Kinds>::new(world.tallies.clone()));
    for _delivered_and_replayed in 0..3 {
        let models: [Arc<dyn ReadModel>; 2] = [rows.clone(), kinds.clone()];
        for model in models {
            let failed = world
                .projector(model, world.parked_pages.clone())
                .project(deliveries(world.envelopes()))
                .await;
            assert_eq!(failed, []);
        }
    }
    assert_eq!(row().await, Some((today, 3)), "from the table");
    let (first, last) = (CounterKey::least(), CounterKey::new("~").expect("a key"));
    let counted = world.tallies.range(&first, &last).await.expect("the read succeeds");
    let counted: Vec<_> = counted
        .into_iter()
        .map(|counter| (counter.key.to_string(), counter.amounts["events"]))
        .collect();
    let one_each = ["Closed", "Labelled", "Packed"].map(|kind| (kind.to_owned(), 1));
    assert_eq!(counted, one_each);
}

#[tokio::test]
async fn the_past_is_shown_in_events_of_today_and_the_audit_log_in_stored_events() {
    let world = World::new();
    let stream = parcel(&world, &["packed", "scanned", "sealed"]).await;
    let at = Until::Version(Version::new(3));
    let past = as_of::<Story>(&*world.log, &*world.parked_pages, &stream, at)
        .await
        .expect("the read succeeds");
    let past = past.expect("there was a row").row;
    assert_eq!(past, story(&[("Packed", 1), ("Labelled", 1), ("Closed", 3)]));

    let page = audit(&*world.log, &stream, AuditPosition::START, 10).await.expect("readable");
    let stored: Vec<_> = page
        .events
        .iter()
        .map(|event| (event.event.event_type.as_str(), event.event.data.as_str()))
        .collect();
    let packed = ("Packed", r#"{"grams":1500,"label":"fragile"}"#);
    assert_eq!(stored, [packed, ("Scanned", "{}"), ("Sealed", r#"{"tape":"red"}"#)]);
}

#[test]
fn a_snapshot_becomes_invalid_when_a_version_becomes_upcast() {
    let (today, yesterday) = (Snapshots::of::<Today>(1), Snapshots::of::<Yesterday>(1));
    assert_eq!(today.schema(), Snapshots::of::<Today>(1).schema());
    assert_ne!(today.schema(), Snapshots::of::<Today>(2).schema());
    assert_ne!(today.schema(), yesterday.schema(), "only the shape of the states is the same");
}
