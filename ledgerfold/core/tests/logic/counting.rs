//! Events of many streams that are counted together: few requests, and each stream keeps its own result.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use ledgerfold::{
    StreamId, TenantId, Version,
    ports::{
        Added, CommitPage, Counter, CounterKey, CounterShard, CountsOfShard, EventStore, Memo,
        PortError, ReadStoreError, Settled, StoreError, TallyReader, TallyStore,
    },
    project::{Projector, ProjectorPorts, TallyModel},
    vocabulary::OfTenant,
};
use ledgerfold_proofs::conformance::requests::fresh;
use ledgerfold_testkit::{Amended, Amendment, MemoryTallyStore, SeededRandom};

use crate::note_models::{Words, World, deliveries};

/// A tally store that records its calls and answers some writes as told.
#[derive(Default)]
struct Recorded {
    kept: Arc<MemoryTallyStore>,
    calls: Mutex<Calls>,
    /// The streams whose counts can never be added.
    hopeless: Vec<StreamId>,
}

#[derive(Default)]
struct Calls {
    /// The number of streams of each read.
    reads: Vec<usize>,
    /// The shard and the number of streams of each write.
    writes: Vec<(CounterShard, usize)>,
    /// The answers to the next writes, instead of a write.
    instead: VecDeque<Result<Added, PortError>>,
}

impl Recorded {
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().expect("no test panics with the lock")
    }
}

#[async_trait]
impl TallyReader for Recorded {
    async fn memo(&self, stream: &StreamId) -> Result<Option<Memo>, ReadStoreError> {
        self.kept.memo(stream).await
    }

    async fn memos(&self, streams: &[StreamId]) -> Vec<Result<Option<Memo>, ReadStoreError>> {
        self.calls().reads.push(streams.len());
        self.kept.memos(streams).await
    }

    async fn range(
        &self,
        tenant: &TenantId,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Vec<Counter>, ReadStoreError> {
        self.kept.range(tenant, first, last).await
    }

    async fn settled(
        &self,
        stream: &StreamId,
        groups: &[CounterKey],
    ) -> Result<Settled, ReadStoreError> {
        self.kept.settled(stream, groups).await
    }
}

#[async_trait]
impl TallyStore for Recorded {
    async fn add(&self, counts: &CountsOfShard) -> Result<Added, ReadStoreError> {
        self.calls().writes.push((counts.shard(), counts.counts().len()));
        if let Some(answer) = self.calls().instead.pop_front() {
            return Ok(answer?);
        }
        if counts.counts().iter().any(|count| self.hopeless.contains(count.stream())) {
            return Err(ReadStoreError::Invalid("one of them is hopeless".into()));
        }
        self.kept.add(counts).await
    }

    async fn all(&self) -> Result<Vec<OfTenant<Counter>>, ReadStoreError> {
        self.kept.all().await
    }
}

fn projector(world: &World, store: &Arc<Recorded>) -> Projector {
    let model = Arc::new(TallyModel::<Words>::new(store.clone()));
    let parked = world.parked_words.clone();
    world.projector(model, parked.clone()).with_quarantine(parked)
}

/// A world with a note on each of these streams.
async fn written(streams: &[StreamId]) -> World {
    let world = World::new();
    for stream in streams {
        world.write(stream, "first", &["a"]).await.expect("the note is accepted");
    }
    world
}

fn of_one_shard(streams: usize) -> Vec<StreamId> {
    let shard = CounterShard::of(&fresh());
    let streams_of_it = std::iter::repeat_with(fresh);
    streams_of_it.filter(|stream| CounterShard::of(stream) == shard).take(streams).collect()
}

fn counted(store: &Recorded) -> i128 {
    let key = CounterKey::new("a").expect("a key");
    store.kept.counter(&key).get("notes").copied().unwrap_or_default()
}

#[tokio::test]
async fn a_batch_takes_one_read_and_one_transaction_for_each_shard() {
    let streams: Vec<_> = (0..100).map(|_| fresh()).collect();
    let world = written(&streams).await;
    let store = Arc::<Recorded>::default();
    assert_eq!(projector(&world, &store).project(deliveries(world.envelopes())).await, []);
    assert_eq!(counted(&store), 100);
    let calls = store.calls();
    assert_eq!(calls.reads, [100]);
    let shards: Vec<_> = calls.writes.iter().map(|(shard, _)| shard.number()).collect();
    let mut sorted = shards.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), shards.len(), "each shard is visited once: {shards:?}");
    let circle = shards.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert!(circle <= 1, "they are visited in a circle: {shards:?}");
}

/// Another writer has counted some of the streams. Their neighbours are counted, and so are they, once.
// Guards: each-event-is-counted-once
#[tokio::test]
async fn a_stream_that_was_overtaken_holds_no_neighbour_up() {
    let streams = of_one_shard(5);
    let world = written(&streams).await;
    let store = Arc::<Recorded>::default();
    // The memos are read before another projector counts two of the streams.
    let ahead = Arc::new(Recorded { kept: store.kept.clone(), ..Recorded::default() });
    let events = world.envelopes();
    let of_two = events.iter().filter(|it| streams[..2].contains(&it.stream)).cloned();
    let other = projector(&world, &ahead);
    let one = projector(&world, &store);
    let (first, second) = futures::future::join(
        one.project(deliveries(events.clone())),
        other.project(deliveries(of_two)),
    )
    .await;
    assert_eq!((first, second), (Vec::new(), Vec::new()));
    assert_eq!(counted(&store), 5);
    for stream in &streams {
        assert_eq!(store.kept.counted(stream), Version::new(1));
    }
}

#[tokio::test]
async fn a_transaction_that_meets_another_is_sent_again() {
    let streams = of_one_shard(3);
    let world = written(&streams).await;
    let store = Arc::<Recorded>::default();
    store.calls().instead = VecDeque::from([Ok(Added::Busy), Ok(Added::Busy)]);
    assert_eq!(projector(&world, &store).project(deliveries(world.envelopes())).await, []);
    assert_eq!(counted(&store), 3);
    assert_eq!(
        store.calls().writes.iter().map(|(_, streams)| *streams).collect::<Vec<_>>(),
        [3; 3]
    );
    assert_eq!(store.calls().reads, [3], "nobody has to read again");
}

/// The store is busy without end. The batch gives up in the end, and its messages come again.
#[tokio::test]
async fn a_store_that_stays_busy_ends_the_batch_after_a_bounded_number_of_attempts() {
    let streams = of_one_shard(2);
    let world = written(&streams).await;
    let store = Arc::<Recorded>::default();
    store.calls().instead = (0..10_000).map(|_| Ok(Added::Busy)).collect();
    let failed = projector(&world, &store).project(deliveries(world.envelopes())).await;
    assert_eq!(failed.len(), 2);
    assert!(failed[0].reason.contains("kept changing"), "{failed:?}");
    let attempts = store.calls().writes.len();
    assert!(attempts <= 2 * 20 * 20, "{attempts} attempts");
    assert_eq!(counted(&store), 0);
}

// Guards: a-refused-row-stops-only-its-stream
#[tokio::test]
async fn a_count_that_no_table_takes_stops_only_its_stream() {
    let streams = of_one_shard(6);
    let world = written(&streams).await;
    let hopeless = vec![streams[2].clone()];
    let store = Arc::new(Recorded { hopeless, ..Recorded::default() });
    assert_eq!(projector(&world, &store).project(deliveries(world.envelopes())).await, []);
    assert_eq!(counted(&store), 5);
    let parked = world.parked_words.parked();
    assert_eq!(parked.iter().map(|parked| &parked.stream).collect::<Vec<_>>(), [&streams[2]]);
}

/// A throttled shard fails its own messages, and the other shards are counted.
#[tokio::test]
async fn a_throttled_transaction_fails_only_its_own_messages() {
    let mut streams = of_one_shard(3);
    let shard = CounterShard::of(&streams[0]);
    streams.extend(std::iter::repeat_with(fresh).find(|it| CounterShard::of(it) != shard));
    let world = written(&streams).await;
    let store = Arc::<Recorded>::default();
    store.calls().instead = VecDeque::from([Err(PortError::Throttled)]);
    let failed = projector(&world, &store).project(deliveries(world.envelopes())).await;
    assert!(failed.iter().all(|failed| failed.reason.contains("throttling")), "{failed:?}");
    assert_eq!(counted(&store), 4 - i128::try_from(failed.len()).expect("a few"));
    assert!([1, 3].contains(&failed.len()), "one of the two shards: {failed:?}");
    assert_eq!(projector(&world, &store).project(deliveries(world.envelopes())).await, []);
    assert_eq!(counted(&store), 4);
}

/// The number of pages of the log that are read at the same time. The counter is shared with the running reads.
#[derive(Default)]
struct Reads {
    now: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Amendment for Reads {
    async fn read(
        &self,
        log: &dyn EventStore,
        stream: &StreamId,
        after: Version,
    ) -> Result<CommitPage, StoreError> {
        self.most.fetch_max(self.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        self.now.fetch_sub(1, Ordering::SeqCst);
        log.read(stream, after).await
    }
}

/// A page of the log has up to a megabyte, and a function has little memory.
// Guards: every-read-is-bounded
#[tokio::test]
async fn a_batch_with_many_gaps_reads_few_pages_at_once() {
    let streams: Vec<_> = (0..100).map(|_| fresh()).collect();
    let world = written(&streams).await;
    for stream in &streams {
        world.write(stream, "second", &["a"]).await.expect("the note is accepted");
    }
    let log = Amended::of(world.log.clone(), Reads::default());
    let store = Arc::<Recorded>::default();
    let ports = ProjectorPorts {
        log: log.clone(),
        skips: world.parked_words.clone(),
        clock: world.clock.clone(),
        random: Arc::new(SeededRandom::new(1)),
    };
    let projector = Projector::new(Arc::new(TallyModel::<Words>::new(store.clone())), ports);
    let newest = world.envelopes().into_iter().filter(|event| event.version == Version::new(2));
    assert_eq!(projector.project(deliveries(newest)).await, []);
    assert_eq!(counted(&store), 200);
    let most = log.amendment().most.load(Ordering::SeqCst);
    assert!((2..=8).contains(&most), "{most} pages at once");
}
