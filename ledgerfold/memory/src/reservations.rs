use async_trait::async_trait;
use ledgerfold::{
    Category, ReservedKey, StreamId,
    ports::{
        ClaimsRecord, Correction, Page, Reservation, Reservations, Resume, Segment, StoreError,
        StreamsError, Written,
    },
    vocabulary::DamagedToken,
};

use super::MemoryEventStore;

/// Lists reservations in the order of the keys. The segment of a key is derived from the bytes of its text.
#[async_trait]
impl Reservations for MemoryEventStore {
    async fn holder(&self, key: &ReservedKey) -> Result<Option<StreamId>, StoreError> {
        Ok(self.lock().holders.get(key).cloned())
    }

    async fn list_reservations(
        &self,
        segment: Segment,
        from: Option<&Resume>,
    ) -> Result<Page<Reservation>, StreamsError> {
        let resumed =
            from.map(|Resume(text)| text.parse::<ReservedKey>().map_err(|_| DamagedToken));
        let resumed = resumed.transpose()?;
        let stored = self.lock();
        let part =
            |key: &ReservedKey| key.to_string().bytes().map(u32::from).sum::<u32>() % segment.of();
        let mut found = stored
            .holders
            .iter()
            .filter(|(key, _)| resumed.as_ref().is_none_or(|resumed| *key > resumed))
            .filter(|(key, _)| part(key) == segment.index())
            .map(|(key, holder)| Reservation { key: key.clone(), holder: holder.clone() });
        let reservations: Vec<_> = found.by_ref().take(self.page_size()).collect();
        let more = found.next().is_some();
        let next = reservations.last().filter(|_| more).map(|last| Resume(last.key.to_string()));
        Ok(Page { items: reservations, next })
    }

    async fn correct(
        &self,
        key: &ReservedKey,
        correction: &Correction,
    ) -> Result<Written, StoreError> {
        let mut stored = self.lock();
        let change = correction.change();
        let proven = correction.proof().all(|seen| !stored.has_moved(seen));
        if !proven || stored.check_key(key, &change).is_err() {
            return Ok(Written::Superseded);
        }
        stored.change_key(key, &change);
        Ok(Written::Done)
    }

    async fn read_record(&self, category: &Category) -> Result<ClaimsRecord, StoreError> {
        Ok(self.lock().records.get(category).cloned().unwrap_or_default())
    }

    async fn write_record(
        &self,
        category: &Category,
        new: &ClaimsRecord,
    ) -> Result<Written, StoreError> {
        let mut stored = self.lock();
        let number = stored.records.get(category).map_or(0, ClaimsRecord::number);
        if number + 1 != new.number() {
            return Ok(Written::Superseded);
        }
        stored.records.insert(category.clone(), new.clone());
        Ok(Written::Done)
    }
}
