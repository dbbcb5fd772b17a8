use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use ledgerfold::{
    ports::{
        GenerationReader, GenerationStore, PortError, ReadStoreError, SegmentProgress, Written,
    },
    vocabulary::Generations,
};

/// The record of generations in memory. It may fail from some call on.
#[derive(Debug)]
pub struct MemoryGenerationStore {
    kept: Mutex<Kept>,
    calls_left: AtomicU64,
}

#[derive(Debug, Default)]
struct Kept {
    records: BTreeMap<String, Generations>,
    progress: BTreeMap<(String, u64), BTreeMap<u32, SegmentProgress>>,
}

impl Default for MemoryGenerationStore {
    fn default() -> Self {
        Self { kept: Mutex::default(), calls_left: AtomicU64::new(u64::MAX) }
    }
}

impl MemoryGenerationStore {
    /// Answers so many calls more, and none behind them.
    pub fn fail_after(&self, calls: u64) {
        self.calls_left.store(calls, Ordering::SeqCst);
    }

    /// Answers again.
    pub fn recover(&self) {
        self.fail_after(u64::MAX);
    }

    /// The record of a projection, also while requests fail.
    pub fn record(&self, projection: &str) -> Option<Generations> {
        self.lock().records.get(projection).cloned()
    }

    /// How many segments have their progress recorded, of all runs.
    pub fn segments(&self) -> usize {
        self.lock().progress.values().map(BTreeMap::len).sum()
    }

    fn call(&self) -> Result<MutexGuard<'_, Kept>, ReadStoreError> {
        let counted = |left: u64| if left == u64::MAX { Some(left) } else { left.checked_sub(1) };
        match self.calls_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, counted) {
            Ok(_) => Ok(self.lock()),
            Err(_) => {
                Err(ReadStoreError::Port(PortError::Unavailable("it fails, as ordered".into())))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl GenerationReader for MemoryGenerationStore {
    async fn read(&self, projection: &str) -> Result<Option<Generations>, ReadStoreError> {
        Ok(self.call()?.records.get(projection).cloned())
    }
}

#[async_trait]
impl GenerationStore for MemoryGenerationStore {
    async fn write(&self, projection: &str, new: &Generations) -> Result<Written, ReadStoreError> {
        let mut kept = self.call()?;
        let number = kept.records.get(projection).map_or(0, Generations::number);
        if number + 1 != new.number() {
            return Ok(Written::Superseded);
        }
        kept.records.insert(projection.to_owned(), new.clone());
        Ok(Written::Done)
    }

    async fn progress(
        &self,
        projection: &str,
        run: u64,
    ) -> Result<Vec<SegmentProgress>, ReadStoreError> {
        let kept = self.call()?;
        let segments = kept.progress.get(&(projection.to_owned(), run));
        Ok(segments.into_iter().flat_map(BTreeMap::values).cloned().collect())
    }

    async fn save(
        &self,
        projection: &str,
        run: u64,
        progress: &SegmentProgress,
    ) -> Result<(), ReadStoreError> {
        let mut kept = self.call()?;
        let segments = kept.progress.entry((projection.to_owned(), run)).or_default();
        segments.insert(progress.index, progress.clone());
        Ok(())
    }

    async fn forget(&self, projection: &str, run: u64) -> Result<(), ReadStoreError> {
        self.call()?.progress.remove(&(projection.to_owned(), run));
        Ok(())
    }
}
