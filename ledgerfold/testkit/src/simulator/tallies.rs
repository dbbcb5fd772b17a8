//! The table of counters, as it is when the network is bad and others count too.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use ledgerfold::{
    StreamId, Version,
    ports::{Counter, CounterKey, Increment, Memo, ReadStoreError, TallyStore, Written},
};

use super::{Plant, in_flight::InFlight, weather::Way, witness::Witness};
use crate::MemoryTallyStore;

/// The counters of one generation.
pub(super) struct SimulatedTallies {
    way: Way,
    plant: Plant,
    witness: Arc<Witness>,
    kept: MemoryTallyStore,
    in_flight: InFlight<Item>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Memo(StreamId),
    /// A group of counters is spread over shards by stream; within a shard transactions meet.
    Counter(CounterKey, usize),
}

/// How many parts counters are spread over.
const SHARDS: usize = 2;

impl SimulatedTallies {
    pub(super) fn new((way, witness, plant): (Way, Arc<Witness>, Plant)) -> Self {
        let (kept, in_flight) = (MemoryTallyStore::default(), InFlight::default());
        Self { way, plant, witness, kept, in_flight }
    }

    pub(super) fn counter(&self, key: &CounterKey) -> BTreeMap<String, i64> {
        self.kept.counter(key)
    }

    /// How many items there are.
    pub(super) fn items(&self) -> usize {
        self.kept.items()
    }

    /// Removes up to so many items for good, and says how many it were.
    pub(super) fn remove(&self, most: usize) -> usize {
        self.kept.lose(most)
    }

    pub(super) fn counted(&self, stream: &StreamId) -> Version {
        self.kept.counted(stream)
    }

    async fn add_after(
        &self,
        after: Version,
        memo: &Memo,
        increments: &[Increment],
    ) -> Result<Written, ReadStoreError> {
        let shard = memo.stream.to_string().len() % SHARDS;
        let counters = increments.iter().map(|it| Item::Counter(it.key.clone(), shard));
        let items = counters.chain([Item::Memo(memo.stream.clone())]).collect();
        let Some(hold) = self.in_flight.hold(items) else {
            self.witness.count(|report| report.conflicts += 1);
            return Ok(Written::Superseded);
        };
        self.way.clockwork.turn().await;
        let written = self.kept.add(after, memo, increments).await;
        drop(hold);
        written
    }
}

#[async_trait]
impl TallyStore for SimulatedTallies {
    async fn memo(&self, stream: &StreamId) -> Result<Option<Memo>, ReadStoreError> {
        self.way.there().await?;
        self.kept.memo(stream).await
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
        let written = self.add_after(after, memo, increments).await?;
        self.way.back(written).await
    }

    async fn range(
        &self,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Vec<Counter>, ReadStoreError> {
        self.way.there().await?;
        self.kept.range(first, last).await
    }
}

/// The same counters for a repair that adds what it has seen missing, whatever was counted meanwhile.
pub(super) struct Blind(pub(super) Arc<SimulatedTallies>);

#[async_trait]
impl TallyStore for Blind {
    async fn memo(&self, stream: &StreamId) -> Result<Option<Memo>, ReadStoreError> {
        self.0.memo(stream).await
    }

    async fn add(
        &self,
        _: Version,
        memo: &Memo,
        increments: &[Increment],
    ) -> Result<Written, ReadStoreError> {
        self.0.way.there().await?;
        let after = self.0.kept.counted(&memo.stream);
        let written = self.0.kept.add(after, memo, increments).await?;
        self.0.way.back(written).await
    }

    async fn range(
        &self,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Vec<Counter>, ReadStoreError> {
        self.0.range(first, last).await
    }
}
