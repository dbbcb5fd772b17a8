use async_trait::async_trait;
use ledgerfold::{
    Category, ReservedKey, StreamId,
    ports::{
        ClaimsRecord, Correction, Page, Reservation, Reservations, Resume, Segment, StoreError,
        StreamsError, Written,
    },
    vocabulary::DamagedToken,
};

use super::ModelStore;

/// The number of reservations per page.
const PAGE: usize = 3;

/// Lists reservations in the order of the keys. The segments get them in turn.
#[async_trait]
impl Reservations for ModelStore {
    async fn holder(&self, key: &ReservedKey) -> Result<Option<StreamId>, StoreError> {
        Ok(self.lock().holders.get(key).cloned())
    }

    async fn list_reservations(
        &self,
        segment: Segment,
        from: Option<&Resume>,
    ) -> Result<Page<Reservation>, StreamsError> {
        let skipped = from.map_or(Ok(0), |Resume(text)| text.parse().map_err(|_| DamagedToken))?;
        let [index, of] =
            [segment.index(), segment.of()].map(|it| usize::try_from(it).unwrap_or(usize::MAX));
        let model = self.lock();
        let all = model.holders.iter().skip(index).step_by(of).skip(skipped);
        let reservations: Vec<_> = all
            .take(PAGE)
            .map(|(key, holder)| Reservation { key: key.clone(), holder: holder.clone() })
            .collect();
        let next = (reservations.len() == PAGE).then(|| Resume((skipped + PAGE).to_string()));
        Ok(Page { items: reservations, next })
    }

    async fn correct(
        &self,
        key: &ReservedKey,
        correction: &Correction,
    ) -> Result<Written, StoreError> {
        let mut model = self.lock();
        let change = correction.change();
        let disproved = correction.proof().any(|seen| model.has_moved(seen));
        if disproved || model.key_objection(key, &change).is_some() {
            return Ok(Written::Superseded);
        }
        model.apply_change(key, &change);
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
        let mut model = self.lock();
        let number = model.records.get(category).map_or(0, ClaimsRecord::number);
        if number + 1 != new.number() {
            return Ok(Written::Superseded);
        }
        model.records.insert(category.clone(), new.clone());
        Ok(Written::Done)
    }
}
