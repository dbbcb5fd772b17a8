//! The rules of a tally store.

use std::collections::BTreeMap;

use futures::future::join_all;
use ledgerfold::{
    Payload, StreamId, TenantId, Version,
    ports::{
        Added, Count, Counter, CounterKey, CounterShard, CountsOfShard, Increment,
        MAX_COUNTED_GROUPS, MAX_COUNTERS, MAX_ROW_BYTES, Memo, Settled, TallyStore, Written,
    },
    vocabulary::OfTenant,
};

use super::requests::{fresh, twin};

fn memo(stream: &StreamId, version: u64) -> Memo {
    let body = Payload::encode(&format!("at {version}")).expect("a text is JSON");
    Memo { stream: stream.clone(), version: Version::new(version), body, groups: Vec::new() }
}

fn amounts(written: i64, erased: i64) -> BTreeMap<String, i64> {
    BTreeMap::from([("written".to_owned(), written), ("erased".to_owned(), erased)])
}

fn sums(written: i128, erased: i128) -> BTreeMap<String, i128> {
    BTreeMap::from([("written".to_owned(), written), ("erased".to_owned(), erased)])
}

fn increment(key: &CounterKey, written: i64, erased: i64) -> Increment {
    Increment { key: key.clone(), amounts: amounts(written, erased) }
}

fn fresh_key() -> CounterKey {
    CounterKey::new(fresh().to_string()).expect("a key")
}

async fn add(store: &dyn TallyStore, after: u64, memo: &Memo, increment: Increment) -> Written {
    let count = count(after, memo.clone(), vec![increment]);
    match store.add(&alone(count)).await.expect("the counters can be written") {
        Added::Done => Written::Done,
        Added::Superseded(_) | Added::Busy => Written::Superseded,
    }
}

const fn count(after: u64, memo: Memo, increments: Vec<Increment>) -> Count {
    Count { after: Version::new(after), memo, increments }
}

fn alone(count: Count) -> CountsOfShard {
    CountsOfShard::of(count).expect("a transaction holds it")
}

/// These counts in one transaction.
///
/// # Panics
/// Panics if no transaction can hold them.
pub fn together(counts: impl IntoIterator<Item = Count>) -> CountsOfShard {
    let all = counts.into_iter().map(alone).reduce(|mut all, one| {
        all.join(one).expect("a transaction holds all");
        all
    });
    all.expect("there are some")
}

/// New streams that count in the same shard.
fn of_one_shard(streams: usize) -> Vec<StreamId> {
    let shard = CounterShard::of(&fresh());
    let fresh = std::iter::repeat_with(fresh);
    fresh.filter(|stream| CounterShard::of(stream) == shard).take(streams).collect()
}

async fn counted(store: &dyn TallyStore, key: &CounterKey) -> Vec<Counter> {
    store.range(&TenantId::default_tenant(), key, key).await.expect("the counters can be read")
}

/// Reading a missing memo or missing counters is not an error.
pub async fn a_stream_that_was_never_counted_has_no_memo(store: &dyn TallyStore) {
    assert_eq!(store.memo(&fresh()).await.expect("the memo can be read"), None);
    assert_eq!(counted(store, &fresh_key()).await, []);
}

/// One write changes the memo and the counters. Amounts may be negative.
pub async fn counting_moves_the_memo_and_the_counters(store: &dyn TallyStore) {
    let (stream, key) = (fresh(), fresh_key());
    assert_eq!(add(store, 0, &memo(&stream, 2), increment(&key, 5, 0)).await, Written::Done);
    assert_eq!(add(store, 2, &memo(&stream, 3), increment(&key, -7, 1)).await, Written::Done);
    assert_eq!(store.memo(&stream).await.expect("the memo can be read"), Some(memo(&stream, 3)));
    assert_eq!(counted(store, &key).await, [Counter { key: key.clone(), amounts: sums(-2, 1) }]);
}

/// A write has no effect if the memo's version is not the expected one, be it lower or higher.
pub async fn a_memo_that_moved_refuses_to_count_again(store: &dyn TallyStore) {
    let (stream, key) = (fresh(), fresh_key());
    assert_eq!(add(store, 0, &memo(&stream, 2), increment(&key, 1, 0)).await, Written::Done);
    for after in [0, 1, 3] {
        let again = add(store, after, &memo(&stream, 4), increment(&key, 1, 0)).await;
        assert_eq!(again, Written::Superseded, "counted after {after}, but the memo is at 2");
    }
    assert_eq!(store.memo(&stream).await.expect("it can be read"), Some(memo(&stream, 2)));
    assert_eq!(counted(store, &key).await, [Counter { key: key.clone(), amounts: sums(1, 0) }]);
}

/// If five deliveries count an event at once, one succeeds.
// Guards: each-event-is-counted-once
pub async fn five_at_once_count_once(store: &dyn TallyStore) {
    let (stream, key) = (fresh(), fresh_key());
    let one = memo(&stream, 1);
    let outcomes = join_all((0..5).map(|_| add(store, 0, &one, increment(&key, 1, 10)))).await;
    let done = outcomes.iter().filter(|outcome| **outcome == Written::Done).count();
    assert_eq!(done, 1, "{outcomes:?}");
    assert_eq!(counted(store, &key).await, [Counter { key: key.clone(), amounts: sums(1, 10) }]);
}

/// Counts of several streams are added, even if a store spreads a counter over several items.
pub async fn streams_add_up(store: &dyn TallyStore) {
    let key = fresh_key();
    for _ in 0..30 {
        assert_eq!(add(store, 0, &memo(&fresh(), 1), increment(&key, 1, 2)).await, Written::Done);
    }
    assert_eq!(counted(store, &key).await, [Counter { key: key.clone(), amounts: sums(30, 60) }]);
}

/// A range includes both ends, and is in the order of the keys.
pub async fn a_range_has_both_its_ends(store: &dyn TallyStore) {
    let base = fresh_key();
    let key = |suffix: &str| CounterKey::new(format!("{base}{suffix}")).expect("a key");
    for suffix in ["d", "b", "a", "c"] {
        add(store, 0, &memo(&fresh(), 1), increment(&key(suffix), 1, 0)).await;
    }
    let found = store
        .range(&TenantId::default_tenant(), &key("b"), &key("c"))
        .await
        .expect("the counters can be read");
    let keys: Vec<_> = found.into_iter().map(|counter| counter.key).collect();
    assert_eq!(keys, [key("b"), key("c")]);
}

/// Increments of this many groups, with two counters each.
fn groups(count: usize) -> Vec<Increment> {
    (0..count).map(|_| increment(&fresh_key(), 1, 10)).collect()
}

/// An increment of one group with this many counters.
fn wide(key: &CounterKey, counters: usize) -> Increment {
    let amounts = (0..counters).map(|at| (format!("the-counter-of-number-{at}"), 1)).collect();
    Increment { key: key.clone(), amounts }
}

/// A write at the limits is accepted. In DynamoDB an item has at most 400 KB, a transaction at most 100 different items,
/// and an expression at most 4 KB
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).
pub async fn as_much_as_a_transaction_holds_is_counted(store: &dyn TallyStore) {
    let stream = fresh();
    let body = Payload::encode(&"x".repeat(MAX_ROW_BYTES - 2)).expect("a text is JSON");
    let large = Memo { body, ..memo(&stream, 1) };
    let longest = CounterKey::new(format!("{:x<1024}", fresh_key())).expect("a key");
    let cases = [
        (Version::NONE, large, vec![increment(&longest, 1, 0)]),
        (Version::new(1), memo(&stream, 2), groups(MAX_COUNTED_GROUPS)),
        (Version::new(2), memo(&stream, 3), vec![wide(&longest, MAX_COUNTERS)]),
    ];
    for (after, memo, increments) in cases {
        let added = store.add(&alone(Count { after, memo, increments })).await;
        assert_eq!(added.expect("the counters can be written"), Added::Done, "after {after}");
    }
    let counters = counted(store, &longest).await;
    assert_eq!(counters[0].amounts.len(), MAX_COUNTERS + 2, "{counters:?}");
}

/// An increment without amounts does not create a group.
pub async fn an_increment_without_amounts_counts_nothing(store: &dyn TallyStore) {
    let (stream, key) = (fresh(), fresh_key());
    let nothing = Increment { key: key.clone(), amounts: BTreeMap::new() };
    assert_eq!(add(store, 0, &memo(&stream, 1), nothing).await, Written::Done);
    assert_eq!(counted(store, &key).await, []);
    assert_eq!(store.memo(&stream).await.expect("it can be read"), Some(memo(&stream, 1)));
}

/// A sum beyond 64 bits neither saturates nor overflows.
pub async fn a_sum_beyond_64_bits_is_exact(store: &dyn TallyStore) {
    let key = fresh_key();
    for _ in 0..9 {
        let added = add(store, 0, &memo(&fresh(), 1), increment(&key, i64::MAX, i64::MIN)).await;
        assert_eq!(added, Written::Done);
    }
    let beyond = sums(9 * i128::from(i64::MAX), 9 * i128::from(i64::MIN));
    assert_eq!(counted(store, &key).await, [Counter { key: key.clone(), amounts: beyond }]);
    for _ in 0..9 {
        let added = add(store, 0, &memo(&fresh(), 1), increment(&key, -i64::MAX, i64::MAX)).await;
        assert_eq!(added, Written::Done);
    }
    assert_eq!(counted(store, &key).await, [Counter { key: key.clone(), amounts: sums(0, -9) }]);
}

/// An event without increments still moves the memo.
pub async fn counting_nothing_moves_the_memo(store: &dyn TallyStore) {
    let stream = fresh();
    let outcome = store.add(&alone(count(0, memo(&stream, 1), Vec::new()))).await;
    assert_eq!(outcome.expect("the memo can be written"), Added::Done);
    assert_eq!(store.memo(&stream).await.expect("it can be read"), Some(memo(&stream, 1)));
}

/// A memo is read together with the groups that it has counted in. After a write was answered, the memo and all groups
/// show it.
pub async fn a_memo_is_read_together_with_its_groups(store: &dyn TallyStore) {
    let (stream, keys) = (fresh(), [fresh_key(), fresh_key()]);
    let settled = async |groups: &[CounterKey]| {
        store.settled(&stream, groups).await.expect("the memo can be read")
    };
    assert_eq!(settled(&keys).await, Settled::At(None));
    let counted = Memo { groups: keys.to_vec(), ..memo(&stream, 2) };
    let increments = keys.iter().map(|key| increment(key, 1, 0)).collect();
    let written = store.add(&alone(count(0, counted.clone(), increments))).await;
    assert_eq!(written.expect("the counters can be written"), Added::Done);
    for groups in [&keys[..], &[]] {
        assert_eq!(settled(groups).await, Settled::At(Some(counted.clone())));
    }
    let first = keys.iter().min().expect("there are two keys");
    let last = keys.iter().max().expect("there are two keys");
    let range = store.range_with(&stream, first, last).await.expect("the range can be read");
    assert_eq!(range.memo.as_ref(), Some(&counted));
    assert_eq!(range.counters.len(), 2);
}

/// Counts of several streams are added in one transaction, with the sum for each counter.
// Guards: each-event-is-counted-once
pub async fn streams_of_one_shard_are_counted_together(store: &dyn TallyStore) {
    let streams = of_one_shard(12);
    let shared = fresh_key();
    let own = fresh_key();
    let counts =
        streams.iter().map(|stream| count(0, memo(stream, 2), vec![increment(&shared, 1, -2)]));
    let with_own = |(at, mut count): (usize, Count)| {
        count.increments.extend((at == 3).then(|| increment(&own, 5, 0)));
        count
    };
    let counts = together(counts.enumerate().map(with_own));
    assert_eq!(store.add(&counts).await.expect("the counters can be written"), Added::Done);
    assert_eq!(
        counted(store, &shared).await,
        [Counter { key: shared.clone(), amounts: sums(12, -24) }]
    );
    assert_eq!(counted(store, &own).await, [Counter { key: own.clone(), amounts: sums(5, 0) }]);
    for stream in &streams {
        assert_eq!(store.memo(stream).await.expect("the memo can be read"), Some(memo(stream, 2)));
    }
}

/// If the memos of some streams have moved, nothing is counted, and the answer names exactly these streams.
// Guards: each-event-is-counted-once
pub async fn streams_whose_memo_moved_are_named_and_nothing_is_counted(store: &dyn TallyStore) {
    let streams = of_one_shard(5);
    let key = fresh_key();
    let counts = || streams.iter().map(|it| count(0, memo(it, 1), vec![increment(&key, 1, 0)]));
    let moved = [1, 3];
    let ahead = counts().enumerate().filter(|(at, _)| moved.contains(at)).map(|(_, count)| count);
    assert_eq!(store.add(&together(ahead)).await.expect("it can be written"), Added::Done);
    let refused = store.add(&together(counts())).await.expect("the store answers");
    let mut named = match refused {
        Added::Superseded(named) => named,
        Added::Done | Added::Busy => Vec::new(),
    };
    named.sort();
    let mut expected = moved.map(|at| streams[at].clone());
    expected.sort();
    assert_eq!(named, expected);
    assert_eq!(counted(store, &key).await, [Counter { key: key.clone(), amounts: sums(2, 0) }]);
    let rest = together(counts()).without(&named).expect("three remain");
    assert_eq!(store.add(&rest).await.expect("it can be written"), Added::Done);
    assert_eq!(counted(store, &key).await, [Counter { key: key.clone(), amounts: sums(5, 0) }]);
}

/// As many streams as a transaction holds are counted together.
pub async fn as_many_streams_as_a_transaction_holds_are_counted(store: &dyn TallyStore) {
    let streams = of_one_shard(MAX_COUNTED_GROUPS + 1);
    let key = fresh_key();
    let of = |stream| alone(count(0, memo(stream, 1), vec![increment(&key, 1, 0)]));
    let (last, all) = streams.split_last().expect("there are some");
    let mut counts =
        together(all.iter().map(|it| count(0, memo(it, 1), vec![increment(&key, 1, 0)])));
    assert!(counts.join(of(last)).is_err(), "100 memos and a group are 101 items");
    assert_eq!(store.add(&counts).await.expect("the counters can be written"), Added::Done);
    assert_eq!(counted(store, &key).await, [Counter { key: key.clone(), amounts: sums(99, 0) }]);
}

/// Memos of many streams are read in their order, with those that are missing.
pub async fn many_memos_are_read_in_order(store: &dyn TallyStore) {
    let counted: Vec<_> = (0..60).map(|_| fresh()).collect();
    for stream in &counted {
        add(store, 0, &memo(stream, 1), increment(&fresh_key(), 1, 0)).await;
    }
    let streams: Vec<_> = counted.iter().flat_map(|stream| [stream.clone(), fresh()]).collect();
    let memos = store.memos(&streams).await;
    assert_eq!(memos.len(), streams.len());
    for (at, (stream, memo)) in streams.iter().zip(memos).enumerate() {
        let version = memo.expect("the memo can be read").map(|memo| (memo.stream, memo.version));
        let expected = (at % 2 == 0).then(|| (stream.clone(), Version::new(1)));
        assert_eq!(version, expected, "at {at}");
    }
}

/// Streams with equal ids have a memo in each tenant.
// Guards: tenants-never-meet
pub async fn memos_of_tenants_do_not_mix(store: &dyn TallyStore) {
    let here = fresh();
    let key = fresh_key();
    let there = twin(&here);
    assert_eq!(add(store, 0, &memo(&here, 5), increment(&key, 1, 0)).await, Written::Done);
    let read = async |stream: &StreamId| store.memo(stream).await.expect("it can be read");
    assert_eq!(read(&there).await, None);
    assert_eq!(add(store, 0, &memo(&there, 2), increment(&key, 1, 0)).await, Written::Done);
    for (stream, version) in [(&here, 5), (&there, 2)] {
        let expected = Some(memo(stream, version));
        assert_eq!(read(stream).await, expected);
        let settled = store.settled(stream, &[]).await.expect("it can be read");
        assert_eq!(settled, Settled::At(expected));
    }
    let memos = store.memos(&[here.clone(), there.clone()]).await.into_iter();
    let memos: Vec<_> = memos.flatten().flatten().collect();
    assert_eq!(memos, [memo(&here, 5), memo(&there, 2)]);
}

/// Equal keys of two tenants are two groups of counters, also if one transaction counts in both.
// Guards: tenants-never-meet
pub async fn counters_of_tenants_do_not_mix(store: &dyn TallyStore) {
    let key = fresh_key();
    let here = fresh();
    let mut there = std::iter::repeat_with(|| twin(&fresh()));
    let there = there.find(|stream| CounterShard::of(stream) == CounterShard::of(&here));
    let there = there.expect("every shard has streams");
    let counts = [(&here, 1), (&there, 10)];
    let counts = counts.map(|(it, more)| count(0, memo(it, 1), vec![increment(&key, more, 0)]));
    let added = store.add(&together(counts)).await.expect("the counters can be written");
    assert_eq!(added, Added::Done);
    assert_eq!(add(store, 1, &memo(&there, 2), increment(&key, 20, 0)).await, Written::Done);
    let mut all = store.all().await.expect("the counters can be read");
    all.retain(|counter| counter.key.key == key);
    all.sort_by(|one, other| one.tenant.cmp(&other.tenant));
    let expected = [(&here, 1), (&there, 30)].map(|(stream, written)| {
        OfTenant::of(stream, Counter { key: key.clone(), amounts: sums(written, 0) })
    });
    assert_eq!(all, expected);
    for OfTenant { tenant, key: counter } in expected {
        let found = store.range(&tenant, &key, &key).await.expect("the counters can be read");
        assert_eq!(found, [counter], "of {tenant}");
    }
    let counted = store.range_with(&here, &key, &key).await.expect("the counters can be read");
    assert_eq!(counted.counters, [Counter { key: key.clone(), amounts: sums(1, 0) }]);
}
