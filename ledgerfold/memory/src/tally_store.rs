use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use ledgerfold::{
    StreamId, TenantId, Version,
    ports::{
        Added, Counter, CounterKey, CountsOfShard, Memo, ReadStoreError, Settled, Sums,
        TallyReader, TallyStore,
    },
    vocabulary::OfTenant,
};

/// A tally store in memory.
#[derive(Debug, Default)]
pub struct MemoryTallyStore {
    /// A mutex, so that every call is atomic. The methods of the port and `lose` change it.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    memos: BTreeMap<StreamId, Memo>,
    counters: Sums,
}

impl MemoryTallyStore {
    /// The counters of a group of the default tenant.
    pub fn counter(&self, key: &CounterKey) -> BTreeMap<String, i128> {
        self.counter_of(&TenantId::default_tenant(), key)
    }

    /// The counters of a group of this tenant.
    pub fn counter_of(&self, tenant: &TenantId, key: &CounterKey) -> BTreeMap<String, i128> {
        let key = OfTenant::new(tenant, key.clone());
        self.lock().counters.get(&key).cloned().unwrap_or_default()
    }

    /// The version up to which a stream is counted.
    pub fn counted(&self, stream: &StreamId) -> Version {
        self.lock().memos.get(stream).map_or(Version::NONE, |memo| memo.version)
    }

    /// The number of items, which are memos and groups of counters.
    pub fn items(&self) -> usize {
        let state = self.lock();
        state.memos.len() + state.counters.len()
    }

    pub(super) fn clear(&self) {
        *self.lock() = State::default();
    }

    /// Removes at most this many items, to simulate lost ones, and returns their number.
    pub fn lose(&self, most: usize) -> usize {
        let mut state = self.lock();
        let before = state.memos.len() + state.counters.len();
        for _ in 0..most {
            if state.memos.pop_first().is_none() {
                state.counters.pop_first();
            }
        }
        before - state.memos.len() - state.counters.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl TallyReader for MemoryTallyStore {
    async fn memo(&self, stream: &StreamId) -> Result<Option<Memo>, ReadStoreError> {
        Ok(self.lock().memos.get(stream).cloned())
    }

    async fn range(
        &self,
        tenant: &TenantId,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Vec<Counter>, ReadStoreError> {
        let of_tenant = |key: &CounterKey| OfTenant::new(tenant, key.clone());
        let state = self.lock();
        let counters = state.counters.range(of_tenant(first)..=of_tenant(last));
        Ok(counters.map(|(key, sums)| counter(key, sums)).collect())
    }

    async fn settled(
        &self,
        stream: &StreamId,
        _: &[CounterKey],
    ) -> Result<Settled, ReadStoreError> {
        Ok(Settled::At(self.memo(stream).await?))
    }
}

#[async_trait]
impl TallyStore for MemoryTallyStore {
    async fn add(&self, counts: &CountsOfShard) -> Result<Added, ReadStoreError> {
        let mut state = self.lock();
        let version = |stream| state.memos.get(stream).map_or(Version::NONE, |memo| memo.version);
        let counted = counts.counts().iter();
        let overtaken: Vec<_> = counted
            .filter(|count| version(count.stream()) != count.after)
            .map(|count| count.stream().clone())
            .collect();
        if !overtaken.is_empty() {
            return Ok(Added::Superseded(overtaken));
        }
        for count in counts.counts() {
            state.memos.insert(count.stream().clone(), count.memo.clone());
        }
        for (key, sums) in counts.sums() {
            let counter = state.counters.entry(key.clone()).or_default();
            for (name, sum) in sums {
                *counter.entry(name.clone()).or_default() += sum;
            }
        }
        Ok(Added::Done)
    }

    async fn all(&self) -> Result<Vec<OfTenant<Counter>>, ReadStoreError> {
        let with_tenant = |(key, sums): (&OfTenant<_>, _)| OfTenant {
            tenant: key.tenant.clone(),
            key: counter(key, sums),
        };
        Ok(self.lock().counters.iter().map(with_tenant).collect())
    }
}

fn counter(key: &OfTenant<CounterKey>, amounts: &BTreeMap<String, i128>) -> Counter {
    Counter { key: key.key.clone(), amounts: amounts.clone() }
}
