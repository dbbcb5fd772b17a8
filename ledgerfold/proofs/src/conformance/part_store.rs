//! The rules of a store of parts.

use ledgerfold::{
    Payload, StreamId, Version,
    ports::{MAX_ROW_BYTES, PartKey, PartRange, PartStore, ReadStoreError, StoredPart, Written},
};

use super::requests::{fresh, twin};

fn part(stream: &StreamId, (group, order): (&str, &str), version: u64, text: &str) -> StoredPart {
    let key = PartKey::new(group, order).expect("a key");
    let body = Some(Payload::encode(&text.to_owned()).expect("a text is JSON"));
    StoredPart { stream: stream.clone(), key, version: Version::new(version), body }
}

async fn put(store: &dyn PartStore, part: &StoredPart) -> Written {
    store.put(part).await.expect("the part can be put")
}

async fn advance(store: &dyn PartStore, stream: &StreamId, version: u64) -> Written {
    store.advance(stream, Version::new(version)).await.expect("the position can be recorded")
}

async fn get(store: &dyn PartStore, of: &StoredPart) -> Option<StoredPart> {
    let found = store.parts(&of.stream, std::slice::from_ref(&of.key)).await;
    found.into_iter().next()?.expect("the part can be read")
}

fn range_of(
    stream: &StreamId,
    group: &str,
    (first, last): (&str, &str),
    limit: usize,
) -> PartRange {
    PartRange {
        tenant: stream.tenant().clone(),
        group: group.parse().expect("a group"),
        first: first.parse().expect("an order"),
        last: last.parse().expect("an order"),
        limit,
    }
}

async fn range(store: &dyn PartStore, range: PartRange) -> Vec<StoredPart> {
    store.range(&range).await.expect("the range can be read")
}

/// Nothing is stored at first.
pub async fn a_new_stream_has_no_position_and_no_parts(store: &dyn PartStore) {
    let stream = fresh();
    assert_eq!(store.position(&stream).await.expect("it can be read"), Version::NONE);
    assert_eq!(get(store, &part(&stream, ("g", "a"), 1, "x")).await, None);
    let group = stream.to_string();
    assert_eq!(range(store, range_of(&stream, &group, ("a", "z"), 10)).await, []);
}

/// A part is returned unchanged, by its key and in its range.
pub async fn a_part_comes_back_as_it_was_put(store: &dyn PartStore) {
    let stream = fresh();
    let group = stream.to_string();
    let part = part(&stream, (&group, "2026-11-29T08"), 7, "x");
    assert_eq!(put(store, &part).await, Written::Done);
    assert_eq!(get(store, &part).await, Some(part.clone()));
    assert_eq!(range(store, range_of(&stream, &group, ("2026", "2027"), 10)).await, [part]);
}

/// Of two parts the one with the higher version stays, in either order of the writes.
// Guards: a-part-is-the-fold-of-its-stream
pub async fn a_newer_part_wins_in_either_order(store: &dyn PartStore) {
    let (one, other) = (fresh(), fresh());
    let at = |stream: &StreamId, version, text| part(stream, ("g", "a"), version, text);
    assert_eq!(put(store, &at(&one, 9, "old")).await, Written::Done);
    assert_eq!(put(store, &at(&one, 10, "new")).await, Written::Done);
    assert_eq!(put(store, &at(&other, 10, "new")).await, Written::Done);
    assert_eq!(put(store, &at(&other, 9, "old")).await, Written::Superseded);
    assert_eq!(put(store, &at(&other, 10, "again")).await, Written::Superseded);
    for stream in [one, other] {
        assert_eq!(get(store, &at(&stream, 0, "")).await, Some(at(&stream, 10, "new")));
    }
}

/// A part without content keeps its version, so that late events do not restore it.
pub async fn an_emptied_part_keeps_its_version(store: &dyn PartStore) {
    let stream = fresh();
    let emptied = StoredPart { body: None, ..part(&stream, ("g", "a"), 5, "") };
    assert_eq!(put(store, &emptied).await, Written::Done);
    assert_eq!(put(store, &part(&stream, ("g", "a"), 4, "there")).await, Written::Superseded);
    assert_eq!(get(store, &emptied).await, Some(emptied));
}

/// The position of a stream never goes back, and streams have their own.
pub async fn a_position_never_goes_back(store: &dyn PartStore) {
    let (one, other) = (fresh(), fresh());
    assert_eq!(advance(store, &one, 3).await, Written::Done);
    for version in [2, 3] {
        assert_eq!(advance(store, &one, version).await, Written::Superseded);
    }
    assert_eq!(advance(store, &one, 10).await, Written::Done);
    let found = store.positions(&[other, one.clone()]).await.into_iter();
    let found: Vec<_> = found.map(|found| found.expect("it can be read")).collect();
    assert_eq!(found, [Version::NONE, Version::new(10)]);
    assert_eq!(store.position(&one).await.expect("it can be read"), Version::new(10));
}

/// A wrong part can be replaced at its own version, and a lost one put back. A newer part is not overwritten.
pub async fn a_wrong_part_is_replaced_only_while_it_is_there(store: &dyn PartStore) {
    let stream = fresh();
    let at = |version, text| part(&stream, ("g", "a"), version, text);
    let replace = async |seen, part: &StoredPart| {
        store.replace(Version::new(seen), part).await.expect("the part can be put")
    };
    assert_eq!(replace(3, &at(3, "right")).await, Written::Superseded, "there is none yet");
    assert_eq!(replace(0, &at(3, "wrong")).await, Written::Done);
    assert_eq!(replace(0, &at(3, "right")).await, Written::Superseded, "there is one");
    assert_eq!(replace(3, &at(3, "right")).await, Written::Done);
    assert_eq!(get(store, &at(0, "")).await, Some(at(3, "right")));
    assert_eq!(put(store, &at(4, "newer")).await, Written::Done);
    assert_eq!(replace(3, &at(3, "right")).await, Written::Superseded);
    assert_eq!(get(store, &at(0, "")).await, Some(at(4, "newer")));
}

/// A range has both of its ends and nothing else, in the order of the bytes, and equal places by stream.
pub async fn a_range_has_both_ends_in_order(store: &dyn PartStore) {
    let mut streams = [fresh(), fresh()];
    streams.sort_by_key(ToString::to_string);
    let group = streams[0].to_string();
    let orders = ["a", "ab", "b", "b!", "c", "~"];
    let mut all = Vec::new();
    for order in orders {
        for stream in &streams {
            let part = part(stream, (&group, order), 1, order);
            assert_eq!(put(store, &part).await, Written::Done);
            all.push(part);
        }
    }
    put(store, &part(&streams[0], (&format!("{group}x"), "b"), 1, "other group")).await;
    for first in 0..orders.len() {
        for last in first..orders.len() {
            let ends = (orders[first], orders[last]);
            let found = range(store, range_of(&streams[0], &group, ends, 100)).await;
            assert_eq!(found, all[2 * first..2 * last + 2], "{ends:?}");
        }
    }
    for limit in 1..5 {
        let found = range(store, range_of(&streams[0], &group, ("a", "~"), limit)).await;
        assert_eq!(found, all[..limit], "at most {limit}");
    }
}

/// Parts of two streams with the same key do not replace each other.
pub async fn parts_of_streams_stay_apart(store: &dyn PartStore) {
    let (one, other) = (fresh(), fresh());
    let group = one.to_string();
    let parts = [part(&one, (&group, "a"), 9, "one"), part(&other, (&group, "a"), 2, "other")];
    for part in &parts {
        assert_eq!(put(store, part).await, Written::Done);
    }
    for part in &parts {
        assert_eq!(get(store, part).await.as_ref(), Some(part));
    }
}

/// Tenants see nothing of each other, also if their groups and streams have the same names.
// Guards: tenants-never-meet
pub async fn parts_of_tenants_do_not_mix(store: &dyn PartStore) {
    let stream = fresh();
    let twin = twin(&stream);
    let group = stream.id().to_string();
    let parts = [part(&stream, (&group, "a"), 1, "one"), part(&twin, (&group, "a"), 1, "two")];
    for part in &parts {
        assert_eq!(put(store, part).await, Written::Done);
        assert_eq!(
            range(store, range_of(&part.stream, &group, ("a", "b"), 9)).await,
            std::slice::from_ref(part)
        );
    }
    assert_eq!(advance(store, &stream, 4).await, Written::Done);
    assert_eq!(store.position(&twin).await.expect("it can be read"), Version::NONE);
}

/// More parts than one request of DynamoDB can read are read in the order of their keys.
pub async fn many_parts_are_read_in_order(store: &dyn PartStore) {
    let stream = fresh();
    let group = stream.to_string();
    let order = |number: u64| format!("{number:03}");
    let all: Vec<_> = (0..230).map(|it| part(&stream, (&group, &order(it)), it + 1, "x")).collect();
    for part in all.iter().filter(|part| part.version.get() % 3 > 0) {
        put(store, part).await;
    }
    let keys: Vec<_> = all.iter().map(|part| part.key.clone()).collect();
    let found = store.parts(&stream, &keys).await;
    for (part, found) in all.into_iter().zip(found) {
        let expected = (part.version.get() % 3 > 0).then_some(part);
        assert_eq!(found.expect("it can be read"), expected);
    }
}

/// The largest part with the longest keys is stored, and a larger one is refused for good.
// Guards: a-refused-row-stops-only-its-stream
pub async fn the_largest_part_is_taken_and_a_larger_one_refused(store: &dyn PartStore) {
    let stream = fresh();
    let group = format!("{stream}{}", "g".repeat(1_900 - stream.to_string().len()));
    let order = "o".repeat(700);
    let of = |bytes: usize| part(&stream, (&group, &order), 1, &"x".repeat(bytes - 2));
    for refused in [
        store.put(&of(MAX_ROW_BYTES + 1)).await,
        store.replace(Version::NONE, &of(MAX_ROW_BYTES + 1)).await,
    ] {
        assert!(matches!(refused, Err(ReadStoreError::Invalid(_))), "{refused:?}");
    }
    assert_eq!(put(store, &of(MAX_ROW_BYTES)).await, Written::Done);
    assert!(get(store, &of(MAX_ROW_BYTES)).await == Some(of(MAX_ROW_BYTES)), "it differs");
}
