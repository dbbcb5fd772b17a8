//! The ports of the simulation's stores, with each call as a task of a scheduler. The suites do not belong here.

use std::sync::Arc;

use async_trait::async_trait;
use futures::channel::oneshot;
use ledgerfold::{
    CommandId, StreamId, TenantId, Version,
    ports::{
        Added, AppendError, CommandRecord, CommitPage, CopyIndex, Counter, CounterKey,
        CountsOfShard, EventReader, EventStore, GenerationReader, GenerationStore, Listing, Memo,
        Page, ReadStoreError, ReadTable, ReadView, RemovedPage, Resume, RowReader, RowStore,
        Segment, SegmentProgress, Settled, Span, StoreError, StoredRow, Streams, StreamsError,
        TallyReader, TallyStore, Transaction, Written,
    },
    vocabulary::{Generation, Generations, NewCommit, OfTenant, RecordCopy, Retired},
};

use crate::{
    MOST_STEPS,
    infrastructure::{
        generations::SimulatedGenerations, pipeline_log::PipelineLog, read_table::SimulatedTable,
        rows::SimulatedRows, tallies::SimulatedTallies,
    },
    network::scheduler::Scheduler,
};

/// A store whose calls are tasks of a scheduler. Concurrent calls run concurrently, in the order that the scheduler draws.
pub(super) struct Driven<S> {
    /// Runs each call to its end.
    pub(super) scheduler: Scheduler,
    /// Shared with the task of each call.
    pub(super) store: Arc<S>,
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
        answered.await.expect("no task dies at a rate of 0")
    }
}

#[async_trait]
impl EventReader for Driven<PipelineLog> {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError> {
        let stream = stream.clone();
        self.run(async move |log| log.read(&stream, after).await).await
    }

    async fn read_back(
        &self,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        let stream = stream.clone();
        self.run(async move |log| log.read_back(&stream, span, commits).await).await
    }
}

#[async_trait]
impl EventStore for Driven<PipelineLog> {
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
impl Streams for Driven<PipelineLog> {
    async fn list(
        &self,
        segment: Segment,
        from: Option<&Resume>,
    ) -> Result<Page<StreamId>, StreamsError> {
        let from = from.cloned();
        self.run(async move |log| log.list(segment, from.as_ref()).await).await
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
        tenant: &TenantId,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Vec<Counter>, ReadStoreError> {
        let tenant = tenant.clone();
        let first = first.clone();
        let last = last.clone();
        self.run(async move |tallies| tallies.range(&tenant, &first, &last).await).await
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
    async fn add(&self, counts: &CountsOfShard) -> Result<Added, ReadStoreError> {
        let counts = counts.clone();
        self.run(async move |tallies| tallies.add(&counts).await).await
    }

    async fn all(&self) -> Result<Vec<OfTenant<Counter>>, ReadStoreError> {
        self.run(async move |tallies| tallies.all().await).await
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

    async fn read_copy(
        &self,
        projection: &str,
        copy: CopyIndex,
    ) -> Result<Option<RecordCopy>, ReadStoreError> {
        let projection = projection.to_owned();
        self.run(async move |store| store.read_copy(&projection, copy).await).await
    }
}

#[async_trait]
impl GenerationStore for Driven<SimulatedGenerations> {
    async fn write(&self, projection: &str, new: &Generations) -> Result<Written, ReadStoreError> {
        let projection = projection.to_owned();
        let new = new.clone();
        self.run(async move |store| store.write(&projection, &new).await).await
    }

    async fn write_copy(
        &self,
        projection: &str,
        copy: CopyIndex,
        new: &RecordCopy,
    ) -> Result<Written, ReadStoreError> {
        let projection = projection.to_owned();
        let new = new.clone();
        self.run(async move |store| store.write_copy(&projection, copy, &new).await).await
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
