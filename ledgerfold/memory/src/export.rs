use std::{
    collections::{BTreeMap, btree_map::Entry},
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use ledgerfold::{
    StreamId, Version,
    ports::{ExportError, ExportFiles, ExportMark, ExportProgress, ExportStored, Page},
};

/// The number of entries per page. It is small, so that tests cover several pages.
const PAGE: usize = 3;

/// The objects of an export in memory.
#[derive(Debug, Default)]
pub struct MemoryExportFiles {
    /// A mutex, so that every call is atomic.
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl MemoryExportFiles {
    /// All objects by key.
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.lock().clone()
    }

    /// Stores an object without a condition, even over another one. Use it to damage an export on purpose.
    pub fn overwrite(&self, key: &str, content: Vec<u8>) {
        self.lock().insert(key.to_owned(), content);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ExportFiles for MemoryExportFiles {
    async fn put_new(&self, key: &str, content: Vec<u8>) -> Result<ExportStored, ExportError> {
        match self.lock().entry(key.to_owned()) {
            Entry::Vacant(place) => {
                place.insert(content);
                Ok(ExportStored::New)
            }
            Entry::Occupied(_) => Ok(ExportStored::Taken),
        }
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, ExportError> {
        Ok(self.lock().get(key).cloned())
    }

    async fn list(&self, prefix: &str, after: &str) -> Result<Vec<String>, ExportError> {
        let objects = self.lock();
        let start = after.max(prefix).to_owned();
        let keys = objects.range((Bound::Included(start), Bound::Unbounded)).map(|(key, _)| key);
        let keys = keys.filter(|key| key.as_str() > after);
        Ok(keys.take_while(|key| key.starts_with(prefix)).take(PAGE).cloned().collect())
    }

    fn uri(&self, key: &str) -> String {
        format!("memory:{key}")
    }
}

/// The progress of an export in memory.
#[derive(Debug, Default)]
pub struct MemoryExportProgress {
    /// A mutex, so that every call is atomic.
    stored: Mutex<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    marks: BTreeMap<StreamId, Version>,
    positions: BTreeMap<StreamId, Version>,
    applied: u64,
}

impl MemoryExportProgress {
    /// All marks, by stream.
    pub fn all_marks(&self) -> Vec<ExportMark> {
        let marks = self.lock().marks.clone().into_iter();
        marks.map(|(stream, version)| ExportMark { stream, version }).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn raise(versions: &mut BTreeMap<StreamId, Version>, stream: &StreamId, to: Version) {
    let version = versions.entry(stream.clone()).or_insert(to);
    *version = (*version).max(to);
}

#[async_trait]
impl ExportProgress for MemoryExportProgress {
    async fn mark(&self, mark: &ExportMark) -> Result<(), ExportError> {
        raise(&mut self.lock().marks, &mark.stream, mark.version);
        Ok(())
    }

    async fn marks(
        &self,
        part: u8,
        after: Option<&StreamId>,
    ) -> Result<Page<ExportMark, StreamId>, ExportError> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let stored = self.lock();
        let marks = stored.marks.range((start, Bound::Unbounded));
        let marks = marks.filter(|(stream, _)| ExportMark::part_of(stream) == part);
        let items: Vec<_> = marks
            .map(|(stream, version)| ExportMark { stream: stream.clone(), version: *version })
            .take(PAGE)
            .collect();
        let is_full = items.len() == PAGE;
        let next = items.last().filter(|_| is_full).map(|last| last.stream.clone());
        Ok(Page { items, next })
    }

    async fn unmark(&self, stream: &StreamId, reached: Version) -> Result<(), ExportError> {
        let marks = &mut self.lock().marks;
        if marks.get(stream).is_some_and(|version| *version <= reached) {
            marks.remove(stream);
        }
        Ok(())
    }

    async fn positions(
        &self,
        streams: &[StreamId],
    ) -> Result<BTreeMap<StreamId, Version>, ExportError> {
        let stored = self.lock();
        let known = |stream: &StreamId| Some((stream.clone(), *stored.positions.get(stream)?));
        Ok(streams.iter().filter_map(known).collect())
    }

    async fn advance(&self, stream: &StreamId, to: Version) -> Result<(), ExportError> {
        raise(&mut self.lock().positions, stream, to);
        Ok(())
    }

    async fn applied(&self) -> Result<u64, ExportError> {
        Ok(self.lock().applied)
    }

    async fn set_applied(&self, number: u64) -> Result<(), ExportError> {
        let applied = &mut self.lock().applied;
        *applied = (*applied).max(number);
        Ok(())
    }
}
