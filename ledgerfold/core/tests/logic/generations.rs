//! Tests of projectors and readers with several generations.

use ledgerfold::{
    Envelope, StreamId, TenantId, Timestamp, Version,
    ports::{CounterKey, Listing, RowReader, TallyReader, Written},
    rebuild::Plan,
    vocabulary::{FailedReceipt, Generation, Generations, InvalidChange, Purpose},
};
use ledgerfold_proofs::conformance::requests::fresh;

use crate::{
    note_models::{UNPLACEABLE, deliveries},
    stage::{NOTES, Stage, WORDS},
};

const FIRST: Generation = Generation::FIRST;

/// The events of a stream after this version.
fn events(stage: &Stage, stream: &StreamId, after: u64) -> Vec<Envelope> {
    let commits = stage.log.commits();
    let events = commits.iter().flat_map(|commit| commit.envelopes().collect::<Vec<_>>());
    events.filter(|it| it.stream == *stream && it.version > Version::new(after)).collect()
}

async fn consume(stage: &Stage, events: Vec<Envelope>) -> Vec<FailedReceipt> {
    stage.projector(NOTES).project(deliveries(events)).await
}

fn version(stage: &Stage, generation: Generation, stream: &StreamId) -> Option<Version> {
    let rows = stage.notes.rows_of(generation).rows();
    rows.into_iter().find(|row| row.stream == *stream).map(|row| row.version)
}

fn versions(stage: &Stage, stream: &StreamId) -> [Option<Version>; 2] {
    [FIRST, FIRST.next()].map(|generation| version(stage, generation, stream))
}

const fn at(version: u64) -> Option<Version> {
    Some(Version::new(version))
}

/// A stream with one note in generation 1. Generation 2 is building and does not have it yet.
async fn building() -> (Stage, StreamId) {
    let (stage, stream) = (Stage::new(), fresh());
    stage.write(&stream, "one", &["a"]).await;
    assert_eq!(consume(&stage, events(&stage, &stream, 0)).await, []);
    stage.rebuilder(NOTES).begin().await.expect("the record can be written");
    (stage, stream)
}

#[tokio::test]
async fn a_batch_is_applied_to_every_generation() {
    let (stage, stream) = building().await;
    assert_eq!(versions(&stage, &stream), [at(1), None]);
    stage.write(&stream, "two", &["b"]).await;
    assert_eq!(consume(&stage, events(&stage, &stream, 1)).await, []);
    assert_eq!(versions(&stage, &stream), [at(2), at(2)]);
}

// Guards: reads-survive-a-switch
#[tokio::test]
async fn a_row_is_never_moved_beyond_the_newest_commit_of_its_batch() {
    let (stage, stream) = (Stage::new(), fresh());
    for note in ["a", "b", "c"] {
        stage.write(&stream, note, &[note]).await;
    }
    let second = events(&stage, &stream, 1).swap_remove(0);
    assert_eq!(consume(&stage, vec![second]).await, []);
    assert_eq!(version(&stage, FIRST, &stream), at(2));
}

#[tokio::test]
async fn an_event_that_the_building_generation_cannot_apply_is_recorded_and_stops_no_reader() {
    let (stage, stream) = building().await;
    stage.write(&stream, "two", &["b"]).await;
    stage.notes.rows_of(FIRST.next()).fail_for(Some(stream.clone()));
    let failed = consume(&stage, events(&stage, &stream, 1)).await;
    assert_eq!(failed.len(), 1, "the message is delivered again");
    assert_eq!(versions(&stage, &stream), [at(2), None]);
    let record = stage.record(NOTES).await;
    let missed = record.building().and_then(|building| building.missed.clone());
    assert_eq!(missed.map(|missed| missed.stream), Some(stream.clone()));

    // Even if a missed event is recorded already, because a running verification must notice the new one.
    consume(&stage, events(&stage, &stream, 1)).await;
    assert!(stage.record(NOTES).await.number() > record.number());

    stage.notes.rows_of(FIRST.next()).fail_for(None);
    assert_eq!(consume(&stage, events(&stage, &stream, 1)).await, []);
    assert_eq!(versions(&stage, &stream), [at(2), at(2)]);
}

// Guards: reads-survive-a-switch
#[tokio::test]
async fn an_event_that_is_missed_after_the_verification_prevents_the_switch() {
    let (stage, stream) = building().await;
    let rebuilder = stage.rebuilder(NOTES);
    let building = rebuilder.begin().await.expect("the rebuild resumes");
    let verify = async || rebuilder.verify(&building, Plan::default(), &|_| ()).await;
    let verified = verify().await.expect("the read succeeds");
    assert_eq!(verified.wrong(), 0);

    stage.write(&stream, "two", &["b"]).await;
    stage.notes.rows_of(FIRST.next()).fail_for(Some(stream.clone()));
    consume(&stage, events(&stage, &stream, 1)).await;
    stage.notes.rows_of(FIRST.next()).fail_for(None);
    let switched = rebuilder.switch(&verified).await.expect("the record can be written");
    assert_eq!(switched, Written::Superseded);
    assert_eq!(stage.live(NOTES).await, FIRST);

    let verified = verify().await.expect("the read succeeds");
    let switched = rebuilder.switch(&verified).await.expect("the record can be written");
    assert_eq!(switched, Written::Done);
    assert_eq!(version(&stage, stage.live(NOTES).await, &stream), at(2));
}

#[tokio::test]
async fn an_event_is_not_applied_to_the_live_generation_while_the_miss_cannot_be_recorded() {
    let (stage, stream) = building().await;
    stage.write(&stream, "two", &["b"]).await;
    stage.notes.rows_of(FIRST.next()).fail_for(Some(stream.clone()));
    // The record can be read, but not written.
    stage.generations.fail_after(1);
    assert_eq!(consume(&stage, events(&stage, &stream, 1)).await.len(), 1);
    assert_eq!(versions(&stage, &stream), [at(1), None]);
}

#[tokio::test]
async fn a_poisoned_stream_stops_no_other_in_any_generation() {
    let (stage, good) = building().await;
    let bad = fresh();
    stage.write(&bad, "one", &[UNPLACEABLE]).await;
    stage.write(&good, "two", &["b"]).await;
    let batch = [events(&stage, &bad, 0), events(&stage, &good, 1)].concat();
    let failed = consume(&stage, batch).await;
    assert_eq!(failed.iter().map(|it| it.receipt.0.as_str()).collect::<Vec<_>>(), ["m0"]);
    assert_eq!(versions(&stage, &good), [at(2), at(2)]);
}

#[tokio::test]
async fn nothing_is_projected_while_the_record_cannot_be_read() {
    let (stage, stream) = building().await;
    stage.write(&stream, "two", &["b"]).await;
    stage.generations.fail_after(0);
    assert_eq!(consume(&stage, events(&stage, &stream, 1)).await.len(), 1);
    assert_eq!(versions(&stage, &stream), [at(1), None]);
}

// Guards: reads-survive-a-switch
#[tokio::test]
async fn the_previous_generation_follows_the_live_one_and_stops_nothing() {
    let (stage, stream) = building().await;
    let rebuilder = stage.rebuilder(NOTES);
    let building = rebuilder.begin().await.expect("the rebuild resumes");
    let verified =
        rebuilder.verify(&building, Plan::default(), &|_| ()).await.expect("the read succeeds");
    rebuilder.switch(&verified).await.expect("the record can be written");
    assert_eq!(stage.live(NOTES).await, FIRST.next());

    stage.write(&stream, "two", &["b"]).await;
    stage.notes.rows_of(FIRST.next()).fail_for(Some(stream.clone()));
    assert_eq!(consume(&stage, events(&stage, &stream, 1)).await.len(), 1);
    assert_eq!(versions(&stage, &stream), [at(1), at(1)], "the previous generation is not ahead");

    stage.notes.rows_of(FIRST.next()).fail_for(None);
    stage.notes.rows_of(FIRST).fail_for(Some(stream.clone()));
    assert_eq!(consume(&stage, events(&stage, &stream, 1)).await, []);
    assert_eq!(versions(&stage, &stream), [at(1), at(2)]);
}

#[tokio::test]
async fn readers_follow_a_switch_at_once() {
    let (stage, stream) = building().await;
    let rows = stage.live_notes();
    let before = rows.get(&stream).await.expect("the read succeeds").expect("it exists");
    let listing = Listing {
        tenant: TenantId::default_tenant(),
        partition: "all".parse().expect("a list"),
        before: None,
        limit: 10,
    };
    assert_eq!(
        rows.list(&listing).await.expect("the list can be read"),
        std::slice::from_ref(&before)
    );

    // The new live generation is empty, which shows the generation that is read.
    let begun = stage.record(NOTES).await;
    let switched = begun.switched(Timestamp::UNIX_EPOCH).expect("one is building");
    assert_eq!(stage.change(NOTES, &switched).await, Written::Done);
    assert_eq!(rows.get(&stream).await.expect("the read succeeds"), None);
    assert_eq!(rows.list(&listing).await.expect("the list can be read"), []);
}

#[tokio::test]
async fn readers_of_counters_follow_a_switch_at_once() {
    let (stage, stream) = (Stage::new(), fresh());
    stage.write(&stream, "one", &["a"]).await;
    let batch = deliveries(events(&stage, &stream, 0));
    assert_eq!(stage.projector(WORDS).project(batch).await, []);
    let (counters, key) = (stage.live_words(), CounterKey::new("a").expect("a key"));
    assert!(counters.memo(&stream).await.expect("the read succeeds").is_some());
    assert_eq!(
        counters
            .range(&TenantId::default_tenant(), &key, &key)
            .await
            .expect("the read succeeds")
            .len(),
        1
    );

    let switched = Generations::first(1).begun(1).and_then(|begun| {
        assert_eq!(begun.live().number, FIRST);
        Ok((begun.clone(), begun.switched(Timestamp::UNIX_EPOCH)?))
    });
    let (begun, switched) = switched.expect("both changes are allowed");
    for record in [begun, switched] {
        assert_eq!(stage.change(WORDS, &record).await, Written::Done);
    }
    assert_eq!(counters.memo(&stream).await.expect("the read succeeds"), None);
    assert_eq!(
        counters.range(&TenantId::default_tenant(), &key, &key).await.expect("the read succeeds"),
        []
    );
}

#[test]
fn a_number_is_never_used_again() {
    let change = |record: &Generations| -> Result<Generations, InvalidChange> {
        record
            .begun(1)?
            .abandoned()?
            .begun(1)?
            .switched(Timestamp::UNIX_EPOCH)?
            .rolling_back()?
            .switched(Timestamp::UNIX_EPOCH)
    };
    let (mut record, mut numbers) = (Generations::first(1), Vec::new());
    for _ in 0..3 {
        record = change(&record).expect("the change is allowed");
        numbers.extend(record.previous().map(|it| it.number.get()));
        record = record.without_previous().expect("it exists");
    }
    assert_eq!(numbers, [3, 5, 7]);
    assert_eq!(record.live().number, FIRST);
    let retired = record.retired();
    let next = FIRST.next();
    assert!(!retired.contains(FIRST) && retired.contains(next) && retired.contains(next.next()));
}

#[test]
fn invalid_changes_are_refused() {
    let none = Generations::first(1);
    assert_eq!(none.switched(Timestamp::UNIX_EPOCH), Err(InvalidChange::NotBuilding));
    assert_eq!(none.abandoned(), Err(InvalidChange::NotBuilding));
    assert_eq!(none.rolling_back(), Err(InvalidChange::NoPrevious));
    assert_eq!(none.without_previous(), Err(InvalidChange::NoPrevious));
    let begun = none.begun(2).expect("none is building");
    assert!(matches!(begun.begun(2), Err(InvalidChange::Building(_))));
    let switched = begun.switched(Timestamp::UNIX_EPOCH).expect("one is building");
    let rolling_back = switched.rolling_back().expect("there is a previous one");
    assert_eq!(rolling_back.building().map(|it| it.purpose), Some(Purpose::RollBack));
    assert!(matches!(rolling_back.begun(2), Err(InvalidChange::Building(_))));
    let abandoned = rolling_back.abandoned().expect("one is building");
    assert_eq!((abandoned.previous(), abandoned.live()), (switched.previous(), switched.live()));
}
