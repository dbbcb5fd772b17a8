use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use ledgerfold::{
    StreamId, Version,
    ports::{Parked, ParkedPage, Quarantine, QuarantineError},
};

/// How many entries a page has.
const PAGE: usize = 3;

/// Parked streams in memory, in small pages.
#[derive(Debug, Default)]
pub struct MemoryQuarantine {
    parked: Mutex<BTreeMap<StreamId, Parked>>,
    failing: AtomicBool,
}

impl MemoryQuarantine {
    /// Refuses everything, or nothing any more.
    pub fn fail(&self, fails: bool) {
        self.failing.store(fails, Ordering::SeqCst);
    }

    /// All entries, by stream.
    pub fn parked(&self) -> Vec<Parked> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<StreamId, Parked>> {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self) -> Result<(), QuarantineError> {
        if self.failing.load(Ordering::SeqCst) {
            return Err(QuarantineError::Unavailable("it fails, as ordered".into()));
        }
        Ok(())
    }
}

#[async_trait]
impl Quarantine for MemoryQuarantine {
    async fn park(&self, parked: &Parked) -> Result<(), QuarantineError> {
        self.check()?;
        let mut entries = self.lock();
        if entries.get(&parked.stream).is_none_or(|there| there.told <= parked.told) {
            entries.insert(parked.stream.clone(), parked.clone());
        }
        Ok(())
    }

    async fn release(&self, stream: &StreamId, reached: Version) -> Result<(), QuarantineError> {
        self.check()?;
        let mut entries = self.lock();
        if entries.get(stream).is_some_and(|there| there.told <= reached) {
            entries.remove(stream);
        }
        Ok(())
    }

    async fn get(&self, stream: &StreamId) -> Result<Option<Parked>, QuarantineError> {
        self.check()?;
        Ok(self.lock().get(stream).cloned())
    }

    async fn list(&self, after: Option<&StreamId>) -> Result<ParkedPage, QuarantineError> {
        self.check()?;
        let entries = self.lock();
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let parked: Vec<_> =
            entries.range((start, Bound::Unbounded)).take(PAGE).map(|(_, it)| it.clone()).collect();
        let is_full = parked.len() == PAGE;
        let next = parked.last().filter(|_| is_full).map(|last| last.stream.clone());
        Ok(ParkedPage { parked, next })
    }
}
