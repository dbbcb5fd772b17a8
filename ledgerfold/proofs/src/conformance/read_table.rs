//! The rules of a read table with several generations.

use std::{collections::BTreeMap, num::NonZeroU32};

use ledgerfold::{
    Payload, StreamId, TenantId, Timestamp, Version,
    ports::{
        Added, Count, Counter, CounterKey, CountsOfShard, Increment, IndexKey, Listing, Memo,
        PageWalk, ReadTable, StoredRow, Written,
    },
    vocabulary::{Generation, Generations},
};

use super::{requests::fresh, row_store};

/// A record with all five generations: 1 and 3 are retired, 2 is previous, 4 is live and 5 is building.
fn record() -> (Generations, [Generation; 5]) {
    let first = Generation::FIRST;
    let second = first.next();
    let third = second.next();
    let fourth = third.next();
    let fifth = fourth.next();
    let begun = |record: &Generations| record.begun(1).expect("none is building");
    let switched = |record: &Generations| {
        begun(record).switched(Timestamp::UNIX_EPOCH).expect("one is building")
    };
    let on_second = switched(&Generations::first(1));
    let without_third = begun(&on_second).abandoned().expect("one is building");
    let record = begun(&switched(&without_third));
    assert_eq!(record.live().number, fourth);
    assert_eq!(record.previous().map(|it| it.number), Some(second));
    assert_eq!(record.building().map(|building| building.generation.number), Some(fifth));
    (record, [first, second, third, fourth, fifth])
}

fn row(stream: &StreamId, list: &str, generation: Generation) -> StoredRow {
    let body = Some(Payload::encode(&generation).expect("a number is JSON"));
    let index = IndexKey::new(list, "a").expect("a key");
    StoredRow { stream: stream.clone(), version: Version::new(1), body, index: Some(index) }
}

/// Puts a row of one stream into each generation.
async fn put_everywhere(table: &dyn ReadTable, stream: &StreamId, list: &str) {
    for generation in record().1 {
        let put = table.rows(generation).put(&row(stream, list, generation)).await;
        assert_eq!(put.expect("the row can be put"), Written::Done, "generation {generation}");
    }
}

/// The generations with a row of this stream. Checks that each has its own row.
async fn with_row(table: &dyn ReadTable, stream: &StreamId, list: &str) -> Vec<Generation> {
    let mut found = Vec::new();
    for generation in record().1 {
        let stored = table.rows(generation).get(stream).await.expect("the row can be read");
        if let Some(stored) = stored {
            assert_eq!(stored, row(stream, list, generation));
            found.push(generation);
        }
    }
    found
}

/// Each generation has its own row of a stream.
pub async fn rows_of_generations_do_not_mix(table: &dyn ReadTable) {
    let stream = fresh();
    put_everywhere(table, &stream, "list").await;
    assert_eq!(with_row(table, &stream, "list").await, record().1);
}

/// Lists of generations are separate, even if a list's name looks like a stored key of another generation.
pub async fn lists_of_generations_do_not_mix(table: &dyn ReadTable) {
    let (first, second) = (Generation::FIRST, Generation::FIRST.next());
    let plain = fresh().to_string();
    let (like_first, like_second) = (format!("1~{plain}"), format!("2~{plain}"));
    let kept = [(first, &plain), (first, &like_first), (first, &like_second), (second, &plain)];
    let rows = kept.map(|(generation, list)| (generation, row(&fresh(), list, generation)));
    for (generation, row) in &rows {
        table.rows(*generation).put(row).await.expect("the row can be put");
    }
    for generation in [first, second] {
        for list in [&plain, &like_first, &like_second] {
            let partition = list.parse().expect("a list");
            let listing =
                Listing { tenant: TenantId::default_tenant(), partition, before: None, limit: 10 };
            let listed = table.rows(generation).list(&listing).await.expect("the list can be read");
            let is_in = |row: &StoredRow| {
                row.index.as_ref().is_some_and(|it| it.partition.as_str() == *list)
            };
            let expected = rows.iter().filter(|(of, row)| *of == generation && is_in(row));
            let expected: Vec<_> = expected.map(|(_, row)| row.clone()).collect();
            assert_eq!(listed, expected, "{list} of generation {generation}");
        }
    }
}

/// The limits hold for any generation number, although keys contain it.
pub async fn the_longest_keys_and_the_largest_rows_are_taken_in_every_generation(
    table: &dyn ReadTable,
) {
    for generation in [Generation::FIRST, Generation::new(NonZeroU32::MAX)] {
        row_store::the_longest_keys_are_taken(&*table.rows(generation)).await;
        row_store::the_largest_row_is_taken(&*table.rows(generation)).await;
    }
}

/// Removes all retired generations, page by page.
async fn remove(table: &dyn ReadTable) -> u64 {
    let retired = record().0.retired();
    let mut removed = 0;
    let mut walk = PageWalk::start();
    while let Some(from) = walk.next_place() {
        let page = table.remove(&retired, from.as_ref()).await.expect("a page can be removed");
        walk.go_to(page.next);
        removed += page.removed;
    }
    removed
}

/// Only retired generations are removed, and a second removal finds nothing.
// Guards: a-generation-in-use-is-never-removed
pub async fn retired_rows_are_removed_and_no_others(table: &dyn ReadTable) {
    let streams: Vec<_> = (0..7).map(|_| fresh()).collect();
    for stream in &streams {
        put_everywhere(table, stream, "list").await;
    }
    assert_eq!(remove(table).await, 14);
    let [_, second, _, fourth, fifth] = record().1;
    for stream in &streams {
        assert_eq!(with_row(table, stream, "list").await, [second, fourth, fifth]);
    }
    assert_eq!(remove(table).await, 0);
}

/// Adds the generation's number to the counter of each generation.
async fn count(table: &dyn ReadTable, stream: &StreamId, key: &CounterKey) {
    for generation in record().1 {
        let body = Payload::encode(&generation).expect("a number is JSON");
        let memo =
            Memo { stream: stream.clone(), version: Version::new(1), body, groups: Vec::new() };
        let amounts = BTreeMap::from([("notes".to_owned(), i64::from(generation.get()))]);
        let increment = Increment { key: key.clone(), amounts };
        let count = Count { after: Version::NONE, memo, increments: vec![increment] };
        let counts = CountsOfShard::of(count).expect("a transaction holds it");
        let added = table.tallies(generation).add(&counts).await;
        assert_eq!(
            added.expect("the counter can be written"),
            Added::Done,
            "generation {generation}"
        );
    }
}

/// The generations that have counted this stream. Checks that each has its own counter.
async fn with_counter(
    table: &dyn ReadTable,
    stream: &StreamId,
    key: &CounterKey,
) -> Vec<Generation> {
    let mut found = Vec::new();
    for generation in record().1 {
        let tallies = table.tallies(generation);
        let memo = tallies.memo(stream).await.expect("the memo can be read");
        let counters = tallies
            .range(&TenantId::default_tenant(), key, key)
            .await
            .expect("the counters can be read");
        assert_eq!(memo.is_some(), !counters.is_empty());
        if memo.is_some() {
            let amounts = BTreeMap::from([("notes".to_owned(), i128::from(generation.get()))]);
            assert_eq!(counters, [Counter { key: key.clone(), amounts }]);
            found.push(generation);
        }
    }
    found
}

/// Each generation has its own memos and counters.
pub async fn counters_of_generations_do_not_mix(table: &dyn ReadTable) {
    let (stream, key) = (fresh(), CounterKey::new(fresh().to_string()).expect("a key"));
    count(table, &stream, &key).await;
    assert_eq!(with_counter(table, &stream, &key).await, record().1);
}

/// Memos and counters of retired generations are removed, and no others.
// Guards: a-generation-in-use-is-never-removed
pub async fn retired_counters_are_removed_and_no_others(table: &dyn ReadTable) {
    let (stream, key) = (fresh(), CounterKey::new(fresh().to_string()).expect("a key"));
    count(table, &stream, &key).await;
    assert_eq!(remove(table).await, 4);
    let [_, second, _, fourth, fifth] = record().1;
    assert_eq!(with_counter(table, &stream, &key).await, [second, fourth, fifth]);
    assert_eq!(remove(table).await, 0);
}
