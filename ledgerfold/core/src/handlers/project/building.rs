//! Updates the building generation during one batch. It applies each event before the live generation does, or the
//! record of the generations says that it missed one.

use std::sync::Arc;

use futures::lock::Mutex;

use super::{UnknownModel, Updater, batch::Arrived, updater::Progress};
use crate::{
    StreamId,
    ports::{GenerationStore, ReadStoreError, Written},
    vocabulary::{Generations, MissedEvent},
};

/// The number of attempts to write a missed event to the record while others keep changing the record.
const ATTEMPTS: usize = 5;

/// The building generation of a projection.
pub(super) struct BuildingModel {
    updater: Result<Updater, UnknownModel>,
    projection: &'static str,
    store: Arc<dyn GenerationStore>,
    /// The record that was read for the batch. It may come from a copy and have an old number; then the first attempt to
    /// write is superseded.
    record: Generations,
    /// Whether the record has a missed event of this batch; `None` until a stream of the batch misses one. The first
    /// such stream writes it while it holds the lock, so that no other stream continues before. One entry is enough:
    /// every event of the batch was committed before the entry, so a verification that begins after the entry reads
    /// them all.
    recorded: Mutex<Option<bool>>,
}

/// A stream that the building generation could not apply.
pub(super) struct Missed {
    pub(super) reason: String,
    /// Whether the record says so. Only then may the live generation apply the stream.
    pub(super) is_recorded: bool,
}

impl BuildingModel {
    pub(super) fn new(
        updater: Result<Updater, UnknownModel>,
        projection: &'static str,
        store: &Arc<dyn GenerationStore>,
        record: &Generations,
    ) -> Self {
        Self {
            updater,
            projection,
            store: store.clone(),
            record: record.clone(),
            recorded: Mutex::new(None),
        }
    }

    pub(super) async fn take(&self, stream: &StreamId, arrived: &Arrived) -> Result<(), Missed> {
        let reason = match &self.updater {
            Ok(updater) => match updater.update(stream, arrived, &mut Progress::default()).await {
                Ok(()) => return Ok(()),
                Err(error) => error.to_string(),
            },
            Err(unknown) => unknown.to_string(),
        };
        let event = MissedEvent { stream: stream.clone(), reason: reason.clone() };
        Err(Missed { reason, is_recorded: self.record_once(event).await })
    }

    async fn record_once(&self, event: MissedEvent) -> bool {
        let mut recorded = self.recorded.lock().await;
        if let Some(is_recorded) = *recorded {
            return is_recorded;
        }
        let is_recorded = self.record(event).await.unwrap_or_else(|error| {
            tracing::error!(%error, "a missed event of the building generation is not recorded");
            false
        });
        *recorded = Some(is_recorded);
        is_recorded
    }

    /// Always changes the record, even if it has a missed event already, so that a running verification notices.
    async fn record(&self, event: MissedEvent) -> Result<bool, ReadStoreError> {
        let run = |record: &Generations| record.building().map(|building| building.run);
        let mut seen = self.record.clone();
        for _ in 0..ATTEMPTS {
            let Ok(new) = seen.with_missed_event(event.clone()) else { break };
            if self.store.write(self.projection, &new).await? == Written::Done {
                return Ok(true);
            }
            match self.store.read(self.projection).await? {
                Some(now) if run(&now) == run(&seen) => seen = now,
                _ => break,
            }
        }
        Ok(false)
    }
}
