//! A read table with its generations, with network faults.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use ledgerfold::{
    ports::{
        ReadStoreError, ReadTable, ReadView, RemovedPage, Resume, RowReader, RowStore, TallyReader,
        TallyStore,
    },
    vocabulary::{Generation, Retired},
};

use crate::{
    domain::observations::Observations,
    infrastructure::{rows::SimulatedRows, tallies::SimulatedTallies},
    network::faults::Network,
    plan::plant::Plant,
};

/// How many items of a generation are removed at a time: few, so that removals are interrupted too.
const PAGE: usize = 2;

/// One set of rows and counters for each generation. Generations share nothing, as their keys do not.
pub(crate) struct SimulatedTable {
    /// The handles that each generation gets.
    all: (Network, Arc<Observations>, Plant),
    /// The longest delay of the index. Fixed for the whole schedule.
    lag: Duration,
    /// Ordered, because a removal goes through them in their order. A mutex, because the first access creates a
    /// generation.
    generations: Mutex<BTreeMap<Generation, Stores>>,
}

#[derive(Clone)]
struct Stores {
    /// Shared by all functions that use this generation.
    rows: Arc<SimulatedRows>,
    /// Shared in the same way. One of the two stays empty, because a projection has rows or counters.
    tallies: Arc<SimulatedTallies>,
}

impl Stores {
    fn is_empty(&self) -> bool {
        self.rows.rows().is_empty() && self.tallies.items() == 0
    }

    fn remove(&self) -> usize {
        let rows = self.rows.remove(PAGE);
        rows + self.tallies.remove(PAGE - rows)
    }
}

impl SimulatedTable {
    /// A table with an index that lags by at most this time.
    pub(crate) fn new(all: (Network, Arc<Observations>, Plant), lag: Duration) -> Self {
        Self { all, lag, generations: Mutex::default() }
    }

    pub(crate) fn rows_of(&self, generation: Generation) -> Arc<SimulatedRows> {
        self.stores(generation).rows
    }

    pub(crate) fn tallies_of(&self, generation: Generation) -> Arc<SimulatedTallies> {
        self.stores(generation).tallies
    }

    /// The generations that have items.
    pub(crate) fn generations(&self) -> Vec<Generation> {
        let generations = self.lock();
        let filled = generations.iter().filter(|(_, stores)| !stores.is_empty());
        filled.map(|(generation, _)| *generation).collect()
    }

    /// Whether no transaction runs.
    pub(crate) fn is_idle(&self) -> bool {
        self.lock().values().all(|stores| stores.tallies.is_idle())
    }

    fn stores(&self, generation: Generation) -> Stores {
        let new = || Stores {
            rows: Arc::new(SimulatedRows::new(self.all.clone(), self.lag)),
            tallies: Arc::new(SimulatedTallies::new(self.all.clone())),
        };
        self.lock().entry(generation).or_insert_with(new).clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Generation, Stores>> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReadView for SimulatedTable {
    fn read_rows(&self, generation: Generation) -> Arc<dyn RowReader> {
        self.rows(generation)
    }

    fn read_tallies(&self, generation: Generation) -> Arc<dyn TallyReader> {
        self.tallies(generation)
    }
}

#[async_trait]
impl ReadTable for SimulatedTable {
    fn rows(&self, generation: Generation) -> Arc<dyn RowStore> {
        self.rows_of(generation)
    }

    fn tallies(&self, generation: Generation) -> Arc<dyn TallyStore> {
        self.tallies_of(generation)
    }

    /// Goes through the generations in their order, and does not come back to one.
    async fn remove(
        &self,
        retired: &Retired,
        from: Option<&Resume>,
    ) -> Result<RemovedPage, ReadStoreError> {
        let (network, ..) = &self.all;
        network.request().await?;
        let behind = |it: &Generation| from.is_none_or(|Resume(from)| format!("{it:>9}") >= *from);
        let found = self.generations().into_iter().filter(|it| retired.contains(*it) && behind(it));
        let mut page = RemovedPage::default();
        if let Some(generation) = found.min() {
            let removed = self.stores(generation).remove();
            page.removed = u64::try_from(removed).unwrap_or(u64::MAX);
            page.next = Some(Resume(format!("{generation:>9}")));
        }
        network.response(page).await
    }
}
