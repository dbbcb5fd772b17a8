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

/// Contents in memory.
#[derive(Debug, Default)]
pub struct MemoryPayloadStore {
    contents: Mutex<BTreeMap<ContentId, String>>,
    fetches: AtomicUsize,
}

impl MemoryPayloadStore {
    /// How many contents there are.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// How often a content was fetched.
    pub fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// Puts something else in the place of every content, as damage would.
    pub fn damage(&self) {
        self.lock().values_mut().for_each(|content| content.push('x'));
    }

    /// Loses every content.
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
