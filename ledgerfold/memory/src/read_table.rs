use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use ledgerfold::{
    ports::{
        PartReader, PartStore, ReadStoreError, ReadTable, ReadView, RemovedPage, Resume, RowReader,
        RowStore, TallyReader, TallyStore,
    },
    vocabulary::{Generation, Retired},
};

use super::{MemoryPartStore, MemoryRowStore, MemoryTallyStore};

/// A read table in memory, with separate stores for each generation.
///
/// The stores are in a mutex, because the first use of a generation adds its stores.
#[derive(Debug, Default)]
pub struct MemoryReadTable(Mutex<BTreeMap<Generation, Stores>>);

/// The stores of a generation. They are shared, so a removal also affects callers that hold them.
#[derive(Debug, Default)]
struct Stores {
    rows: Arc<MemoryRowStore>,
    tallies: Arc<MemoryTallyStore>,
    parts: Arc<MemoryPartStore>,
}

impl Stores {
    fn items(&self) -> usize {
        self.rows.rows().len() + self.tallies.items() + self.parts.items()
    }

    fn clear(&self) -> usize {
        let items = self.items();
        self.rows.clear();
        self.tallies.clear();
        self.parts.clear();
        items
    }
}

impl MemoryReadTable {
    /// The rows of a generation.
    pub fn rows_of(&self, generation: Generation) -> Arc<MemoryRowStore> {
        self.lock().entry(generation).or_default().rows.clone()
    }

    /// The counters of a generation.
    pub fn tallies_of(&self, generation: Generation) -> Arc<MemoryTallyStore> {
        self.lock().entry(generation).or_default().tallies.clone()
    }

    /// The parts of a generation.
    pub fn parts_of(&self, generation: Generation) -> Arc<MemoryPartStore> {
        self.lock().entry(generation).or_default().parts.clone()
    }

    /// The generations with at least one item.
    pub fn generations(&self) -> Vec<Generation> {
        let generations = self.lock();
        let filled = generations.iter().filter(|(_, stores)| stores.items() > 0);
        filled.map(|(generation, _)| *generation).collect()
    }

    /// Removes all items without a condition, to simulate a lost table.
    pub fn wipe(&self) {
        for stores in self.lock().values() {
            stores.clear();
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Generation, Stores>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReadView for MemoryReadTable {
    fn read_rows(&self, generation: Generation) -> Arc<dyn RowReader> {
        self.rows(generation)
    }

    fn read_tallies(&self, generation: Generation) -> Arc<dyn TallyReader> {
        self.tallies(generation)
    }

    fn read_parts(&self, generation: Generation) -> Arc<dyn PartReader> {
        self.parts(generation)
    }
}

#[async_trait]
impl ReadTable for MemoryReadTable {
    fn rows(&self, generation: Generation) -> Arc<dyn RowStore> {
        self.rows_of(generation)
    }

    fn tallies(&self, generation: Generation) -> Arc<dyn TallyStore> {
        self.tallies_of(generation)
    }

    fn parts(&self, generation: Generation) -> Arc<dyn PartStore> {
        self.parts_of(generation)
    }

    /// Removes one generation per page.
    async fn remove(
        &self,
        retired: &Retired,
        _: Option<&Resume>,
    ) -> Result<RemovedPage, ReadStoreError> {
        let generations = self.lock();
        let filled = |(generation, stores): (&Generation, &Stores)| {
            (stores.items() > 0 && retired.contains(*generation)).then_some(*generation)
        };
        let found: Vec<_> = generations.iter().filter_map(filled).collect();
        let first = found.first().and_then(|generation| generations.get(generation));
        let removed = first.map_or(0, Stores::clear);
        Ok(RemovedPage {
            removed: u64::try_from(removed).unwrap_or(u64::MAX),
            next: found.get(1).map(|generation| Resume(generation.to_string())),
        })
    }
}
