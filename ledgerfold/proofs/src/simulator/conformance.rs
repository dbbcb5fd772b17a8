//! The suites of DynamoDB, run on the simulation's own stores: each call is a task of a scheduler, without faults.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::channel::oneshot;
use ledgerfold::{
    CommandId, StreamId, Version,
    ports::{
        AppendError, CommandRecord, CommitPage, Counter, CounterKey, EventReader, EventStore,
        GenerationReader, GenerationStore, Increment, Listing, Memo, ReadStoreError, ReadTable,
        ReadView, RemovedPage, Resume, RowReader, RowStore, SegmentProgress, Settled, StoreError,
        StoredRow, TallyReader, TallyStore, Transaction, Written,
    },
    vocabulary::{Generation, Generations, NewCommit, Retired},
};

use crate::simulator::{
    MOST_STEPS,
    domain::observations::Observations,
    infrastructure::{
        change_stream::ChangeStream,
        generations::SimulatedGenerations,
        log::{LogLimits, SimulatedLog},
        read_table::SimulatedTable,
        rows::SimulatedRows,
        tallies::SimulatedTallies,
    },
    network::{
        faults::{Faults, Network},
        scheduler::Scheduler,
    },
    plan::{plant::Plant, schedule::Schedule},
};

/// A store whose calls are run by its clockwork. Calls that are made at once run at once, each going
/// on when it is drawn.
struct Driven<S> {
    scheduler: Scheduler,
    store: Arc<S>,
}

impl<S: Send + Sync + 'static> Driven<S> {
    async fn run<T, F>(&self, call: impl FnOnce(Arc<S>) -> F) -> T
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let call = call(self.store.clone());
        self.scheduler.spawn(async move {
            let _ = answer.send(call.await);
        });
        // Others may want to begin before anything is run.
        tokio::task::yield_now().await;
        assert!(self.scheduler.run(MOST_STEPS), "a call did not end");
        answered.await.expect("nobody dies in good weather")
    }
}

fn parts() -> (Scheduler, Faults, Arc<Observations>) {
    static SEED: AtomicU64 = AtomicU64::new(1);
    let scheduler = Scheduler::new(SEED.fetch_add(1, Ordering::Relaxed), 0);
    (scheduler.clone(), Faults::new(&scheduler, 0), Arc::default())
}

async fn log(page: usize) -> Driven<SimulatedLog> {
    let (scheduler, faults, observations) = parts();
    let shape = Schedule::of(0).stream;
    let changes = Arc::new(ChangeStream::new(&scheduler, shape, observations.clone()));
    let limits = LogLimits { page, commit_bytes: 300 * 1_024 };
    let all = (scheduler.clone(), faults, observations);
    let store = Arc::new(SimulatedLog::new(all, Plant::None, limits, changes));
    Driven { scheduler, store }
}

async fn table() -> Driven<SimulatedTable> {
    let (scheduler, faults, observations) = parts();
    let network = Network { scheduler: scheduler.clone(), faults };
    // The suite asks the index at once, and DynamoDB Local's is never late.
    let store = Arc::new(SimulatedTable::new((network, observations, Plant::None), Duration::ZERO));
    Driven { scheduler, store }
}

async fn rows() -> Driven<SimulatedRows> {
    let Driven { scheduler, store } = table().await;
    Driven { scheduler, store: store.rows_of(Generation::FIRST) }
}

async fn tallies() -> Driven<SimulatedTallies> {
    let Driven { scheduler, store } = table().await;
    Driven { scheduler, store: store.tallies_of(Generation::FIRST) }
}

async fn generations() -> Driven<SimulatedGenerations> {
    let (scheduler, faults, _) = parts();
    let network = Network { scheduler: scheduler.clone(), faults };
    let store = Arc::new(SimulatedGenerations::new(network));
    Driven { scheduler, store }
}

#[async_trait]
impl EventReader for Driven<SimulatedLog> {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError> {
        let stream = stream.clone();
        self.run(async move |log| log.read(&stream, after).await).await
    }

    async fn read_back(
        &self,
        stream: &StreamId,
        before: Option<Version>,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        let stream = stream.clone();
        self.run(async move |log| log.read_back(&stream, before, commits).await).await
    }
}

#[async_trait]
impl EventStore for Driven<SimulatedLog> {
    async fn append(&self, new: &NewCommit) -> Result<(), AppendError> {
        let new = new.clone();
        self.run(async move |log| log.append(&new).await).await
    }

    async fn transact(&self, transaction: &Transaction) -> Result<(), AppendError> {
        let transaction = transaction.clone();
        self.run(async move |log| log.transact(&transaction).await).await
    }

    async fn record(&self, command: &CommandId) -> Result<Option<CommandRecord>, StoreError> {
        let command = command.clone();
        self.run(async move |log| log.record(&command).await).await
    }
}

#[async_trait]
impl RowReader for Driven<SimulatedRows> {
    async fn get(&self, stream: &StreamId) -> Result<Option<StoredRow>, ReadStoreError> {
        let stream = stream.clone();
        self.run(async move |rows| rows.get(&stream).await).await
    }

    async fn list(&self, listing: &Listing) -> Result<Vec<StoredRow>, ReadStoreError> {
        let listing = listing.clone();
        self.run(async move |rows| rows.list(&listing).await).await
    }
}

#[async_trait]
impl RowStore for Driven<SimulatedRows> {
    async fn put(&self, row: &StoredRow) -> Result<Written, ReadStoreError> {
        let row = row.clone();
        self.run(async move |rows| rows.put(&row).await).await
    }

    async fn replace(&self, seen: &StoredRow, row: &StoredRow) -> Result<Written, ReadStoreError> {
        let seen = seen.clone();
        let row = row.clone();
        self.run(async move |rows| rows.replace(&seen, &row).await).await
    }
}

#[async_trait]
impl TallyReader for Driven<SimulatedTallies> {
    async fn memo(&self, stream: &StreamId) -> Result<Option<Memo>, ReadStoreError> {
        let stream = stream.clone();
        self.run(async move |tallies| tallies.memo(&stream).await).await
    }

    async fn range(
        &self,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Vec<Counter>, ReadStoreError> {
        let first = first.clone();
        let last = last.clone();
        self.run(async move |tallies| tallies.range(&first, &last).await).await
    }

    async fn settled(
        &self,
        stream: &StreamId,
        groups: &[CounterKey],
    ) -> Result<Settled, ReadStoreError> {
        let stream = stream.clone();
        let groups = groups.to_vec();
        self.run(async move |tallies| tallies.settled(&stream, &groups).await).await
    }
}

#[async_trait]
impl TallyStore for Driven<SimulatedTallies> {
    async fn add(
        &self,
        after: Version,
        memo: &Memo,
        increments: &[Increment],
    ) -> Result<Written, ReadStoreError> {
        let memo = memo.clone();
        let increments = increments.to_vec();
        self.run(async move |tallies| tallies.add(after, &memo, &increments).await).await
    }
}

impl ReadView for Driven<SimulatedTable> {
    fn read_rows(&self, generation: Generation) -> Arc<dyn RowReader> {
        self.rows(generation)
    }

    fn read_tallies(&self, generation: Generation) -> Arc<dyn TallyReader> {
        self.tallies(generation)
    }
}

#[async_trait]
impl ReadTable for Driven<SimulatedTable> {
    fn rows(&self, generation: Generation) -> Arc<dyn RowStore> {
        let scheduler = self.scheduler.clone();
        let store = self.store.rows_of(generation);
        Arc::new(Driven { scheduler, store })
    }

    fn tallies(&self, generation: Generation) -> Arc<dyn TallyStore> {
        let scheduler = self.scheduler.clone();
        let store = self.store.tallies_of(generation);
        Arc::new(Driven { scheduler, store })
    }

    async fn remove(
        &self,
        retired: &Retired,
        from: Option<&Resume>,
    ) -> Result<RemovedPage, ReadStoreError> {
        let retired = retired.clone();
        let from = from.cloned();
        self.run(async move |table| table.remove(&retired, from.as_ref()).await).await
    }
}

#[async_trait]
impl GenerationReader for Driven<SimulatedGenerations> {
    async fn read(&self, projection: &str) -> Result<Option<Generations>, ReadStoreError> {
        let projection = projection.to_owned();
        self.run(async move |store| store.read(&projection).await).await
    }
}

#[async_trait]
impl GenerationStore for Driven<SimulatedGenerations> {
    async fn write(&self, projection: &str, new: &Generations) -> Result<Written, ReadStoreError> {
        let projection = projection.to_owned();
        let new = new.clone();
        self.run(async move |store| store.write(&projection, &new).await).await
    }

    async fn progress(&self, of: &str, run: u64) -> Result<Vec<SegmentProgress>, ReadStoreError> {
        let projection = of.to_owned();
        self.run(async move |store| store.progress(&projection, run).await).await
    }

    async fn save(&self, of: &str, run: u64, at: &SegmentProgress) -> Result<(), ReadStoreError> {
        let projection = of.to_owned();
        let progress = at.clone();
        self.run(async move |store| store.save(&projection, run, &progress).await).await
    }

    async fn forget(&self, projection: &str, run: u64) -> Result<(), ReadStoreError> {
        let projection = projection.to_owned();
        self.run(async move |store| store.forget(&projection, run).await).await
    }
}

mod event_store {
    crate::event_store_conformance!(super::log(3));

    #[test]
    fn the_log_of_the_simulation_answers_like_the_model_whatever_is_done() {
        for page in [1, 3, 1_000] {
            crate::conformance::history::check(100, super::log(page));
        }
    }
}

mod row_store {
    crate::row_store_conformance!(super::rows());
}

mod tally_store {
    crate::tally_store_conformance!(super::tallies());
}

mod read_table {
    crate::read_table_conformance!(rows: super::table());
    crate::read_table_conformance!(tallies: super::table());
}

mod generation_store {
    crate::generation_store_conformance!(super::generations());
}
