//! The rules of a quarantine. Each rule needs its own quarantine.

use futures::future::join_all;
use ledgerfold::{
    StreamId, Timestamp, Version,
    ports::{PageWalk, Parked, Quarantine},
};

use super::requests::{fresh, twin};

/// An entry with every field in use.
fn entry(stream: &StreamId, owed_version: u64, reason: &str) -> Parked {
    let at = |second| Timestamp::from_second(second).expect("a second of our era");
    Parked {
        stream: stream.clone(),
        position: Some(Version::new(owed_version.saturating_sub(2))),
        version: Some(Version::new(owed_version.saturating_sub(1))),
        owed_version: Version::new(owed_version),
        reason: reason.to_owned(),
        since: at(60),
        attempts: 3,
        tried: at(3_600),
    }
}

async fn park(store: &dyn Quarantine, parked: &Parked) {
    store.park(parked).await.expect("the stream can be parked");
}

async fn release(store: &dyn Quarantine, stream: &StreamId, reached: u64) {
    store.release(stream, Version::new(reached)).await.expect("the stream can be released");
}

async fn get(store: &dyn Quarantine, stream: &StreamId) -> Option<Parked> {
    store.get(stream).await.expect("the entry can be read")
}

async fn all(store: &dyn Quarantine) -> Vec<Parked> {
    let mut all = Vec::new();
    let mut walk = PageWalk::start();
    while let Some(after) = walk.next_place() {
        all.extend(walk.turn(store.list(after.as_ref()).await.expect("it can be listed")));
    }
    all
}

/// Reading or releasing a missing entry is not an error.
pub async fn a_stream_that_was_never_parked_is_absent(store: &dyn Quarantine) {
    let stream = fresh();
    release(store, &stream, 7).await;
    assert_eq!(get(store, &stream).await, None);
    assert_eq!(all(store).await, []);
}

/// All fields of an entry are returned, and optional fields may be missing.
pub async fn an_entry_comes_back_as_it_was_parked(store: &dyn Quarantine) {
    let much = entry(&fresh(), 9, "it has no place: \"ä\"\n");
    let little = Parked { position: None, version: None, ..entry(&fresh(), 1, "") };
    for parked in [much, little] {
        park(store, &parked).await;
        assert_eq!(get(store, &parked.stream).await, Some(parked.clone()));
        assert!(all(store).await.contains(&parked));
    }
}

/// The owed version only grows; at the same version the newer entry counts.
// Guards: the-quarantine-owes-every-missing-version
pub async fn an_entry_never_owes_less_than_before(store: &dyn Quarantine) {
    let stream = fresh();
    park(store, &entry(&stream, 9, "first")).await;
    park(store, &entry(&stream, 10, "second")).await;
    park(store, &entry(&stream, 9, "late")).await;
    assert_eq!(get(store, &stream).await, Some(entry(&stream, 10, "second")));
    park(store, &entry(&stream, 10, "again")).await;
    assert_eq!(get(store, &stream).await, Some(entry(&stream, 10, "again")));
}

/// A release at a version below the owed version has no effect.
// Guards: the-quarantine-owes-every-missing-version
pub async fn an_entry_is_released_only_when_all_is_reached_that_it_owes(store: &dyn Quarantine) {
    let stream = fresh();
    let parked = entry(&stream, 10, "stuck");
    park(store, &parked).await;
    for reached in [0, 8, 9] {
        release(store, &stream, reached).await;
        assert_eq!(get(store, &stream).await.as_ref(), Some(&parked), "released at {reached}");
    }
    release(store, &stream, 10).await;
    assert_eq!(get(store, &stream).await, None);

    park(store, &parked).await;
    release(store, &stream, 11).await;
    assert_eq!(get(store, &stream).await, None, "released at a higher version");
}

/// After a release a stream can be parked again, even with a lower owed version.
pub async fn a_stream_can_be_parked_again_after_its_release(store: &dyn Quarantine) {
    let stream = fresh();
    park(store, &entry(&stream, 10, "stuck")).await;
    release(store, &stream, 10).await;
    park(store, &entry(&stream, 4, "stuck earlier")).await;
    assert_eq!(get(store, &stream).await, Some(entry(&stream, 4, "stuck earlier")));
}

/// A release affects its own stream only.
pub async fn streams_are_released_one_by_one(store: &dyn Quarantine) {
    let (one, other) = (fresh(), fresh());
    for stream in [&one, &other] {
        park(store, &entry(stream, 2, "stuck")).await;
    }
    release(store, &one, 2).await;
    assert_eq!(all(store).await, [entry(&other, 2, "stuck")]);
}

/// All entries are listed once, over several pages, in the order of their streams' names.
pub async fn all_that_stand_parked_are_listed_once(store: &dyn Quarantine) {
    let mut parked: Vec<_> = (0..20).map(|_| entry(&fresh(), 5, &"long ".repeat(20))).collect();
    join_all(parked.iter().map(|parked| park(store, parked))).await;
    parked.sort_by_key(|parked| parked.stream.to_string());
    assert_eq!(all(store).await, parked);
}

/// The highest owed version stays, in any order of concurrent writes.
pub async fn of_many_at_once_the_one_that_owes_most_stays(store: &dyn Quarantine) {
    let stream = fresh();
    let entries: Vec<_> =
        (1..=12).map(|owed_version| entry(&stream, owed_version, "stuck")).collect();
    join_all(entries.iter().rev().map(|parked| park(store, parked))).await;
    let releases = (1..12).map(|reached| release(store, &stream, reached));
    join_all(releases).await;
    assert_eq!(get(store, &stream).await, Some(entry(&stream, 12, "stuck")));
}

/// Streams with equal ids have an entry in each tenant, and a release of one leaves the other.
// Guards: tenants-never-meet
pub async fn streams_of_tenants_are_parked_apart(store: &dyn Quarantine) {
    let here = fresh();
    let there = twin(&here);
    park(store, &entry(&here, 9, "here")).await;
    assert_eq!(get(store, &there).await, None);
    park(store, &entry(&there, 4, "there")).await;
    assert_eq!(get(store, &here).await, Some(entry(&here, 9, "here")));
    assert_eq!(get(store, &there).await, Some(entry(&there, 4, "there")));
    assert_eq!(all(store).await, [entry(&here, 9, "here"), entry(&there, 4, "there")]);
    release(store, &here, 9).await;
    assert_eq!(all(store).await, [entry(&there, 4, "there")]);
}
