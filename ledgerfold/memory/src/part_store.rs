use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use ledgerfold::{
    StreamId, Version,
    ports::{
        PartKey, PartOrder, PartRange, PartReader, PartStore, PortError, ReadStoreError,
        StoredPart, Written,
    },
};

/// The place of a part: in the order of a range.
type Place = (String, String, PartOrder, StreamId);

/// A store of parts in memory. A test can let writes fail, as if the writer died before them.
#[derive(Debug, Default)]
pub struct MemoryPartStore(Mutex<Content>);

#[derive(Debug, Default)]
struct Content {
    parts: BTreeMap<Place, StoredPart>,
    positions: BTreeMap<StreamId, Version>,
    /// How many writes succeed until all fail. `None` without faults.
    writes_left: Option<usize>,
}

impl Content {
    fn write(&mut self) -> Result<(), ReadStoreError> {
        match &mut self.writes_left {
            Some(0) => {
                Err(ReadStoreError::Port(PortError::Unavailable("requested by the test".into())))
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

fn place(stream: &StreamId, key: &PartKey) -> Place {
    let tenant = stream.tenant().to_string();
    (tenant, key.group.to_string(), key.order.clone(), stream.clone())
}

impl MemoryPartStore {
    /// Lets this many more writes succeed and all later ones fail; with `None` all succeed again.
    pub fn fail_after(&self, writes: impl Into<Option<usize>>) {
        self.lock().writes_left = writes.into();
    }

    /// All parts, in the order of their groups.
    pub fn all(&self) -> Vec<StoredPart> {
        self.lock().parts.values().cloned().collect()
    }

    /// Writes a part without a condition, to simulate damage.
    pub fn damage(&self, part: StoredPart) {
        self.lock().parts.insert(place(&part.stream, &part.key), part);
    }

    /// Removes a part, to simulate a lost one.
    pub fn lose(&self, stream: &StreamId, key: &PartKey) {
        self.lock().parts.remove(&place(stream, key));
    }

    pub(super) fn items(&self) -> usize {
        let content = self.lock();
        content.parts.len() + content.positions.len()
    }

    pub(super) fn clear(&self) {
        let mut content = self.lock();
        content.parts.clear();
        content.positions.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl PartReader for MemoryPartStore {
    async fn position(&self, stream: &StreamId) -> Result<Version, ReadStoreError> {
        Ok(self.lock().positions.get(stream).copied().unwrap_or(Version::NONE))
    }

    async fn parts(
        &self,
        stream: &StreamId,
        keys: &[PartKey],
    ) -> Vec<Result<Option<StoredPart>, ReadStoreError>> {
        let content = self.lock();
        keys.iter().map(|key| Ok(content.parts.get(&place(stream, key)).cloned())).collect()
    }

    async fn range(&self, range: &PartRange) -> Result<Vec<StoredPart>, ReadStoreError> {
        let content = self.lock();
        let parts = content.parts.values();
        let found = parts.filter(|part| range.has(part.stream.tenant(), &part.key));
        Ok(found.take(range.limit).cloned().collect())
    }
}

#[async_trait]
impl PartStore for MemoryPartStore {
    async fn put(&self, part: &StoredPart) -> Result<Written, ReadStoreError> {
        part.check()?;
        let mut content = self.lock();
        content.write()?;
        let place = place(&part.stream, &part.key);
        if content.parts.get(&place).is_some_and(|stored| stored.version >= part.version) {
            return Ok(Written::Superseded);
        }
        content.parts.insert(place, part.clone());
        Ok(Written::Done)
    }

    async fn advance(
        &self,
        stream: &StreamId,
        version: Version,
    ) -> Result<Written, ReadStoreError> {
        let mut content = self.lock();
        content.write()?;
        if content.positions.get(stream).is_some_and(|stored| *stored >= version) {
            return Ok(Written::Superseded);
        }
        content.positions.insert(stream.clone(), version);
        Ok(Written::Done)
    }

    async fn replace(&self, seen: Version, part: &StoredPart) -> Result<Written, ReadStoreError> {
        part.check()?;
        let mut content = self.lock();
        content.write()?;
        let place = place(&part.stream, &part.key);
        let stored = content.parts.get(&place).map_or(Version::NONE, |stored| stored.version);
        if stored != seen {
            return Ok(Written::Superseded);
        }
        content.parts.insert(place, part.clone());
        Ok(Written::Done)
    }
}
