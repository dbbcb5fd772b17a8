use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use ledgerfold::{
    Payload, StreamId, TenantId, Timestamp, Version,
    ports::{
        Added, Count, Counter, CounterKey, CountsOfShard, Increment, Listing, Memo, PortError,
        ReadStoreError, Settled, TallyReader, TallyStore,
    },
    query::{QueryError, Until, as_of, current_row, fresh_counts, fresh_list, fresh_row},
    vocabulary::{ConsistencyToken, OfTenant},
};
use ledgerfold_proofs::conformance::requests::fresh;

use crate::note_models::{Notes, REMOVE, Words, World, deliveries};

fn token(stream: &StreamId, version: u64) -> ConsistencyToken {
    ConsistencyToken { stream: stream.clone(), version: Version::new(version) }
}

pub(crate) async fn write(world: &World, stream: &StreamId, notes: &[&str]) {
    let attempt = format!("{}-{}", notes.join("."), world.log.commits().len());
    world.write(stream, &attempt, notes).await.expect("the command is accepted");
}

async fn project(world: &World) {
    assert_eq!(world.notes().project(deliveries(world.envelopes())).await, []);
    assert_eq!(world.words().project(deliveries(world.envelopes())).await, []);
}

async fn row(world: &World, stream: &StreamId, seen: Option<u64>) -> Option<(u64, Vec<String>)> {
    let seen = seen.map(|version| token(stream, version));
    let skips = &*world.parked_notes;
    let fresh = fresh_row::<Notes>(&*world.rows, &*world.log, skips, stream, seen.as_ref()).await;
    fresh.expect("the read succeeds").map(|fresh| (fresh.version.get(), fresh.row))
}

fn texts(notes: &[&str]) -> Vec<String> {
    notes.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_row_is_shown_as_it_is_unless_the_caller_has_seen_more() {
    let world = World::with_pages_of(1);
    let stream = fresh();
    write(&world, &stream, &["a"]).await;
    project(&world).await;
    write(&world, &stream, &["b"]).await;
    write(&world, &stream, &["c"]).await;
    assert_eq!(row(&world, &stream, None).await, Some((1, texts(&["a"]))));
    assert_eq!(row(&world, &stream, Some(1)).await, Some((1, texts(&["a"]))));
    assert_eq!(row(&world, &stream, Some(2)).await, Some((3, texts(&["a", "b", "c"]))));
    assert_eq!(world.row(&stream), Some((Version::new(1), Some(texts(&["a"])))), "a query wrote");
}

#[tokio::test]
async fn a_current_row_has_every_event_without_a_token() {
    let world = World::with_pages_of(1);
    let stream = fresh();
    write(&world, &stream, &["a"]).await;
    project(&world).await;
    write(&world, &stream, &["b"]).await;
    write(&world, &stream, &["c"]).await;
    let skips = &*world.parked_notes;
    let current = |seen: Option<ConsistencyToken>| {
        let world = &world;
        let stream = &stream;
        async move {
            current_row::<Notes>(&*world.rows, &*world.log, skips, stream, seen.as_ref()).await
        }
    };
    let shown = current(None).await.expect("the read succeeds").expect("there is a row");
    assert_eq!((shown.version.get(), shown.row), (3, texts(&["a", "b", "c"])));
    let ahead = current(Some(token(&stream, 9))).await;
    assert!(matches!(ahead, Err(QueryError::Ahead { .. })), "{ahead:?}");
}

#[tokio::test]
async fn a_missing_row_is_folded_from_the_log() {
    let (world, stream) = (World::new(), fresh());
    assert_eq!(row(&world, &stream, None).await, None);
    write(&world, &stream, &["a"]).await;
    assert_eq!(row(&world, &stream, None).await, Some((1, texts(&["a"]))));
}

#[tokio::test]
async fn a_deleted_row_is_not_shown() {
    let (world, stream) = (World::new(), fresh());
    write(&world, &stream, &["a"]).await;
    write(&world, &stream, &[REMOVE]).await;
    project(&world).await;
    assert_eq!(row(&world, &stream, None).await, None);
    assert_eq!(row(&world, &stream, Some(2)).await, None);
}

#[tokio::test]
async fn a_token_of_an_unreached_version_is_refused() {
    let (world, stream) = (World::new(), fresh());
    write(&world, &stream, &["a"]).await;
    let ahead = token(&stream, 9);
    let refused =
        fresh_row::<Notes>(&*world.rows, &*world.log, &*world.parked_notes, &stream, Some(&ahead))
            .await;
    assert!(matches!(refused, Err(QueryError::Ahead { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_token_of_another_stream_is_ignored() {
    let (world, stream) = (World::new(), fresh());
    write(&world, &stream, &["a"]).await;
    project(&world).await;
    let other = token(&fresh(), 9);
    let shown =
        fresh_row::<Notes>(&*world.rows, &*world.log, &*world.parked_notes, &stream, Some(&other))
            .await;
    assert_eq!(shown.expect("the read succeeds").map(|fresh| fresh.version), Some(Version::new(1)));
}

async fn first_pages(
    world: &World,
    before: Option<&str>,
    seen: Option<ConsistencyToken>,
) -> Vec<String> {
    let before = before.map(|before| before.parse().expect("an order key"));
    let partition = "all".parse().expect("a list");
    let listing = Listing { tenant: TenantId::default_tenant(), partition, before, limit: 2 };
    let page = fresh_list::<Notes>(
        &*world.rows,
        &*world.log,
        &*world.parked_notes,
        &listing,
        seen.as_ref(),
    )
    .await;
    page.expect("the list can be read")
        .into_iter()
        .map(|listed| listed.fresh.row.join(""))
        .collect()
}

#[tokio::test]
async fn a_list_is_as_new_as_the_token_while_its_index_lags() {
    let world = World::new();
    let accounts: Vec<_> = (0..5).map(|_| fresh()).collect();
    for (account, name) in accounts.iter().zip(["a", "b", "d", "e"]) {
        write(&world, account, &[name]).await;
    }
    project(&world).await;
    world.rows.freeze_index();
    let new = &accounts[4];
    write(&world, new, &["c"]).await;
    assert_eq!(first_pages(&world, None, None).await, ["e", "d"]);
    assert_eq!(first_pages(&world, None, Some(token(new, 1))).await, ["e", "d"]);
    assert_eq!(first_pages(&world, Some("d"), None).await, ["b", "a"]);
    assert_eq!(first_pages(&world, Some("d"), Some(token(new, 1))).await, ["c", "b"]);
    write(&world, &accounts[3], &["!"]).await;
    assert_eq!(first_pages(&world, None, Some(token(&accounts[3], 2))).await, ["e!", "d"]);
    assert_eq!(first_pages(&world, Some("b"), Some(token(&accounts[0], 1))).await, ["a"]);
    write(&world, &accounts[3], &[REMOVE]).await;
    assert_eq!(first_pages(&world, None, Some(token(&accounts[3], 3))).await, ["d", "b"]);
}

async fn notes(world: &World, seen: Option<ConsistencyToken>) -> Vec<(String, i128)> {
    let first = CounterKey::new("a").expect("a key");
    let last = CounterKey::new("m").expect("a key");
    let range = (&TenantId::default_tenant(), &first, &last);
    let counters = fresh_counts::<Words>(
        &*world.tallies,
        &*world.log,
        &*world.parked_words,
        range,
        seen.as_ref(),
    )
    .await;
    let counters = counters.expect("the read succeeds");
    counters
        .into_iter()
        .map(|counter| (counter.key.to_string(), counter.amounts["notes"]))
        .collect()
}

fn counts(expected: &[(&str, i128)]) -> Vec<(String, i128)> {
    expected.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect()
}

#[tokio::test]
async fn counters_are_as_new_as_the_token_and_count_nothing_twice() {
    let world = World::with_pages_of(1);
    let stream = fresh();
    write(&world, &stream, &["a", "b"]).await;
    project(&world).await;
    write(&world, &stream, &["a"]).await;
    write(&world, &stream, &["c", "z"]).await;
    assert_eq!(notes(&world, None).await, counts(&[("a", 1), ("b", 1)]));
    let seen = || Some(token(&stream, 5));
    assert_eq!(notes(&world, seen()).await, counts(&[("a", 2), ("b", 1), ("c", 1)]));
    project(&world).await;
    assert_eq!(notes(&world, seen()).await, counts(&[("a", 2), ("b", 1), ("c", 1)]));
}

/// Counters whose projector counts the missing events just before the first read of the counters.
struct Racing<'a> {
    world: &'a World,
    counted: AtomicBool,
}

#[async_trait]
impl TallyReader for Racing<'_> {
    async fn memo(&self, stream: &StreamId) -> Result<Option<Memo>, ReadStoreError> {
        self.world.tallies.memo(stream).await
    }

    async fn range(
        &self,
        tenant: &TenantId,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Vec<Counter>, ReadStoreError> {
        if !self.counted.swap(true, Ordering::SeqCst) {
            project(self.world).await;
        }
        self.world.tallies.range(tenant, first, last).await
    }

    async fn settled(
        &self,
        stream: &StreamId,
        groups: &[CounterKey],
    ) -> Result<Settled, ReadStoreError> {
        self.world.tallies.settled(stream, groups).await
    }
}

#[async_trait]
impl TallyStore for Racing<'_> {
    async fn add(&self, _: &CountsOfShard) -> Result<Added, ReadStoreError> {
        Err(ReadStoreError::Port(PortError::Refused("a query writes".into())))
    }

    async fn all(&self) -> Result<Vec<OfTenant<Counter>>, ReadStoreError> {
        Err(ReadStoreError::Port(PortError::Refused("a query needs one tenant".into())))
    }
}

#[tokio::test]
async fn counters_that_move_while_they_are_read_are_counted_once() {
    let (world, stream) = (World::new(), fresh());
    write(&world, &stream, &["a"]).await;
    project(&world).await;
    write(&world, &stream, &["a"]).await;
    let racing = Racing { world: &world, counted: AtomicBool::new(false) };
    let (key, seen) = (CounterKey::new("a").expect("a key"), token(&stream, 2));
    let counters = fresh_counts::<Words>(
        &racing,
        &*world.log,
        &*world.parked_words,
        (&TenantId::default_tenant(), &key, &key),
        Some(&seen),
    )
    .await;
    assert_eq!(counters.expect("the read succeeds")[0].amounts["notes"], 2);
}

/// Counters that another transaction always changes.
struct Busy<'a>(&'a World);

#[async_trait]
impl TallyReader for Busy<'_> {
    async fn memo(&self, stream: &StreamId) -> Result<Option<Memo>, ReadStoreError> {
        self.0.tallies.memo(stream).await
    }

    async fn range(
        &self,
        tenant: &TenantId,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Vec<Counter>, ReadStoreError> {
        self.0.tallies.range(tenant, first, last).await
    }

    async fn settled(&self, _: &StreamId, _: &[CounterKey]) -> Result<Settled, ReadStoreError> {
        Ok(Settled::UnderWay)
    }
}

#[async_trait]
impl TallyStore for Busy<'_> {
    async fn add(&self, _: &CountsOfShard) -> Result<Added, ReadStoreError> {
        Err(ReadStoreError::Port(PortError::Refused("a query writes".into())))
    }

    async fn all(&self) -> Result<Vec<OfTenant<Counter>>, ReadStoreError> {
        Err(ReadStoreError::Port(PortError::Refused("a query needs one tenant".into())))
    }
}

#[tokio::test]
async fn counters_that_never_settle_are_an_error_for_a_caller_with_a_token() {
    let (world, stream) = (World::new(), fresh());
    write(&world, &stream, &["a"]).await;
    project(&world).await;
    let (busy, key, seen) = (Busy(&world), CounterKey::new("a").expect("a key"), token(&stream, 1));
    let tenant = &TenantId::default_tenant();
    let refused = fresh_counts::<Words>(
        &busy,
        &*world.log,
        &*world.parked_words,
        (tenant, &key, &key),
        Some(&seen),
    )
    .await;
    let is_passing = matches!(
        refused,
        Err(QueryError::ReadStore(ReadStoreError::Port(PortError::Unavailable(_))))
    );
    assert!(is_passing, "{refused:?}");
    let shown =
        fresh_counts::<Words>(&busy, &*world.log, &*world.parked_words, (tenant, &key, &key), None)
            .await;
    assert_eq!(shown.expect("a query without a token")[0].amounts["notes"], 1);
}

#[tokio::test]
async fn a_sum_beyond_64_bits_is_exact_with_events_from_the_log() {
    let (world, stream) = (World::new(), fresh());
    let key = CounterKey::new("a").expect("a key");
    let full = Increment { key: key.clone(), amounts: [("notes".to_owned(), i64::MAX)].into() };
    let memo = Memo {
        stream: fresh(),
        version: Version::new(1),
        body: Payload::encode(&1).expect("a number is JSON"),
        groups: vec![key.clone()],
    };
    let count = Count { after: Version::NONE, memo, increments: vec![full] };
    let counts = CountsOfShard::of(count).expect("a transaction holds it");
    world.tallies.add(&counts).await.expect("the write succeeds");
    write(&world, &stream, &["a"]).await;
    let seen = token(&stream, 1);
    let shown = fresh_counts::<Words>(
        &*world.tallies,
        &*world.log,
        &*world.parked_words,
        (&TenantId::default_tenant(), &key, &key),
        Some(&seen),
    )
    .await;
    let sum = shown.expect("the read succeeds")[0].amounts["notes"];
    assert_eq!(sum, i128::from(i64::MAX) + 1);
}

async fn book_at(world: &World, stream: &StreamId, until: Until) -> Option<(u64, Vec<String>)> {
    let shown = as_of::<Notes>(&*world.log, &*world.parked_notes, stream, until)
        .await
        .expect("the read succeeds");
    shown.map(|fresh| (fresh.version.get(), fresh.row))
}

#[tokio::test]
async fn the_past_is_shown_by_version() {
    let world = World::with_pages_of(1);
    let stream = fresh();
    write(&world, &stream, &["a"]).await;
    write(&world, &stream, &["b", "c"]).await;
    let at = |version| Until::Version(Version::new(version));
    assert_eq!(book_at(&world, &stream, at(0)).await, None);
    assert_eq!(book_at(&world, &stream, at(1)).await, Some((1, texts(&["a"]))));
    assert_eq!(book_at(&world, &stream, at(3)).await, Some((3, texts(&["a", "b", "c"]))));
    assert_eq!(book_at(&world, &stream, at(4)).await, None);
}

#[tokio::test]
async fn a_version_inside_a_commit_shows_the_state_before_it() {
    for commits_per_page in [1, 1_000] {
        let (world, stream) = (World::with_pages_of(commits_per_page), fresh());
        write(&world, &stream, &["a"]).await;
        write(&world, &stream, &["b", "c", "d"]).await;
        write(&world, &stream, &["e", "f"]).await;
        let at = |version| Until::Version(Version::new(version));
        for inside in [2, 3] {
            let shown = book_at(&world, &stream, at(inside)).await;
            assert_eq!(shown, Some((1, texts(&["a"]))), "at {inside}");
        }
        let shown = book_at(&world, &stream, at(5)).await;
        assert_eq!(shown, Some((4, texts(&["a", "b", "c", "d"]))));
        let only = fresh();
        write(&world, &only, &["x", "y"]).await;
        assert_eq!(book_at(&world, &only, at(1)).await, None, "there is no state before");
        assert_eq!(book_at(&world, &only, at(3)).await, None, "the version was never reached");
    }
}

#[tokio::test]
async fn the_past_is_shown_by_time_even_if_clocks_ran_backwards() {
    for commits_per_page in [1, 1_000] {
        clocks_run_backwards(World::with_pages_of(commits_per_page)).await;
    }
}

async fn clocks_run_backwards(world: World) {
    let stream = fresh();
    let second = |second| Timestamp::from_second(second).expect("a second of our era");
    for (note, at) in [("a", 100), ("b", 300), ("c", 200)] {
        world.clock.set(second(at));
        write(&world, &stream, &[note]).await;
    }
    let at = |at| Until::Instant(second(at));
    assert_eq!(book_at(&world, &stream, at(99)).await, None);
    assert_eq!(book_at(&world, &stream, at(100)).await, Some((1, texts(&["a"]))));
    assert_eq!(book_at(&world, &stream, at(250)).await, Some((1, texts(&["a"]))));
    assert_eq!(book_at(&world, &stream, at(300)).await, Some((3, texts(&["a", "b", "c"]))));
}
