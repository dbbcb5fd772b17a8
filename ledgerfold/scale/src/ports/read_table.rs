//! The read tables: rows with an index, and counters.

use std::sync::Arc;

use async_trait::async_trait;
use ledgerfold::{
    StreamId, TenantId, Version,
    ports::{
        Added, Count, Counter, CounterKey, CountsOfShard, Listing, Memo, PortError, ReadStoreError,
        ReadTable, ReadView, RemovedPage, Resume, RowReader, RowStore, Settled, StoredRow,
        TallyReader, TallyStore, Written,
    },
    vocabulary::{Generation, OfTenant, Retired},
};
use ledgerfold_testkit::{MemoryReadTable, MemoryRowStore, MemoryTallyStore};

use crate::{
    cloud::{Cloud, Part, Throttled, Transacted, read_units, write_units},
    domain::{Existing, ready},
    latencies::Visible,
};

/// The name of the tables of both projections.
const TABLE: &str = "read table";
/// The name of the index of rows.
const INDEX: &str = "index of rows";

/// The size of an item without its content.
const OVERHEAD: usize = 120;
/// The size of a group of counters.
const COUNTERS: usize = 200;

/// A read table.
#[derive(Clone)]
pub(crate) struct MeteredTable {
    pub(crate) cloud: Arc<Cloud>,
    pub(crate) existing: Arc<Existing>,
    pub(crate) table: Arc<MemoryReadTable>,
    pub(crate) visible: Arc<Visible>,
}

struct Metered<S> {
    table: MeteredTable,
    store: Arc<S>,
}

impl MeteredTable {
    fn metered<S>(&self, store: Arc<S>) -> Arc<Metered<S>> {
        Arc::new(Metered { table: self.clone(), store })
    }
}

impl ReadView for MeteredTable {
    fn read_rows(&self, generation: Generation) -> Arc<dyn RowReader> {
        self.metered(self.table.rows_of(generation))
    }

    fn read_tallies(&self, generation: Generation) -> Arc<dyn TallyReader> {
        self.metered(self.table.tallies_of(generation))
    }
}

#[async_trait]
impl ReadTable for MeteredTable {
    fn rows(&self, generation: Generation) -> Arc<dyn RowStore> {
        self.metered(self.table.rows_of(generation))
    }

    fn tallies(&self, generation: Generation) -> Arc<dyn TallyStore> {
        self.metered(self.table.tallies_of(generation))
    }

    async fn remove(
        &self,
        retired: &Retired,
        from: Option<&Resume>,
    ) -> Result<RemovedPage, ReadStoreError> {
        self.table.remove(retired, from).await
    }
}

fn throttled(Throttled: Throttled) -> ReadStoreError {
    ReadStoreError::Port(PortError::Throttled)
}

fn row_bytes(row: &StoredRow) -> usize {
    row.body.as_ref().map_or(0, |body| body.as_str().len()) + OVERHEAD
}

fn memo_key(stream: &StreamId) -> String {
    format!("memo#{stream}")
}

fn memo_bytes(memo: &Memo) -> usize {
    memo.body.as_str().len() + OVERHEAD
}

impl Metered<MemoryRowStore> {
    /// A row, with the units that it costs.
    fn row(&self, stream: &StreamId) -> (Result<Option<StoredRow>, ReadStoreError>, u64) {
        let stored = ready(self.store.get(stream));
        let row = stored.map(|row| row.or_else(|| self.table.existing.row(stream)));
        let bytes = row.as_ref().ok().and_then(Option::as_ref).map_or(0, row_bytes);
        (row, read_units(bytes))
    }
}

impl Metered<MemoryTallyStore> {
    /// A memo, with the units that it costs.
    fn stored_memo(&self, stream: &StreamId) -> (Result<Option<Memo>, ReadStoreError>, u64) {
        let stored = ready(self.store.memo(stream));
        let memo = match (&stored, self.table.existing.memo(stream)) {
            (Ok(None), Some(memo)) => self.create(memo),
            _ => stored,
        };
        let bytes = memo.as_ref().ok().and_then(Option::as_ref).map_or(0, memo_bytes);
        (memo, read_units(bytes))
    }

    /// Stores the memo of a stream that exists from the beginning.
    fn create(&self, memo: Memo) -> Result<Option<Memo>, ReadStoreError> {
        let count = Count { after: Version::NONE, memo: memo.clone(), increments: Vec::new() };
        let added = CountsOfShard::of(count).and_then(|counts| ready(self.store.add(&counts)));
        added.map(|_| Some(memo))
    }
}

/// The results of a request for several streams.
fn each<T>(
    read: Result<Vec<Result<T, ReadStoreError>>, Throttled>,
    streams: &[StreamId],
) -> Vec<Result<T, ReadStoreError>> {
    read.unwrap_or_else(|Throttled| streams.iter().map(|_| Err(throttled(Throttled))).collect())
}

#[async_trait]
impl RowReader for Metered<MemoryRowStore> {
    async fn get(&self, stream: &StreamId) -> Result<Option<StoredRow>, ReadStoreError> {
        let read = || self.row(stream);
        let cloud = &self.table.cloud;
        cloud.read("GetItem", (TABLE, &stream.to_string()), read).await.map_err(throttled)?
    }

    async fn get_all(
        &self,
        streams: &[StreamId],
    ) -> Vec<Result<Option<StoredRow>, ReadStoreError>> {
        let key = |stream: &StreamId| stream.to_string();
        let read = self.table.cloud.read_all(TABLE, streams, key, |stream| self.row(stream)).await;
        each(read, streams)
    }

    async fn list(&self, listing: &Listing) -> Result<Vec<StoredRow>, ReadStoreError> {
        self.store.list(listing).await
    }
}

#[async_trait]
impl RowStore for Metered<MemoryRowStore> {
    /// A row of an index is written twice: to the table and to the index.
    async fn put(&self, row: &StoredRow) -> Result<Written, ReadStoreError> {
        let units = write_units(row_bytes(row));
        let key = row.stream.to_string();
        let index = row.index.as_ref().map(|index| index.partition.to_string());
        let index = index.map(|list| Part { table: INDEX, key: list, item: key.clone(), units });
        let row_part = Part { table: TABLE, key: key.clone(), item: String::new(), units };
        let parts: Vec<_> = std::iter::once(row_part).chain(index).collect();
        let written = self.table.cloud.write(&parts, || ready(self.store.put(row))).await;
        let written = written.map_err(throttled)??;
        if written == Written::Done {
            self.table.visible.show(&row.stream, row.version, self.table.cloud.time.elapsed());
        }
        Ok(written)
    }

    async fn replace(&self, seen: &StoredRow, row: &StoredRow) -> Result<Written, ReadStoreError> {
        self.store.replace(seen, row).await
    }
}

#[async_trait]
impl TallyReader for Metered<MemoryTallyStore> {
    async fn memo(&self, stream: &StreamId) -> Result<Option<Memo>, ReadStoreError> {
        let read = || self.stored_memo(stream);
        let cloud = &self.table.cloud;
        cloud.read("GetItem", (TABLE, &memo_key(stream)), read).await.map_err(throttled)?
    }

    async fn memos(&self, streams: &[StreamId]) -> Vec<Result<Option<Memo>, ReadStoreError>> {
        let read = |stream: &StreamId| self.stored_memo(stream);
        let read = self.table.cloud.read_all(TABLE, streams, memo_key, read).await;
        each(read, streams)
    }

    async fn range(
        &self,
        tenant: &TenantId,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Vec<Counter>, ReadStoreError> {
        self.store.range(tenant, first, last).await
    }

    async fn settled(
        &self,
        stream: &StreamId,
        groups: &[CounterKey],
    ) -> Result<Settled, ReadStoreError> {
        self.store.settled(stream, groups).await
    }
}

#[async_trait]
impl TallyStore for Metered<MemoryTallyStore> {
    /// Each item of a transaction costs twice its units.
    async fn add(&self, counts: &CountsOfShard) -> Result<Added, ReadStoreError> {
        let part = |key: String, item: String, bytes| Part {
            table: TABLE,
            key,
            item,
            units: 2 * write_units(bytes),
        };
        let memos = counts.counts().iter().map(|count| {
            part(memo_key(count.stream()), "memo".to_owned(), memo_bytes(&count.memo))
        });
        let shard = format!("counters#{}", counts.shard().number());
        let groups = counts.sums().keys();
        let groups = groups.map(|key| part(shard.clone(), key.to_string(), COUNTERS));
        let parts: Vec<_> = memos.chain(groups).collect();
        let write = || ready(self.store.add(counts));
        match self.table.cloud.transact(&parts, write).await.map_err(throttled)? {
            Transacted::Done(added) => added,
            Transacted::Conflict => Ok(Added::Busy),
        }
    }

    async fn all(&self) -> Result<Vec<OfTenant<Counter>>, ReadStoreError> {
        self.store.all().await
    }
}
