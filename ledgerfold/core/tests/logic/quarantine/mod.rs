//! Tests of the quarantine: an event that cannot be applied parks its stream only, and the stream recovers after a
//! fix.

mod races;
mod skips;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use ledgerfold::{
    Envelope, InvalidId, Payload, Recorded, StreamId, Timestamp, Version, events,
    ports::{
        Clock, CounterKey, IndexKey, Parked, PortError, Quarantine, ReadStoreError, StoredRow,
    },
    project::{
        Counts, Position, ProjectError, Projection, Projector, ProjectorPorts, ReadModel,
        RetryScope, RetrySummary, RowModel, Tally, Verdict, Verifiable,
    },
    reconcile::{Effect, OnDivergence, Reconciler, Repairer},
    vocabulary::{Content, Delivery, Receipt},
};
use ledgerfold_proofs::conformance::requests::fresh;
use ledgerfold_testkit::SeededRandom;
use ledgerfold_testkit::bank::NoteEvent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::note_models::{Notes, UNPLACEABLE, Words, World, deliveries};

/// [`Notes`] after a fix.
struct FixedNotes;

impl Projection for FixedNotes {
    type Event = NoteEvent;
    type Row = Vec<String>;

    fn evolve(
        row: Option<Vec<String>>,
        event: &Recorded<NoteEvent>,
    ) -> Result<Option<Vec<String>>, String> {
        let NoteEvent::NoteWritten(note) = &event.event;
        let mut notes = row.unwrap_or_default();
        notes.push(note.text.clone());
        Ok(Some(notes))
    }

    fn index(row: &Vec<String>) -> Result<Option<IndexKey>, InvalidId> {
        Notes::index(row)
    }
}

/// [`Words`] with an error for one note.
struct FailingWords;

impl Tally for FailingWords {
    type Event = NoteEvent;
    type Memo = u64;

    fn count(
        memo: &mut u64,
        event: &Recorded<NoteEvent>,
        counts: &mut Counts,
    ) -> Result<(), String> {
        let NoteEvent::NoteWritten(note) = &event.event;
        if note.text == UNPLACEABLE {
            return Err("it cannot be counted".to_owned());
        }
        Words::count(memo, event, counts)
    }
}

/// [`Notes`] with rows that are too large for an item.
struct LargeNotes;

impl Projection for LargeNotes {
    type Event = NoteEvent;
    type Row = Vec<String>;

    fn evolve(
        row: Option<Vec<String>>,
        event: &Recorded<NoteEvent>,
    ) -> Result<Option<Vec<String>>, String> {
        let mut notes = FixedNotes::evolve(row, event)?;
        if let Some(last) = notes.as_mut().and_then(|notes| notes.last_mut())
            && last == UNPLACEABLE
        {
            *last += &"#".repeat(500 * 1_024);
        }
        Ok(notes)
    }
}

/// A card was issued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct CardIssued {}

events! {
    /// The events of code that does not know notes.
    enum OtherEvent {
        CardIssued: 1,
    }
}

/// A projection of code that does not know notes.
struct OtherNotes;

impl Projection for OtherNotes {
    type Event = OtherEvent;
    type Row = Vec<String>;

    fn evolve(
        row: Option<Vec<String>>,
        _: &Recorded<OtherEvent>,
    ) -> Result<Option<Vec<String>>, String> {
        Ok(row)
    }
}

/// A world with a stream that has one commit per note.
async fn world_with(notes: &[&str]) -> (World, StreamId) {
    let (world, stream) = (World::with_pages_of(2), fresh());
    write(&world, &stream, notes).await;
    (world, stream)
}

async fn write(world: &World, stream: &StreamId, notes: &[&str]) {
    for note in notes {
        let attempt = format!("a{}", world.log.commits().len());
        world.write(stream, &attempt, &[note]).await.expect("the command is accepted");
    }
}

/// The events of a stream, from this version on.
fn from(world: &World, stream: &StreamId, version: u64) -> Vec<Delivery> {
    let is_wanted = |event: &Envelope| event.stream == *stream && event.version.get() >= version;
    deliveries(world.envelopes().into_iter().filter(is_wanted))
}

async fn take(projector: &Projector, deliveries: Vec<Delivery>) {
    assert_eq!(projector.project(deliveries).await, [], "every message is done");
}

async fn retry_parked(world: &World, projector: &Projector, which: RetryScope) -> RetrySummary {
    let until = world.clock.now() + Duration::from_secs(10);
    projector.retry_parked(which, until).await.expect("the quarantine can be read")
}

fn entry(world: &World) -> Parked {
    let mut parked = world.parked_notes.parked();
    assert_eq!(parked.len(), 1, "{parked:?}");
    parked.remove(0)
}

fn pass(world: &World, seconds: u64) {
    world.clock.set(world.clock.now() + Duration::from_secs(seconds));
}

fn notes(world: &World, stream: &StreamId) -> Vec<String> {
    world.row(stream).and_then(|(_, notes)| notes).unwrap_or_default()
}

#[tokio::test]
async fn an_event_that_cannot_be_applied_parks_its_stream_as_it_is() {
    let (world, stream) = world_with(&["a", "b", UNPLACEABLE, "c"]).await;
    take(&world.notes(), from(&world, &stream, 1)).await;
    assert_eq!(notes(&world, &stream), ["a", "b"], "up to the bad event");
    let now = world.clock.now();
    let expected = Parked {
        stream: stream.clone(),
        position: Some(Version::new(2)),
        version: Some(Version::new(3)),
        owed_version: Version::new(4),
        reason: format!("version 3 of {stream} cannot be applied: it has no place"),
        since: now,
        attempts: 0,
        tried: now,
    };
    assert_eq!(entry(&world), expected);
}

// Guards: an-inapplicable-event-quarantines-its-stream-only
#[tokio::test]
async fn later_events_of_a_parked_stream_wait_and_other_streams_do_not() {
    let (world, stream) = world_with(&["a", UNPLACEABLE]).await;
    take(&world.notes(), from(&world, &stream, 1)).await;
    let before = entry(&world);
    pass(&world, 60);
    let other = fresh();
    write(&world, &stream, &["b", "c"]).await;
    write(&world, &other, &["d"]).await;
    for delivery in from(&world, &stream, 3).into_iter().chain(from(&world, &other, 1)) {
        take(&world.notes(), vec![delivery]).await;
    }
    assert_eq!(
        (notes(&world, &stream), notes(&world, &other)),
        (vec!["a".into()], vec!["d".into()])
    );
    assert_eq!(
        entry(&world),
        Parked { owed_version: Version::new(4), ..before },
        "parked since the first"
    );
}

// Guards: a-quarantined-stream-recovers
#[tokio::test]
async fn after_a_fix_the_stream_catches_up_from_the_log_by_itself() {
    let (world, stream) = world_with(&["a", UNPLACEABLE]).await;
    take(&world.notes(), from(&world, &stream, 1)).await;
    write(&world, &stream, &["b", "c", "d"]).await;
    take(&world.notes(), from(&world, &stream, 3)).await;

    let nothing = RetrySummary { recovered: 0, parked: 1 };
    assert_eq!(
        retry_parked(&world, &world.notes(), RetryScope::Due).await,
        nothing,
        "it is as it was"
    );
    assert_eq!(notes(&world, &stream), ["a"]);

    let fixed = world.rows_of::<FixedNotes>();
    let recovered = RetrySummary { recovered: 1, parked: 0 };
    assert_eq!(retry_parked(&world, &fixed, RetryScope::All).await, recovered);
    assert_eq!(notes(&world, &stream), ["a", UNPLACEABLE, "b", "c", "d"]);
    assert_eq!(world.parked_notes.parked(), []);
    assert_eq!(retry_parked(&world, &fixed, RetryScope::All).await, RetrySummary::default());
}

#[tokio::test]
async fn after_a_fix_the_next_event_releases_the_stream() {
    let (world, stream) = world_with(&["a", UNPLACEABLE]).await;
    take(&world.notes(), from(&world, &stream, 1)).await;
    write(&world, &stream, &["b"]).await;
    take(&world.rows_of::<FixedNotes>(), from(&world, &stream, 3)).await;
    assert_eq!(notes(&world, &stream), ["a", UNPLACEABLE, "b"]);
    assert_eq!(world.parked_notes.parked(), []);
}

#[tokio::test]
async fn an_entry_of_a_current_stream_is_removed() {
    let (world, stream) = world_with(&["a", UNPLACEABLE]).await;
    take(&world.notes(), from(&world, &stream, 1)).await;
    // Fixed code gets the event again. There is no gap, so the stream is not released.
    let fixed = world.rows_of::<FixedNotes>();
    take(&fixed, from(&world, &stream, 2)).await;
    assert_eq!(entry(&world).owed_version, Version::new(2));
    assert_eq!(
        retry_parked(&world, &fixed, RetryScope::Due).await,
        RetrySummary { recovered: 1, parked: 0 }
    );
    assert_eq!(world.parked_notes.parked(), []);
}

// Guards: an-inapplicable-event-quarantines-its-stream-only
#[tokio::test]
async fn a_wrong_message_parks_nothing() {
    let (world, stream) = world_with(&["a", "b"]).await;
    let mut events = world.envelopes();
    for event in &mut events {
        event.event.data = Payload::encode(&7).expect("a number is JSON");
    }
    take(&world.notes(), deliveries(events)).await;
    assert_eq!(notes(&world, &stream), ["a", "b"], "as the log has it");
    assert_eq!(world.parked_notes.parked(), []);
}

#[tokio::test]
async fn an_event_of_an_unknown_type_parks_until_the_code_knows_it() {
    let (world, stream) = world_with(&["a", "b"]).await;
    take(&world.rows_of::<OtherNotes>(), from(&world, &stream, 1)).await;
    let parked = entry(&world);
    assert_eq!((parked.position, parked.version), (Some(Version::NONE), Some(Version::new(1))));
    assert!(parked.reason.contains("NoteWritten"), "{}", parked.reason);
    assert_eq!(
        retry_parked(&world, &world.notes(), RetryScope::Due).await,
        RetrySummary { recovered: 1, parked: 0 }
    );
    assert_eq!(notes(&world, &stream), ["a", "b"]);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_parks_its_stream_until_it_is_fixed() {
    let (world, stream) = world_with(&["a"]).await;
    take(&world.notes(), from(&world, &stream, 1)).await;
    let good = world.rows.rows().remove(0);
    let body = Some(Payload::encode(&7).expect("a number is JSON"));
    world.rows.damage(StoredRow { body, ..good.clone() });
    write(&world, &stream, &["b"]).await;
    take(&world.notes(), from(&world, &stream, 2)).await;
    assert_eq!((entry(&world).position, entry(&world).version), (None, None));
    world.rows.damage(good);
    assert_eq!(
        retry_parked(&world, &world.notes(), RetryScope::Due).await,
        RetrySummary { recovered: 1, parked: 0 }
    );
    assert_eq!(notes(&world, &stream), ["a", "b"]);
}

#[tokio::test]
async fn a_row_that_outgrows_its_table_parks_its_stream_until_it_is_smaller() {
    let (world, stream) = world_with(&["a"]).await;
    let large = world.rows_of::<LargeNotes>();
    take(&large, from(&world, &stream, 1)).await;
    write(&world, &stream, &[UNPLACEABLE, "b"]).await;
    take(&large, from(&world, &stream, 2)).await;
    assert_eq!(notes(&world, &stream), ["a"]);
    let parked = entry(&world);
    assert_eq!((parked.version, parked.owed_version), (None, Version::new(3)), "no single event");
    assert!(parked.reason.contains("can never take this"), "{}", parked.reason);
    let smaller = world.rows_of::<FixedNotes>();
    assert_eq!(
        retry_parked(&world, &smaller, RetryScope::Due).await,
        RetrySummary { recovered: 1, parked: 0 }
    );
    assert_eq!(notes(&world, &stream), ["a", UNPLACEABLE, "b"]);
}

/// DynamoDB refuses an empty key on every attempt.
// Guards: a-refused-row-stops-only-its-stream
#[tokio::test]
async fn a_row_that_cannot_be_listed_parks_its_stream_alone() {
    let (world, streams) = (World::new(), [fresh(), fresh(), fresh()]);
    for (stream, note) in streams.iter().zip(["a", "", "c"]) {
        write(&world, stream, &[note]).await;
    }
    take(&world.notes(), deliveries(world.envelopes())).await;
    let parked = entry(&world);
    assert_eq!((&parked.stream, parked.version), (&streams[1], None), "no single event");
    assert!(parked.reason.contains("1 to 1,024 bytes"), "{}", parked.reason);
    assert_eq!(world.rows.rows().len(), 2, "the others are there");
}

// Guards: a-quarantined-stream-recovers
#[tokio::test]
async fn an_event_that_a_tally_could_not_count_is_counted_once_after_a_fix() {
    let (world, stream) = world_with(&["a", "a", UNPLACEABLE, "a"]).await;
    let stumbling = world.tally_of::<FailingWords>();
    for _delivered_again in 0..3 {
        take(&stumbling, from(&world, &stream, 1)).await;
    }
    let key = CounterKey::new("a").expect("a key");
    assert_eq!(world.tallies.counter(&key)["notes"], 2);
    let words = world.words();
    assert_eq!(
        retry_parked(&world, &words, RetryScope::Due).await,
        RetrySummary { recovered: 1, parked: 0 }
    );
    take(&words, from(&world, &stream, 1)).await;
    assert_eq!(world.tallies.counter(&key)["notes"], 3);
    assert_eq!(
        world.tallies.counter(&CounterKey::new(UNPLACEABLE.to_owned()).expect("a key"))["notes"],
        1
    );
}

// Guards: an-inapplicable-event-quarantines-its-stream-only
#[tokio::test]
async fn a_stream_that_cannot_be_parked_is_delivered_again() {
    let (world, stream) = world_with(&["a", UNPLACEABLE]).await;
    world.parked_notes.fail(true);
    let failed = world.notes().project(from(&world, &stream, 1)).await;
    assert_eq!(failed.len(), 2, "{failed:?}");
    assert!(failed[0].reason.contains("it has no place"), "{failed:?}");
    assert!(failed[0].reason.contains("could not be quarantined"), "{failed:?}");
    world.parked_notes.fail(false);
    take(&world.notes(), from(&world, &stream, 1)).await;
    assert_eq!(entry(&world).owed_version, Version::new(2));
}

#[tokio::test]
async fn without_a_quarantine_the_message_is_delivered_again() {
    let (world, stream) = world_with(&["a", UNPLACEABLE]).await;
    let model = Arc::new(RowModel::<Notes>::new(world.rows.clone()));
    let projector = world.projector(model, world.parked_notes.clone());
    assert_eq!(projector.project(from(&world, &stream, 1)).await.len(), 2);
    assert_eq!(retry_parked(&world, &projector, RetryScope::All).await, RetrySummary::default());
}

// Guards: an-inapplicable-event-quarantines-its-stream-only
#[tokio::test]
async fn a_transient_failure_parks_nothing() {
    let (world, stream) = world_with(&["a"]).await;
    world.rows.fail_for(Some(stream.clone()));
    assert_eq!(world.notes().project(from(&world, &stream, 1)).await.len(), 1);
    world.rows.fail_for(None);
    let ahead = Delivery {
        receipt: Receipt("ahead".to_owned()),
        content: Ok(Content::Pointer { stream, committed: Version::new(9) }),
        replay: None,
    };
    let failed = world.notes().project(vec![ahead]).await;
    assert!(failed[0].reason.contains("the log ends at 1"), "{failed:?}");
    assert_eq!(world.parked_notes.parked(), []);
}

#[tokio::test]
async fn a_stream_that_keeps_failing_is_retried_ever_more_rarely_unless_all_are_requested() {
    let (world, stream) = world_with(&[UNPLACEABLE]).await;
    let notes = world.notes();
    take(&notes, from(&world, &stream, 1)).await;
    let mut attempts = Vec::new();
    for _minute in 0..20 {
        assert_eq!(
            retry_parked(&world, &notes, RetryScope::Due).await,
            RetrySummary { recovered: 0, parked: 1 }
        );
        attempts.push(entry(&world).attempts);
        pass(&world, 60);
    }
    assert_eq!(attempts, [1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5]);
    retry_parked(&world, &notes, RetryScope::All).await;
    assert_eq!(entry(&world).attempts, 6);
}

#[tokio::test]
async fn a_retry_reaches_every_page_and_starts_nothing_after_its_end() {
    let world = World::new();
    let streams: Vec<_> = (0..20).map(|_| fresh()).collect();
    for stream in &streams {
        write(&world, stream, &[UNPLACEABLE]).await;
        take(&world.notes(), from(&world, stream, 1)).await;
    }
    let fixed = world.rows_of::<FixedNotes>();
    let late =
        fixed.retry_parked(RetryScope::All, world.clock.now()).await.expect("the list can be read");
    assert_eq!(late, RetrySummary { recovered: 0, parked: 20 });
    assert_eq!(
        retry_parked(&world, &fixed, RetryScope::Due).await,
        RetrySummary { recovered: 20, parked: 0 }
    );
}

/// A read model that refuses to open streams, and records the requests. A mutex, because requests are concurrent.
#[derive(Default)]
struct Asked(Mutex<Vec<StreamId>>);

#[async_trait]
impl ReadModel for Asked {
    fn streams_at_once(&self) -> usize {
        10
    }

    async fn open(&self, stream: &StreamId) -> Result<Box<dyn Position>, ProjectError> {
        self.0.lock().expect("nobody panics with the lock").push(stream.clone());
        Err(ReadStoreError::Port(PortError::Throttled).into())
    }
}

#[tokio::test]
async fn the_longest_waiting_streams_are_retried_first() {
    let world = World::new();
    let mut streams: Vec<_> = (0..6).map(|_| fresh()).collect();
    streams.sort();
    streams.reverse();
    for stream in &streams {
        write(&world, stream, &[UNPLACEABLE]).await;
        take(&world.notes(), from(&world, stream, 1)).await;
        pass(&world, 1);
    }
    let asked = Arc::new(Asked::default());
    let parked = world.parked_notes.clone();
    let projector = world.projector(asked.clone(), parked.clone()).with_quarantine(parked);
    retry_parked(&world, &projector, RetryScope::Due).await;
    assert_eq!(
        *asked.0.lock().expect("nobody panics with the lock"),
        streams,
        "in order of waiting"
    );
}

#[tokio::test]
async fn a_retry_reports_a_quarantine_that_cannot_be_read() {
    let (world, _) = world_with(&["a"]).await;
    world.parked_notes.fail(true);
    assert!(world.notes().retry_parked(RetryScope::Due, Timestamp::MAX).await.is_err());
}

#[tokio::test]
async fn the_audit_reports_parked_streams_separately_and_a_repair_retries_them() {
    let (world, stream) = world_with(&["a", UNPLACEABLE, "b"]).await;
    take(&world.notes(), from(&world, &stream, 1)).await;
    let quarantine: Arc<dyn Quarantine> = world.parked_notes.clone();
    let model = Arc::new(RowModel::<Notes>::new(world.rows.clone()));
    let verdict = async |model: Arc<dyn Verifiable>| {
        let grace = Duration::from_secs(5);
        let auditor = Reconciler::new(world.log.clone(), world.clock.clone(), grace);
        let auditor =
            auditor.of_parking("notes", model, world.parked_notes.clone(), quarantine.clone());
        let findings = auditor.examine(std::slice::from_ref(&stream)).await.expect("readable");
        findings[0].comparison.verdict.clone()
    };
    let repair = async |model: Arc<dyn Verifiable>| {
        let (clock, random) = (world.clock.clone(), Arc::new(SeededRandom::new(1)));
        let (log, skips) = (world.log.clone(), world.parked_notes.clone());
        let ports = ProjectorPorts { log, skips, clock, random };
        let repairer = Repairer::new(model, ports, OnDivergence::Report);
        let repairer = repairer.with_quarantine(quarantine.clone());
        repairer.repair(&stream).await.expect("no store fails").effect
    };
    let parked = Verdict::Parked(entry(&world).reason);
    assert_eq!(verdict(model.clone()).await, parked);
    assert_eq!(repair(model).await, Effect::Left);
    assert_eq!(entry(&world).owed_version, Version::new(3));

    let fixed = Arc::new(RowModel::<FixedNotes>::new(world.rows.clone()));
    assert_eq!(verdict(fixed.clone()).await, parked, "late, but known");
    assert_eq!(repair(fixed.clone()).await, Effect::CaughtUp);
    assert_eq!(world.parked_notes.parked(), []);
    assert_eq!(notes(&world, &stream), ["a", UNPLACEABLE, "b"]);

    assert_eq!(verdict(fixed).await, Verdict::Current);
}
