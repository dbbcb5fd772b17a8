//! The counters of one generation, with network faults and concurrent transactions.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::{channel::oneshot, future::try_join_all};
use ledgerfold::{
    StreamId, TenantId, Version,
    ports::{
        Added, Clock, Count, Counter, CounterKey, CounterShard, CountsOfShard, Memo,
        ReadStoreError, Settled, TallyReader, TallyStore,
    },
    vocabulary::OfTenant,
};

use crate::{
    domain::{accounts::tenant_beside, observations::Observations},
    infrastructure::hidden_writes::{HiddenWrites, Item},
    network::{
        faults::Network,
        in_flight::{Hold, InFlight},
    },
    plan::plant::Plant,
};
use ledgerfold_testkit::MemoryTallyStore;

/// The counters of one generation.
pub(crate) struct SimulatedTallies {
    network: Network,
    plant: Plant,
    observations: Arc<Observations>,
    /// The true counters and memos. The port's methods write them, and removals of a generation.
    inner: MemoryTallyStore,
    /// The items of running transactions. Transactional reads that meet one are refused.
    in_flight: InFlight<Item>,
    /// The writes of transactions that plain reads do not show yet. Shared with the tasks that show them.
    hidden_writes: Arc<HiddenWrites>,
}

impl Item {
    /// The memo of a stream, and its shard of these groups.
    fn of_stream(stream: &StreamId, groups: &[CounterKey]) -> Vec<Self> {
        let shard = CounterShard::of(stream);
        let counters =
            groups.iter().map(|key| Self::Counter(OfTenant::of(stream, key.clone()), shard));
        counters.chain([Self::Memo(stream.clone())]).collect()
    }

    /// The items that a transaction writes: the groups, and then the memos.
    fn written(counts: &CountsOfShard) -> Vec<Self> {
        let counters = counts.sums().keys().map(|key| Self::Counter(key.clone(), counts.shard()));
        let memos = counts.counts().iter().map(|count| Self::Memo(count.stream().clone()));
        counters.chain(memos).collect()
    }
}

/// The longest time between two items of a transaction, while faults are on.
const LONGEST_SHOW: Duration = Duration::from_secs(5);

impl SimulatedTallies {
    pub(crate) fn new((network, observations, plant): (Network, Arc<Observations>, Plant)) -> Self {
        Self {
            network,
            plant,
            observations,
            inner: MemoryTallyStore::default(),
            in_flight: InFlight::default(),
            hidden_writes: Arc::default(),
        }
    }

    /// Whether no transaction runs.
    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
    }

    pub(crate) fn counter(&self, tenant: &TenantId, key: &CounterKey) -> BTreeMap<String, i128> {
        self.inner.counter_of(tenant, key)
    }

    /// How many items there are.
    pub(crate) fn items(&self) -> usize {
        self.inner.items()
    }

    /// Removes at most this many items for good, and returns their number.
    pub(crate) fn remove(&self, most: usize) -> usize {
        self.inner.lose(most)
    }

    pub(crate) fn counted(&self, stream: &StreamId) -> Version {
        self.inner.counted(stream)
    }

    async fn add_now(&self, counts: &CountsOfShard) -> Result<Added, ReadStoreError> {
        let items = Item::written(counts);
        let Some(hold) = self.in_flight.hold(items.clone()) else {
            self.observations.count(|report| report.conflicts += 1);
            return Ok(Added::Busy);
        };
        self.network.scheduler.turn().await;
        let streams = counts.counts().iter().map(|count| self.inner.memo(count.stream()));
        let before = try_join_all(streams).await?;
        let added = self.inner.add(counts).await?;
        if added == Added::Done {
            if counts.counts().len() > 1 {
                self.observations.count(|report| report.counted_together += 1);
            }
            self.hidden_writes.hide(&items, counts.sums(), before);
            // If the caller dies here, the transaction is done all the same.
            let _ = self.show(hold).await;
        }
        Ok(added)
    }

    /// Shows the writes of a transaction item by item, in any order: plain reads may come in between.
    fn show(&self, mut hold: Hold<Item>) -> oneshot::Receiver<()> {
        let (done, shown) = oneshot::channel();
        let network = self.network.clone();
        let hidden_writes = self.hidden_writes.clone();
        self.network.scheduler.spawn(async move {
            while hold.len() > 0 {
                network.scheduler.turn().await;
                if network.faults.fails() {
                    network.scheduler.sleep(network.scheduler.within(LONGEST_SHOW)).await;
                }
                let item = hold.release(network.scheduler.below(hold.len()));
                hidden_writes.show(&item);
            }
            let _ = done.send(());
        });
        shown
    }
}

#[async_trait]
impl TallyReader for SimulatedTallies {
    async fn memo(&self, stream: &StreamId) -> Result<Option<Memo>, ReadStoreError> {
        self.network.request().await?;
        Ok(self.hidden_writes.memo(stream, self.inner.memo(stream).await?))
    }

    async fn range(
        &self,
        tenant: &TenantId,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Vec<Counter>, ReadStoreError> {
        self.network.request().await?;
        let other = match self.plant {
            Plant::TenantsShareCounters => tenant_beside(tenant),
            _ => tenant.clone(),
        };
        let tenant = &other;
        let mut counters = self.inner.range(tenant, first, last).await?;
        self.hidden_writes.take_from(tenant, &mut counters);
        Ok(counters)
    }

    async fn settled(
        &self,
        stream: &StreamId,
        groups: &[CounterKey],
    ) -> Result<Settled, ReadStoreError> {
        if self.plant == Plant::ReadApart {
            return Ok(Settled::At(self.memo(stream).await?));
        }
        self.network.request().await?;
        if self.in_flight.has_any(&Item::of_stream(stream, groups)) {
            self.observations.count(|report| report.unsettled += 1);
            return Ok(Settled::UnderWay);
        }
        Ok(Settled::At(self.inner.memo(stream).await?))
    }
}

#[async_trait]
impl TallyStore for SimulatedTallies {
    async fn add(&self, counts: &CountsOfShard) -> Result<Added, ReadStoreError> {
        self.network.request().await?;
        let added = match self.plant {
            Plant::CountedUnconditionally => self.add_now(&self.unconditional(counts)).await?,
            Plant::SumOfOneStream => self.add_now(&only_last_counts(counts)).await?,
            Plant::NeighboursUncounted => match self.add_now(counts).await? {
                Added::Superseded(_) => Added::Done,
                added => added,
            },
            _ => self.add_now(counts).await?,
        };
        self.network.response(added).await
    }

    async fn all(&self) -> Result<Vec<OfTenant<Counter>>, ReadStoreError> {
        self.network.request().await?;
        let mut counters = self.inner.all().await?;
        for OfTenant { tenant, key } in &mut counters {
            self.hidden_writes.take_from_one(tenant, key);
        }
        Ok(counters)
    }
}

impl SimulatedTallies {
    /// The same counts, each from the version that its memo has now.
    fn unconditional(&self, counts: &CountsOfShard) -> CountsOfShard {
        with_each(counts, |count| Count { after: self.counted(count.stream()), ..count })
    }
}

/// The same counts, of which only the last one adds anything.
fn only_last_counts(counts: &CountsOfShard) -> CountsOfShard {
    let last = counts.counts().last().map(|count| count.stream().clone());
    with_each(counts, |count| match last.as_ref() == Some(count.stream()) {
        true => count,
        false => Count { increments: Vec::new(), ..count },
    })
}

fn with_each(counts: &CountsOfShard, change: impl Fn(Count) -> Count) -> CountsOfShard {
    let changed = counts.counts().iter().cloned().map(change);
    let alone = changed.map(|count| CountsOfShard::of(count).expect("it was checked before"));
    let together = alone.reduce(|mut together, one| {
        together.join(one).expect("they were together before");
        together
    });
    together.expect("there is one")
}

/// The same counters for a repair that adds missing counts without a condition.
pub(crate) struct UnconditionalTallies(pub(crate) Arc<SimulatedTallies>);

#[async_trait]
impl TallyReader for UnconditionalTallies {
    async fn memo(&self, stream: &StreamId) -> Result<Option<Memo>, ReadStoreError> {
        self.0.memo(stream).await
    }

    async fn range(
        &self,
        tenant: &TenantId,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Vec<Counter>, ReadStoreError> {
        self.0.range(tenant, first, last).await
    }

    async fn settled(
        &self,
        stream: &StreamId,
        groups: &[CounterKey],
    ) -> Result<Settled, ReadStoreError> {
        self.0.settled(stream, groups).await
    }
}

#[async_trait]
impl TallyStore for UnconditionalTallies {
    async fn add(&self, counts: &CountsOfShard) -> Result<Added, ReadStoreError> {
        self.0.network.request().await?;
        let added = self.0.inner.add(&self.0.unconditional(counts)).await?;
        self.0.network.response(added).await
    }

    async fn all(&self) -> Result<Vec<OfTenant<Counter>>, ReadStoreError> {
        self.0.all().await
    }
}
