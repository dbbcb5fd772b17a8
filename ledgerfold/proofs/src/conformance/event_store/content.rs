//! Rules about stored data: events, metadata and snapshots are returned unchanged, up to the largest size.

#![allow(clippy::panic, reason = "a rule that is broken ends its test")]

use ledgerfold::{
    Actor, CausationId, CommandId, CorrelationId, Payload, StreamId, Timestamp, Version,
    command::{CommandRequest, Loaded},
    ports::AppendError,
    vocabulary::{Commit, Metadata, NewCommit},
};
use ledgerfold_testkit::bank::{Accounts, NoteWritten, Plain, Release};

use super::{
    Store,
    tools::{append, assert_holds, draft, load, read_all, read_all_back, snapshotted},
};
use crate::conformance::{
    requests::{OftenSnapshotted, commit, fresh, tester},
    verbatim::{Keep, Verbatim, text_of, verbatim},
};

/// Every kind of read returns the events, versions and command of a commit.
pub async fn a_commit_comes_back_as_it_was_appended(store: &Store) {
    let stream = fresh();
    let first = append(store, &stream, "one", &["a", "b \u{1f980} \"quoted\"\n", ""]).await;
    assert_eq!((first.from(), first.to()), (Version::new(1), Version::new(3)));
    assert_eq!(read_all(store, &stream).await, std::slice::from_ref(&first));
    assert_eq!(read_all_back(store, &stream, 1).await, [first]);
}

/// The JSON text of an event is returned unchanged, including the precision of numbers, the order of fields and
/// escapes.
pub async fn the_content_of_an_event_comes_back_to_the_letter(store: &Store) {
    let texts = [
        r#"{"b":1,"a":2}"#,
        r#"{"cents":123456789012345678901234567890,"rate":0.1000000000000000055511151231257827}"#,
        r#"{"one":1.0,"text":"\u00e9 and é","none":null,"list":[],"flag":false}"#,
    ];
    let stream = fresh();
    let mut commits = Vec::new();
    for (attempt, text) in texts.into_iter().enumerate() {
        let id = CommandId::new(format!("attempt-{attempt}")).expect("visible ASCII");
        let command = Keep(Payload::from_text(text.to_owned()).expect("it is JSON"));
        let request = CommandRequest::new(tester(&stream), stream.clone(), command, id);
        let new = draft::<Verbatim>(commits.clone(), &request).await;
        store.append(&new).await.expect("the version is free");
        commits.push(new.into_commit());
    }
    let stored = read_all(store, &stream).await;
    let data = stored.iter().flat_map(Commit::events).map(|(_, event)| event.data.as_str());
    assert_eq!(data.collect::<Vec<_>>(), texts);
    assert_eq!(stored, commits);
}

/// A commit of one note with this metadata.
fn with_metadata(stream: &StreamId, attempt: &str, metadata: Metadata) -> NewCommit {
    let head = Loaded::<Accounts<Plain>>::unread(stream.clone());
    let stamp = commit(&head, attempt, &["note"], 60).as_commit().command().clone();
    let events = [NoteWritten { text: "note".to_owned() }.into()];
    let new_id = || ledgerfold::EventId::new(60_000, &[7; 10]);
    head.commit(&events, new_id, stamp, metadata).expect("a note is JSON")
}

/// All fields of the metadata are returned, with times to the millisecond.
pub async fn all_metadata_comes_back(store: &Store) {
    let stream = fresh();
    let head = load(store, &stream).await;
    let full = commit(&head, "one", &["note"], 60).as_commit().metadata().clone();
    let recorded_at = Timestamp::from_millisecond(1_700_000_000_123).expect("in our era");
    let new = with_metadata(&stream, "one", Metadata { recorded_at, ..full });
    store.append(&new).await.expect("the version is free");
    let stored = read_all(store, &stream).await;
    assert_eq!(stored[0].metadata(), new.as_commit().metadata());
    assert_eq!(stored, [new.into_commit()]);
}

/// Minimal metadata is returned unchanged: no trace, and a command that begins a conversation.
pub async fn metadata_that_says_little_comes_back_as_little(store: &Store) {
    let id = CommandId::new("the-first").expect("visible ASCII");
    let metadata = Metadata {
        recorded_at: Timestamp::from_second(-1).expect("before 1970"),
        correlation_id: CorrelationId::from(&id),
        causation_id: CausationId::from(&id),
        actor: Actor::new("a").expect("visible ASCII"),
        traceparent: None,
    };
    let stream = fresh();
    let new = with_metadata(&stream, id.as_str(), metadata);
    store.append(&new).await.expect("the version is free");
    assert_eq!(read_all(store, &stream).await, [new.into_commit()]);
}

/// State, schema and recent commands of a snapshot are returned unchanged, also in the winner of a conflict.
pub async fn a_snapshot_comes_back_as_it_was_stored(store: &Store) {
    let stream = fresh();
    let first = snapshotted(store, &stream, "one", &["a first note, of some length"]).await;
    let second = snapshotted(store, &stream, "two", &[&"a second note".repeat(20)]).await;
    let recent = |commit: &Commit| commit.snapshot().map(|it| it.recent.as_bytes().len());
    assert_eq!((recent(&first), recent(&second)), (Some(7), Some(14)), "seven bytes each");
    assert_eq!(read_all(store, &stream).await, [first.clone(), second.clone()]);
    assert_eq!(read_all_back(store, &stream, 2).await, [second, first.clone()]);
    let late = commit(&Loaded::unread(stream), "late", &["note"], 60);
    match store.append(&late).await {
        Err(AppendError::Conflict { winner }) => assert_eq!(*winner, first),
        other => panic!("two commits got the same version: {other:?}"),
    }
}

/// A stream with snapshots has the same events at the same versions as a stream without.
// Guards: a-snapshot-changes-no-read
pub async fn snapshots_change_nothing_of_what_a_read_brings(store: &Store) {
    let (with, without) = (fresh(), fresh());
    for attempt in ["one", "two", "three", "four", "five"] {
        snapshotted(store, &with, attempt, &["a note of some length, longer than its state"]).await;
        append(store, &without, attempt, &["a note of some length, longer than its state"]).await;
    }
    let contents = |commits: Vec<Commit>| {
        let events = commits.iter().flat_map(Commit::events);
        events.map(|(at, it)| (at, it.data.as_str().to_owned())).collect::<Vec<_>>()
    };
    let (with, without) = (read_all(store, &with).await, read_all(store, &without).await);
    assert!(with.iter().any(|commit| commit.snapshot().is_some()), "no snapshot was due");
    assert_eq!(contents(with), contents(without));
}

/// A commit over the limit is not stored, and the error has its size and the limit.
pub async fn a_commit_over_the_limit_is_refused_and_not_stored(store: &Store) {
    let (stream, size) = (fresh(), 320 * 1024);
    let new = verbatim(&Loaded::unread(stream.clone()), "huge", &[text_of(size)]);
    match store.append(&new).await {
        Err(AppendError::TooLarge { bytes, limit }) => {
            assert!(bytes >= size && limit < size, "{bytes} over {limit}");
        }
        Ok(()) => panic!("a commit of 320 KB was stored"),
        Err(other) => panic!("a commit of 320 KB was refused by {other}"),
    }
    assert_holds(store, &stream, []).await;
}

/// The largest content in bytes that every store must accept. In a single event it may be too large for the bus.
const SURELY_TAKEN: usize = 290_000;

/// A commit of this size is stored. A store may refuse larger ones.
pub async fn a_commit_below_the_limit_is_taken(store: &Store) {
    let stream = fresh();
    let half = text_of(SURELY_TAKEN / 2);
    let large = verbatim(&Loaded::unread(stream.clone()), "large", &[half.clone(), half]);
    store.append(&large).await.expect("it is below the limit");
    assert_holds(store, &stream, [large.as_commit()]).await;
}

/// The limit applies to events only: the largest commit can have the largest snapshot.
// Guards: a-snapshot-changes-no-read
pub async fn a_snapshot_makes_no_commit_too_large(store: &Store) {
    let stream = fresh();
    let half = "x".repeat(SURELY_TAKEN / 2);
    let large = snapshotted(store, &stream, "large", &[&half, &half]).await;
    let state = large.snapshot().map_or(0, |snapshot| snapshot.state.as_str().len());
    assert!(state > <OftenSnapshotted as Release>::NOTE_BYTES, "a snapshot of {state} bytes");
    assert_holds(store, &stream, [&large]).await;
}
