use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use ledgerfold::{
    StreamId,
    ports::{Listing, PortError, ReadStoreError, RowReader, RowStore, StoredRow, Written},
};

/// A row store in memory. A test can freeze the index, so that it lags like a real one.
#[derive(Debug, Default)]
pub struct MemoryRowStore {
    /// A mutex, so that every call is atomic. The methods of the port and the faults below change it.
    rows: Mutex<BTreeMap<StreamId, StoredRow>>,
    /// The content of a frozen index. A mutex, because a test freezes the index during calls.
    frozen: Mutex<Option<Vec<StoredRow>>>,
    /// The stream whose calls fail. A mutex, because a test changes it during calls.
    failing: Mutex<Option<StreamId>>,
}

impl MemoryRowStore {
    /// Freezes the index at its current content.
    pub fn freeze_index(&self) {
        *lock(&self.frozen) = Some(lock(&self.rows).values().cloned().collect());
    }

    /// Makes all calls for this stream fail; with `None` all calls succeed again.
    pub fn fail_for(&self, stream: Option<StreamId>) {
        *lock(&self.failing) = stream;
    }

    /// Removes a row, to simulate a lost one.
    pub fn lose(&self, stream: &StreamId) {
        lock(&self.rows).remove(stream);
    }

    /// Writes a row without a condition, to simulate damage.
    pub fn damage(&self, row: StoredRow) {
        lock(&self.rows).insert(row.stream.clone(), row);
    }

    /// All rows, by stream.
    pub fn rows(&self) -> Vec<StoredRow> {
        lock(&self.rows).values().cloned().collect()
    }

    pub(super) fn clear(&self) {
        lock(&self.rows).clear();
    }

    fn check_row(&self, row: &StoredRow) -> Result<(), ReadStoreError> {
        row.check()?;
        self.check(&row.stream)
    }

    fn check(&self, stream: &StreamId) -> Result<(), ReadStoreError> {
        match &*lock(&self.failing) {
            Some(failing) if failing == stream => {
                Err(ReadStoreError::Port(PortError::Unavailable("requested by the test".into())))
            }
            _ => Ok(()),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl RowReader for MemoryRowStore {
    async fn get(&self, stream: &StreamId) -> Result<Option<StoredRow>, ReadStoreError> {
        self.check(stream)?;
        Ok(lock(&self.rows).get(stream).cloned())
    }

    async fn list(&self, listing: &Listing) -> Result<Vec<StoredRow>, ReadStoreError> {
        let rows = lock(&self.frozen).clone().unwrap_or_else(|| self.rows());
        let mut listed: Vec<_> = rows
            .into_iter()
            .filter_map(|row| Some((row.index.clone()?, row)))
            .filter(|(index, row)| {
                index.partition == listing.partition && *row.stream.tenant() == listing.tenant
            })
            .filter(|(index, _)| listing.before.as_ref().is_none_or(|before| index.order < *before))
            .collect();
        listed.sort_by(|(one, _), (other, _)| other.order.cmp(&one.order));
        listed.truncate(listing.limit);
        Ok(listed.into_iter().map(|(_, row)| row).collect())
    }
}

#[async_trait]
impl RowStore for MemoryRowStore {
    async fn put(&self, row: &StoredRow) -> Result<Written, ReadStoreError> {
        self.check_row(row)?;
        let mut rows = lock(&self.rows);
        if rows.get(&row.stream).is_some_and(|stored| stored.version >= row.version) {
            return Ok(Written::Superseded);
        }
        rows.insert(row.stream.clone(), row.clone());
        Ok(Written::Done)
    }

    async fn replace(&self, seen: &StoredRow, row: &StoredRow) -> Result<Written, ReadStoreError> {
        self.check_row(row)?;
        let mut rows = lock(&self.rows);
        if rows.get(&row.stream).is_none_or(|stored| stored.version != seen.version) {
            return Ok(Written::Superseded);
        }
        rows.insert(row.stream.clone(), row.clone());
        Ok(Written::Done)
    }
}
