use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use ledgerfold::{
    ports::{PayloadError, PayloadStore},
    vocabulary::ContentId,
};

/// A payload store in memory.
#[derive(Debug, Default)]
pub struct MemoryPayloadStore {
    /// A mutex, because the log shares the store. `put`, `damage` and `lose` change it.
    contents: Mutex<BTreeMap<ContentId, String>>,
    /// The number of `get` calls. Atomic, because they run concurrently.
    fetches: AtomicUsize,
}

impl MemoryPayloadStore {
    /// The number of contents.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// The number of `get` calls so far.
    pub fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// Changes every content, so that it no longer matches its id.
    pub fn damage(&self) {
        self.lock().values_mut().for_each(|content| content.push('x'));
    }

    /// Removes every content.
    pub fn lose(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ContentId, String>> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl PayloadStore for MemoryPayloadStore {
    async fn put(&self, id: &ContentId, content: String) -> Result<(), PayloadError> {
        self.lock().entry(id.clone()).or_insert(content);
        Ok(())
    }

    async fn get(&self, id: &ContentId) -> Result<Vec<u8>, PayloadError> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let content = self.lock().get(id).cloned();
        content.map(String::into_bytes).ok_or_else(|| PayloadError::Missing(id.clone()))
    }

    fn uri(&self, id: &ContentId) -> String {
        format!("memory:{id}")
    }
}
