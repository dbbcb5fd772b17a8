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
        CopyIndex, GenerationReader, GenerationStore, PortError, ReadStoreError, SegmentProgress,
        Written,
    },
    vocabulary::{Generations, RecordCopy},
};

/// A generation store in memory. A test can make it fail after a number of calls.
#[derive(Debug)]
pub struct MemoryGenerationStore {
    /// A mutex, so that every call is atomic. Only the methods of the port change it.
    stored: Mutex<Stored>,
    /// How many more calls succeed; `u64::MAX` for all. Atomic, because a test changes it during calls.
    calls_left: AtomicU64,
}

#[derive(Debug, Default)]
struct Stored {
    records: BTreeMap<String, Generations>,
    copies: BTreeMap<(String, CopyIndex), RecordCopy>,
    progress: BTreeMap<(String, u64), BTreeMap<u32, SegmentProgress>>,
}

impl Default for MemoryGenerationStore {
    fn default() -> Self {
        Self { stored: Mutex::default(), calls_left: AtomicU64::new(u64::MAX) }
    }
}

impl MemoryGenerationStore {
    /// Lets this many more calls succeed, and fails all later ones.
    pub fn fail_after(&self, calls: u64) {
        self.calls_left.store(calls, Ordering::SeqCst);
    }

    /// Lets all calls succeed again.
    pub fn recover(&self) {
        self.fail_after(u64::MAX);
    }

    /// The record of a projection. This method never fails.
    pub fn record(&self, projection: &str) -> Option<Generations> {
        self.lock().records.get(projection).cloned()
    }

    /// A copy of a projection's record. This method never fails.
    pub fn copy(&self, projection: &str, copy: CopyIndex) -> Option<RecordCopy> {
        self.lock().copies.get(&(projection.to_owned(), copy)).cloned()
    }

    /// Replaces a record without a condition, as a faulty store does. This method never fails.
    pub fn overwrite(&self, projection: &str, new: Generations) {
        self.lock().records.insert(projection.to_owned(), new);
    }

    /// Replaces a copy without the rule of [`RecordCopy::replaces`], as a faulty store does. This method never fails.
    pub fn overwrite_copy(&self, projection: &str, copy: CopyIndex, new: RecordCopy) {
        self.lock().copies.insert((projection.to_owned(), copy), new);
    }

    /// The number of segments with recorded progress, in all runs.
    pub fn segments(&self) -> usize {
        self.lock().progress.values().map(BTreeMap::len).sum()
    }

    fn call(&self) -> Result<MutexGuard<'_, Stored>, ReadStoreError> {
        let counted = |left: u64| if left == u64::MAX { Some(left) } else { left.checked_sub(1) };
        match self.calls_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, counted) {
            Ok(_) => Ok(self.lock()),
            Err(_) => {
                Err(ReadStoreError::Port(PortError::Unavailable("requested by the test".into())))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Stored> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl GenerationReader for MemoryGenerationStore {
    async fn read(&self, projection: &str) -> Result<Option<Generations>, ReadStoreError> {
        Ok(self.call()?.records.get(projection).cloned())
    }

    async fn read_copy(
        &self,
        projection: &str,
        copy: CopyIndex,
    ) -> Result<Option<RecordCopy>, ReadStoreError> {
        Ok(self.call()?.copies.get(&(projection.to_owned(), copy)).cloned())
    }
}

#[async_trait]
impl GenerationStore for MemoryGenerationStore {
    async fn write(&self, projection: &str, new: &Generations) -> Result<Written, ReadStoreError> {
        let mut stored = self.call()?;
        let number = stored.records.get(projection).map_or(0, Generations::number);
        if number + 1 != new.number() {
            return Ok(Written::Superseded);
        }
        stored.records.insert(projection.to_owned(), new.clone());
        Ok(Written::Done)
    }

    async fn write_copy(
        &self,
        projection: &str,
        copy: CopyIndex,
        new: &RecordCopy,
    ) -> Result<Written, ReadStoreError> {
        let mut stored = self.call()?;
        let key = (projection.to_owned(), copy);
        if !new.replaces(stored.copies.get(&key)) {
            return Ok(Written::Superseded);
        }
        stored.copies.insert(key, new.clone());
        Ok(Written::Done)
    }

    async fn progress(
        &self,
        projection: &str,
        run: u64,
    ) -> Result<Vec<SegmentProgress>, ReadStoreError> {
        let stored = self.call()?;
        let segments = stored.progress.get(&(projection.to_owned(), run));
        Ok(segments.into_iter().flat_map(BTreeMap::values).cloned().collect())
    }

    async fn save(
        &self,
        projection: &str,
        run: u64,
        progress: &SegmentProgress,
    ) -> Result<(), ReadStoreError> {
        let mut stored = self.call()?;
        let segments = stored.progress.entry((projection.to_owned(), run)).or_default();
        segments.insert(progress.index, progress.clone());
        Ok(())
    }

    async fn forget(&self, projection: &str, run: u64) -> Result<(), ReadStoreError> {
        self.call()?.progress.remove(&(projection.to_owned(), run));
        Ok(())
    }
}
