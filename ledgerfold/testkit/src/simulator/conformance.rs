//! The model is held to what DynamoDB is held to: the same suites, on the simulation's own stores,
//! each call a task of a clockwork, in good weather.

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
    NewCommit, StreamId, Version,
    ports::{
        AppendError, Counter, CounterKey, EventStore, Increment, Listing, Memo, Page,
        ReadStoreError, RowStore, StoreError, StoredRow, TallyStore, Transaction, Written,
    },
};

use super::{
    Clockwork, MOST_STEPS, Plant,
    change_stream::ChangeStream,
    log::{LogLimits, SimulatedLog},
    rows::SimulatedRows,
    schedule::Schedule,
    tallies::SimulatedTallies,
    weather::{Way, Weather},
    witness::Witness,
};

/// A store whose calls are run by its clockwork. Calls that are made at once run at once, each going
/// on when it is drawn.
struct Driven<S> {
    clockwork: Clockwork,
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
        self.clockwork.spawn(async move {
            let _ = answer.send(call.await);
        });
        // Others may want to begin before anything is run.
        tokio::task::yield_now().await;
        assert!(self.clockwork.run(MOST_STEPS), "a call did not end");
        answered.await.expect("nobody dies in good weather")
    }
}

fn parts() -> (Clockwork, Weather, Arc<Witness>) {
    static SEED: AtomicU64 = AtomicU64::new(1);
    let clockwork = Clockwork::new(SEED.fetch_add(1, Ordering::Relaxed), 0);
    (clockwork.clone(), Weather::new(&clockwork, 0), Arc::default())
}

async fn log(page: usize) -> Driven<SimulatedLog> {
    let (clockwork, weather, witness) = parts();
    let shape = Schedule::of(0).stream;
    let changes = Arc::new(ChangeStream::new(&clockwork, shape, witness.clone()));
    let limits = LogLimits { page, commit_bytes: 300 * 1_024 };
    let all = (clockwork.clone(), weather, witness);
    let store = Arc::new(SimulatedLog::new(all, Plant::None, limits, changes));
    Driven { clockwork, store }
}

async fn rows() -> Driven<SimulatedRows> {
    let (clockwork, weather, witness) = parts();
    let way = Way { clockwork: clockwork.clone(), weather };
    // The suite asks the index at once, and DynamoDB Local's is never late.
    let store = Arc::new(SimulatedRows::new(way, witness, Plant::None, Duration::ZERO));
    Driven { clockwork, store }
}

async fn tallies() -> Driven<SimulatedTallies> {
    let (clockwork, weather, witness) = parts();
    let way = Way { clockwork: clockwork.clone(), weather };
    let store = Arc::new(SimulatedTallies::new(way, witness, Plant::None));
    Driven { clockwork, store }
}

#[async_trait]
impl EventStore for Driven<SimulatedLog> {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<Page, StoreError> {
        let stream = stream.clone();
        self.run(async move |log| log.read(&stream, after).await).await
    }

    async fn read_back(
        &self,
        stream: &StreamId,
        before: Option<Version>,
        commits: usize,
    ) -> Result<Page, StoreError> {
        let stream = stream.clone();
        self.run(async move |log| log.read_back(&stream, before, commits).await).await
    }

    async fn append(&self, new: &NewCommit) -> Result<(), AppendError> {
        let new = new.clone();
        self.run(async move |log| log.append(&new).await).await
    }

    async fn transact(&self, transaction: &Transaction) -> Result<(), AppendError> {
        let transaction = transaction.clone();
        self.run(async move |log| log.transact(&transaction).await).await
    }
}

#[async_trait]
impl RowStore for Driven<SimulatedRows> {
    async fn get(&self, stream: &StreamId) -> Result<Option<StoredRow>, ReadStoreError> {
        let stream = stream.clone();
        self.run(async move |rows| rows.get(&stream).await).await
    }

    async fn put(&self, row: &StoredRow) -> Result<Written, ReadStoreError> {
        let row = row.clone();
        self.run(async move |rows| rows.put(&row).await).await
    }

    async fn replace(&self, seen: &StoredRow, row: &StoredRow) -> Result<Written, ReadStoreError> {
        let (seen, row) = (seen.clone(), row.clone());
        self.run(async move |rows| rows.replace(&seen, &row).await).await
    }

    async fn list(&self, listing: &Listing) -> Result<Vec<StoredRow>, ReadStoreError> {
        let listing = listing.clone();
        self.run(async move |rows| rows.list(&listing).await).await
    }
}

#[async_trait]
impl TallyStore for Driven<SimulatedTallies> {
    async fn memo(&self, stream: &StreamId) -> Result<Option<Memo>, ReadStoreError> {
        let stream = stream.clone();
        self.run(async move |tallies| tallies.memo(&stream).await).await
    }

    async fn add(
        &self,
        after: Version,
        memo: &Memo,
        increments: &[Increment],
    ) -> Result<Written, ReadStoreError> {
        let (memo, increments) = (memo.clone(), increments.to_vec());
        self.run(async move |tallies| tallies.add(after, &memo, &increments).await).await
    }

    async fn range(
        &self,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Vec<Counter>, ReadStoreError> {
        let (first, last) = (first.clone(), last.clone());
        self.run(async move |tallies| tallies.range(&first, &last).await).await
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
