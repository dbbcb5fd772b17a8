use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use ledgerfold::{
    StreamId, Version,
    ports::{
        Page, Parked, PortError, Quarantine, QuarantineError, Signature, Skip, SkipError,
        SkipRecord, SkipRegister, Skips,
    },
};

/// The number of entries per page. It is small, so that tests cover several pages.
const PAGE: usize = 3;

/// A quarantine in memory: parked streams and skipped events.
#[derive(Debug, Default)]
pub struct MemoryQuarantine {
    /// A mutex, so that every call is atomic. Only the methods of the ports change it.
    stored: Mutex<Stored>,
    /// Whether calls about parked streams fail. Atomic, because a test changes it during calls.
    failing: AtomicBool,
    /// Whether calls about skipped events fail. Atomic, because a test changes it during calls.
    skips_failing: AtomicBool,
    /// The number of `find` calls. Atomic, because they run concurrently.
    skips_asked: AtomicUsize,
}

#[derive(Debug, Default)]
struct Stored {
    parked: BTreeMap<StreamId, Parked>,
    skips: BTreeMap<(StreamId, Version), SkipRecord>,
}

impl MemoryQuarantine {
    /// Makes all calls about parked streams fail, or succeed again.
    pub fn fail(&self, fails: bool) {
        self.failing.store(fails, Ordering::SeqCst);
    }

    /// Makes all calls about skipped events fail, or succeed again.
    pub fn fail_skips(&self, fails: bool) {
        self.skips_failing.store(fails, Ordering::SeqCst);
    }

    /// All entries, by stream.
    pub fn parked(&self) -> Vec<Parked> {
        self.lock().parked.values().cloned().collect()
    }

    /// All skips that were ever recorded, by stream and version.
    pub fn skips(&self) -> Vec<SkipRecord> {
        self.lock().skips.values().cloned().collect()
    }

    /// The number of queries for a skipped event.
    pub fn skips_asked(&self) -> usize {
        self.skips_asked.load(Ordering::SeqCst)
    }

    fn lock(&self) -> MutexGuard<'_, Stored> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self) -> Result<(), QuarantineError> {
        check(&self.failing)
    }
}

fn check(failing: &AtomicBool) -> Result<(), QuarantineError> {
    if failing.load(Ordering::SeqCst) {
        return Err(QuarantineError::Port(PortError::Unavailable("requested by the test".into())));
    }
    Ok(())
}

#[async_trait]
impl Quarantine for MemoryQuarantine {
    async fn park(&self, parked: &Parked) -> Result<(), QuarantineError> {
        self.check()?;
        let entries = &mut self.lock().parked;
        if entries.get(&parked.stream).is_none_or(|entry| entry.owed_version <= parked.owed_version)
        {
            entries.insert(parked.stream.clone(), parked.clone());
        }
        Ok(())
    }

    async fn release(&self, stream: &StreamId, reached: Version) -> Result<(), QuarantineError> {
        self.check()?;
        let entries = &mut self.lock().parked;
        if entries.get(stream).is_some_and(|entry| entry.owed_version <= reached) {
            entries.remove(stream);
        }
        Ok(())
    }

    async fn get(&self, stream: &StreamId) -> Result<Option<Parked>, QuarantineError> {
        self.check()?;
        Ok(self.lock().parked.get(stream).cloned())
    }

    async fn list(
        &self,
        after: Option<&StreamId>,
    ) -> Result<Page<Parked, StreamId>, QuarantineError> {
        self.check()?;
        let entries = &self.lock().parked;
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let parked: Vec<_> =
            entries.range((start, Bound::Unbounded)).take(PAGE).map(|(_, it)| it.clone()).collect();
        let is_full = parked.len() == PAGE;
        let next = parked.last().filter(|_| is_full).map(|last| last.stream.clone());
        Ok(Page { items: parked, next })
    }
}

#[async_trait]
impl Skips for MemoryQuarantine {
    async fn find(
        &self,
        stream: &StreamId,
        version: Version,
    ) -> Result<Option<Skip>, QuarantineError> {
        self.skips_asked.fetch_add(1, Ordering::SeqCst);
        check(&self.skips_failing)?;
        let record = self.lock().skips.get(&(stream.clone(), version)).cloned();
        Ok(record.filter(|record| record.withdrawn.is_none()).map(|record| record.skip))
    }
}

#[async_trait]
impl SkipRegister for MemoryQuarantine {
    async fn record(&self, skip: &Skip) -> Result<(), SkipError> {
        check(&self.skips_failing)?;
        let Stored { parked, skips } = &mut *self.lock();
        let stream = skip.stream.clone();
        let version = skip.version;
        let record = SkipRecord { skip: skip.clone(), withdrawn: None };
        match (skips.get(&(stream.clone(), version)), parked.get(&stream)) {
            (Some(SkipRecord { skip, withdrawn: None }), _) => {
                return Err(SkipError::AlreadySkipped(Box::new(skip.clone())));
            }
            (Some(_), _) => {}
            (None, Some(parked)) if parked.version == Some(version) => {}
            (None, Some(parked)) => {
                let parked = Box::new(parked.clone());
                return Err(SkipError::ParkedElsewhere { version, parked });
            }
            (None, None) => return Err(SkipError::NotParked { stream, version }),
        }
        skips.insert((stream, version), record);
        Ok(())
    }

    async fn withdraw(
        &self,
        stream: &StreamId,
        version: Version,
        by: &Signature,
    ) -> Result<Option<Skip>, QuarantineError> {
        check(&self.skips_failing)?;
        let skips = &mut self.lock().skips;
        let record = skips.get_mut(&(stream.clone(), version));
        let Some(record) = record.filter(|record| record.withdrawn.is_none()) else {
            return Ok(None);
        };
        record.withdrawn = Some(by.clone());
        Ok(Some(record.skip.clone()))
    }
}
