//! The read tables, as they are when the network is bad.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use ledgerfold::{
    StreamId, Version,
    ports::{
        Counter, CounterKey, Increment, Listing, Memo, ReadStoreError, RowStore, StoredRow,
        TallyStore, Written,
    },
};

use super::{Clockwork, Plant, world::Weather};
use crate::{MemoryRowStore, MemoryTallyStore};

/// What a call to a table meets on its way there and back.
struct Way {
    clockwork: Clockwork,
    weather: Arc<Weather>,
}

impl Way {
    async fn there(&self) -> Result<(), ReadStoreError> {
        self.clockwork.turn().await;
        if self.weather.strikes() { Err(ReadStoreError::Throttled) } else { Ok(()) }
    }

    async fn back<T>(&self, answer: T) -> Result<T, ReadStoreError> {
        self.clockwork.turn().await;
        if self.weather.strikes() {
            return Err(ReadStoreError::Unavailable("the answer was lost".into()));
        }
        Ok(answer)
    }
}

pub(super) struct SimulatedRows {
    way: Way,
    plant: Plant,
    kept: MemoryRowStore,
    /// Rows as a careless table keeps them.
    careless: Mutex<BTreeMap<StreamId, StoredRow>>,
}

impl SimulatedRows {
    pub(super) fn new(clockwork: Clockwork, weather: Arc<Weather>, plant: Plant) -> Self {
        let way = Way { clockwork, weather };
        Self { way, plant, kept: MemoryRowStore::default(), careless: Mutex::default() }
    }

    pub(super) fn rows(&self) -> Vec<StoredRow> {
        if self.is_careless() {
            return self.careless().values().cloned().collect();
        }
        self.kept.rows()
    }

    fn is_careless(&self) -> bool {
        matches!(self.plant, Plant::RowsUnconditional | Plant::NoTombstone)
    }

    fn careless(&self) -> MutexGuard<'_, BTreeMap<StreamId, StoredRow>> {
        self.careless.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_carelessly(&self, row: &StoredRow) -> Written {
        let mut rows = self.careless();
        let newer = rows.get(&row.stream).is_some_and(|there| there.version >= row.version);
        if newer && self.plant != Plant::RowsUnconditional {
            return Written::Superseded;
        }
        if row.body.is_none() && self.plant == Plant::NoTombstone {
            rows.remove(&row.stream);
        } else {
            rows.insert(row.stream.clone(), row.clone());
        }
        Written::Done
    }
}

#[async_trait]
impl RowStore for SimulatedRows {
    async fn get(&self, stream: &StreamId) -> Result<Option<StoredRow>, ReadStoreError> {
        self.way.there().await?;
        let row = if self.is_careless() {
            self.careless().get(stream).cloned()
        } else {
            self.kept.get(stream).await?
        };
        self.way.back(row).await
    }

    async fn put(&self, row: &StoredRow) -> Result<Written, ReadStoreError> {
        self.way.there().await?;
        let written =
            if self.is_careless() { self.put_carelessly(row) } else { self.kept.put(row).await? };
        self.way.back(written).await
    }

    async fn replace(&self, seen: &StoredRow, row: &StoredRow) -> Result<Written, ReadStoreError> {
        self.way.there().await?;
        let written = self.kept.replace(seen, row).await?;
        self.way.back(written).await
    }

    async fn list(&self, listing: &Listing) -> Result<Vec<StoredRow>, ReadStoreError> {
        self.way.there().await?;
        let rows = self.kept.list(listing).await?;
        self.way.back(rows).await
    }
}

pub(super) struct SimulatedTallies {
    way: Way,
    plant: Plant,
    kept: MemoryTallyStore,
}

impl SimulatedTallies {
    pub(super) fn new(clockwork: Clockwork, weather: Arc<Weather>, plant: Plant) -> Self {
        Self { way: Way { clockwork, weather }, plant, kept: MemoryTallyStore::default() }
    }

    pub(super) fn counter(&self, key: &CounterKey) -> BTreeMap<String, i64> {
        self.kept.counter(key)
    }

    pub(super) fn counted(&self, stream: &StreamId) -> Version {
        self.kept.counted(stream)
    }
}

#[async_trait]
impl TallyStore for SimulatedTallies {
    async fn memo(&self, stream: &StreamId) -> Result<Option<Memo>, ReadStoreError> {
        self.way.there().await?;
        let memo = self.kept.memo(stream).await?;
        self.way.back(memo).await
    }

    async fn add(
        &self,
        after: Version,
        memo: &Memo,
        increments: &[Increment],
    ) -> Result<Written, ReadStoreError> {
        self.way.there().await?;
        let after = match self.plant {
            Plant::CountedUnconditionally => self.kept.counted(&memo.stream),
            _ => after,
        };
        let written = self.kept.add(after, memo, increments).await?;
        self.way.back(written).await
    }

    async fn range(
        &self,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Vec<Counter>, ReadStoreError> {
        self.way.there().await?;
        let counters = self.kept.range(first, last).await?;
        self.way.back(counters).await
    }
}
