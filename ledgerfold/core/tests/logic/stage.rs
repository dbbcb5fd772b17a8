//! A stage for tests with generations: projections over slow ports in memory, so that other tasks run between their
//! calls.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use ledgerfold::{
    CommandId, StreamId, TenantId, Version,
    command::{Answer, CommandHandler},
    generations::{self, RecordReader},
    ports::{
        Added, AppendError, CommandRecord, CommitPage, CopyIndex, Counter, CounterKey,
        CountsOfShard, EventReader, EventStore, GenerationReader, GenerationStore, Listing, Memo,
        PortError, ReadStoreError, ReadTable, ReadView, RemovedPage, Resume, RowReader, RowStore,
        SegmentProgress, Settled, Span, StoreError, StoredRow, TallyReader, TallyStore,
        Transaction, Written,
    },
    project::{Catalog, Models, Projector, ProjectorPorts},
    query::{LiveRows, LiveTallies},
    rebuild::Rebuilder,
    vocabulary::{Generation, Generations, NewCommit, OfTenant, RecordCopy, Retired},
};
use ledgerfold_proofs::conformance::requests::write;
use ledgerfold_testkit::bank::{Accounts, Plain};
use ledgerfold_testkit::{
    ManualClock, MemoryEventStore, MemoryGenerationStore, MemoryQuarantine, MemoryReadTable,
    SeededRandom,
};

use crate::note_models::{Notes, Words};

pub(crate) const NOTES: &str = "notes";
pub(crate) const WORDS: &str = "words";

/// The delays and failures of the ports.
#[derive(Debug)]
pub(crate) struct Disturbances {
    random: SeededRandom,
    /// How often a call yields to other tasks at most; 0 for never. Atomic, because tests change it during calls.
    pub(crate) patience: AtomicU64,
    /// One of this many writes to a read table fails; 0 for none. Atomic, because tests change it during calls.
    pub(crate) failing: AtomicU64,
}

impl Disturbances {
    pub(crate) fn draw(&self, below: u64) -> u64 {
        self.random.next() % below.max(1)
    }

    pub(crate) async fn pass(&self) {
        for _ in 0..self.draw(self.patience.load(Ordering::SeqCst) + 1) {
            tokio::task::yield_now().await;
        }
    }

    async fn write(&self) -> Result<(), ReadStoreError> {
        self.pass().await;
        match self.failing.load(Ordering::SeqCst) {
            0 => Ok(()),
            one_in if self.draw(one_in) > 0 => Ok(()),
            _ => Err(ReadStoreError::Port(PortError::Throttled)),
        }
    }
}

/// The projections, the log and all other ports, in memory.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) log: Arc<MemoryEventStore>,
    pub(crate) notes: Arc<MemoryReadTable>,
    pub(crate) words: Arc<MemoryReadTable>,
    pub(crate) generations: Arc<MemoryGenerationStore>,
    pub(crate) parked_notes: Arc<MemoryQuarantine>,
    pub(crate) parked_words: Arc<MemoryQuarantine>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) disturbances: Arc<Disturbances>,
    pub(crate) catalog: Catalog,
}

impl Stage {
    /// A stage without delays.
    pub(crate) fn new() -> Self {
        Self::of(7, 0)
    }

    /// A stage whose ports yield to other tasks, as often as the seed determines.
    pub(crate) fn slow(seed: u64) -> Self {
        Self::of(seed, 3)
    }

    fn of(seed: u64, patience: u64) -> Self {
        let random = SeededRandom::new(seed);
        let disturbances =
            Disturbances { random, patience: patience.into(), failing: AtomicU64::new(0) };
        Self {
            log: Arc::new(MemoryEventStore::with_pages_of(2)),
            notes: Arc::default(),
            words: Arc::default(),
            generations: Arc::default(),
            parked_notes: Arc::default(),
            parked_words: Arc::default(),
            clock: Arc::default(),
            disturbances: Arc::new(disturbances),
            catalog: Catalog::new().rows::<Notes>(NOTES).tally::<Words>(WORDS),
        }
    }

    /// The same stage with another program.
    pub(crate) fn with(&self, catalog: Catalog) -> Self {
        Self { catalog, ..self.clone() }
    }

    pub(crate) fn memory(&self, projection: &str) -> &Arc<MemoryReadTable> {
        if projection == NOTES { &self.notes } else { &self.words }
    }

    pub(crate) fn parked(&self, projection: &str) -> Arc<MemoryQuarantine> {
        if projection == NOTES { self.parked_notes.clone() } else { self.parked_words.clone() }
    }

    fn table(&self, projection: &str) -> Arc<dyn ReadTable> {
        Arc::new(Slow {
            inner: self.memory(projection).clone(),
            disturbances: self.disturbances.clone(),
        })
    }

    fn slow_log(&self) -> Arc<Slow<MemoryEventStore>> {
        Arc::new(Slow { inner: self.log.clone(), disturbances: self.disturbances.clone() })
    }

    fn slow_generations(&self) -> Arc<Slow<MemoryGenerationStore>> {
        Arc::new(Slow { inner: self.generations.clone(), disturbances: self.disturbances.clone() })
    }

    fn models(&self, projection: &str) -> Models {
        self.catalog.models(projection, self.table(projection)).expect("it exists")
    }

    fn ports(&self, projection: &str) -> ProjectorPorts {
        let random = Arc::new(SeededRandom::new(self.disturbances.draw(1_000)));
        let (log, skips) = (self.slow_log(), self.parked(projection));
        ProjectorPorts { log, skips, clock: self.clock.clone(), random }
    }

    pub(crate) fn projector(&self, projection: &str) -> Projector {
        let generations = self.slow_generations();
        Projector::of_generations(self.models(projection), generations, self.ports(projection))
    }

    pub(crate) fn rebuilder(&self, projection: &str) -> Rebuilder {
        let generations = self.slow_generations();
        let ports = self.ports(projection);
        Rebuilder::new(self.models(projection), generations, self.log.clone(), ports)
    }

    /// A reader of the records, through their copies.
    pub(crate) fn reader(&self) -> RecordReader {
        let random = Arc::new(SeededRandom::new(self.disturbances.draw(1_000)));
        RecordReader::new(self.slow_generations(), random)
    }

    /// Replaces the record that this one was made from.
    pub(crate) async fn change(&self, projection: &str, new: &Generations) -> Written {
        let changed = generations::change(&*self.generations, &*self.clock, projection, new).await;
        changed.expect("the write succeeds")
    }

    pub(crate) fn live_notes(&self) -> LiveRows {
        LiveRows::new::<Notes>(NOTES, self.table(NOTES), self.reader())
    }

    pub(crate) fn live_words(&self) -> LiveTallies {
        LiveTallies::new::<Words>(WORDS, self.table(WORDS), self.reader())
    }

    /// The record of the generations, or the first record if there is none.
    pub(crate) async fn record(&self, projection: &str) -> Generations {
        self.generations.recover();
        let record = self.generations.read(projection).await.expect("the read succeeds");
        record.unwrap_or(Generations::first(1))
    }

    pub(crate) async fn live(&self, projection: &str) -> Generation {
        self.record(projection).await.live().number
    }

    pub(crate) async fn write(&self, stream: &StreamId, attempt: &str, notes: &[&str]) -> Answer {
        let random = Arc::new(SeededRandom::new(3));
        let handler =
            CommandHandler::<Accounts<Plain>>::new(self.log.clone(), self.clock.clone(), random);
        handler.handle(&write(stream, attempt, notes)).await.expect("the command is accepted")
    }
}

/// A port that yields to other tasks before and after its effect.
struct Slow<P> {
    inner: Arc<P>,
    disturbances: Arc<Disturbances>,
}

#[async_trait]
impl EventReader for Slow<MemoryEventStore> {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError> {
        self.disturbances.pass().await;
        let page = self.inner.read(stream, after).await;
        self.disturbances.pass().await;
        page
    }

    async fn read_back(
        &self,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        self.disturbances.pass().await;
        let page = self.inner.read_back(stream, span, commits).await;
        self.disturbances.pass().await;
        page
    }
}

#[async_trait]
impl EventStore for Slow<MemoryEventStore> {
    async fn append(&self, commit: &NewCommit) -> Result<(), AppendError> {
        self.inner.append(commit).await
    }

    async fn transact(&self, transaction: &Transaction) -> Result<(), AppendError> {
        self.inner.transact(transaction).await
    }

    async fn record(&self, command: &CommandId) -> Result<Option<CommandRecord>, StoreError> {
        self.disturbances.pass().await;
        let record = self.inner.record(command).await;
        self.disturbances.pass().await;
        record
    }
}

#[async_trait]
impl GenerationReader for Slow<MemoryGenerationStore> {
    async fn read(&self, projection: &str) -> Result<Option<Generations>, ReadStoreError> {
        self.disturbances.pass().await;
        let record = self.inner.read(projection).await;
        self.disturbances.pass().await;
        record
    }

    async fn read_copy(
        &self,
        projection: &str,
        copy: CopyIndex,
    ) -> Result<Option<RecordCopy>, ReadStoreError> {
        self.disturbances.pass().await;
        let copy = self.inner.read_copy(projection, copy).await;
        self.disturbances.pass().await;
        copy
    }
}

#[async_trait]
impl GenerationStore for Slow<MemoryGenerationStore> {
    async fn write(&self, projection: &str, new: &Generations) -> Result<Written, ReadStoreError> {
        self.disturbances.pass().await;
        let written = self.inner.write(projection, new).await;
        self.disturbances.pass().await;
        written
    }

    async fn write_copy(
        &self,
        projection: &str,
        copy: CopyIndex,
        new: &RecordCopy,
    ) -> Result<Written, ReadStoreError> {
        self.disturbances.pass().await;
        let written = self.inner.write_copy(projection, copy, new).await;
        self.disturbances.pass().await;
        written
    }

    async fn progress(
        &self,
        projection: &str,
        run: u64,
    ) -> Result<Vec<SegmentProgress>, ReadStoreError> {
        self.inner.progress(projection, run).await
    }

    async fn save(
        &self,
        projection: &str,
        run: u64,
        progress: &SegmentProgress,
    ) -> Result<(), ReadStoreError> {
        self.disturbances.pass().await;
        self.inner.save(projection, run, progress).await
    }

    async fn forget(&self, projection: &str, run: u64) -> Result<(), ReadStoreError> {
        self.inner.forget(projection, run).await
    }
}

impl ReadView for Slow<MemoryReadTable> {
    fn read_rows(&self, generation: Generation) -> Arc<dyn RowReader> {
        self.rows(generation)
    }

    fn read_tallies(&self, generation: Generation) -> Arc<dyn TallyReader> {
        self.tallies(generation)
    }
}

#[async_trait]
impl ReadTable for Slow<MemoryReadTable> {
    fn rows(&self, generation: Generation) -> Arc<dyn RowStore> {
        let inner = Arc::new(self.inner.rows(generation));
        Arc::new(Slow { inner, disturbances: self.disturbances.clone() })
    }

    fn tallies(&self, generation: Generation) -> Arc<dyn TallyStore> {
        let inner = Arc::new(self.inner.tallies(generation));
        Arc::new(Slow { inner, disturbances: self.disturbances.clone() })
    }

    async fn remove(
        &self,
        retired: &Retired,
        from: Option<&Resume>,
    ) -> Result<RemovedPage, ReadStoreError> {
        self.disturbances.pass().await;
        self.inner.remove(retired, from).await
    }
}

#[async_trait]
impl RowReader for Slow<Arc<dyn RowStore>> {
    async fn get(&self, stream: &StreamId) -> Result<Option<StoredRow>, ReadStoreError> {
        self.disturbances.pass().await;
        let row = self.inner.get(stream).await;
        self.disturbances.pass().await;
        row
    }

    async fn list(&self, listing: &Listing) -> Result<Vec<StoredRow>, ReadStoreError> {
        self.disturbances.pass().await;
        self.inner.list(listing).await
    }
}

#[async_trait]
impl RowStore for Slow<Arc<dyn RowStore>> {
    async fn put(&self, row: &StoredRow) -> Result<Written, ReadStoreError> {
        self.disturbances.write().await?;
        let written = self.inner.put(row).await;
        self.disturbances.pass().await;
        written
    }

    async fn replace(&self, seen: &StoredRow, row: &StoredRow) -> Result<Written, ReadStoreError> {
        self.disturbances.write().await?;
        self.inner.replace(seen, row).await
    }
}

#[async_trait]
impl TallyReader for Slow<Arc<dyn TallyStore>> {
    async fn memo(&self, stream: &StreamId) -> Result<Option<Memo>, ReadStoreError> {
        self.disturbances.pass().await;
        let memo = self.inner.memo(stream).await;
        self.disturbances.pass().await;
        memo
    }

    async fn range(
        &self,
        tenant: &TenantId,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Vec<Counter>, ReadStoreError> {
        self.disturbances.pass().await;
        let counters = self.inner.range(tenant, first, last).await;
        self.disturbances.pass().await;
        counters
    }

    async fn settled(
        &self,
        stream: &StreamId,
        groups: &[CounterKey],
    ) -> Result<Settled, ReadStoreError> {
        self.disturbances.pass().await;
        self.inner.settled(stream, groups).await
    }
}

#[async_trait]
impl TallyStore for Slow<Arc<dyn TallyStore>> {
    async fn add(&self, counts: &CountsOfShard) -> Result<Added, ReadStoreError> {
        self.disturbances.write().await?;
        let added = self.inner.add(counts).await;
        self.disturbances.pass().await;
        added
    }

    async fn all(&self) -> Result<Vec<OfTenant<Counter>>, ReadStoreError> {
        let counters = self.inner.all().await;
        self.disturbances.pass().await;
        counters
    }
}

/// A value that several tasks of a test change.
#[derive(Debug, Default)]
pub(crate) struct Shared<T>(Mutex<T>);

impl<T> Shared<T> {
    pub(crate) fn with<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
