//! The live generation: readers use it, and no other generation quarantines streams.

use std::sync::Arc;

use super::{
    ProjectError, Updater, batch::Arrived, quarantine::REASON_CHARACTERS, updater::Progress,
};
use crate::{
    StreamId, Version,
    ports::{Clock, Parked, Quarantine, QuarantineError},
};

/// The live generation with its quarantine.
pub(super) struct LiveModel {
    pub(super) updater: Updater,
    quarantine: Option<Arc<dyn Quarantine>>,
    pub(super) clock: Arc<dyn Clock>,
}

/// The result for messages that need no further delivery.
pub(super) enum Taken {
    /// The model contains their events.
    Applied,
    /// Their stream is quarantined.
    Parked,
}

/// The reason to deliver messages again.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotTaken {
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error("{cause}; and the stream could not be quarantined: {source}")]
    NotParked { cause: ProjectError, source: QuarantineError },
}

impl LiveModel {
    pub(super) fn new(
        updater: Updater,
        quarantine: Option<Arc<dyn Quarantine>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { updater, quarantine, clock }
    }

    /// Updates one stream with the messages that arrived, or quarantines it.
    pub(super) async fn take(
        &self,
        stream: &StreamId,
        arrived: &Arrived,
    ) -> Result<Taken, NotTaken> {
        let mut progress = Progress::default();
        let outcome = self.updater.update(stream, arrived, &mut progress).await;
        match (outcome, &self.quarantine) {
            (Ok(()), Some(quarantine)) if progress.from_log => {
                // A message of a quarantined stream arrives after a gap, so most streams are released here. A round of
                // retries releases the rest.
                let reached = progress.position.unwrap_or(Version::NONE);
                release(&**quarantine, stream, reached).await;
                Ok(Taken::Applied)
            }
            (Ok(()), _) => Ok(Taken::Applied),
            (Err(cause), Some(quarantine)) if cause.is_lasting() => {
                let owed = arrived.newest();
                match self.park(&**quarantine, stream, owed, progress.position, &cause).await {
                    Ok(()) => Ok(Taken::Parked),
                    Err(source) => Err(NotTaken::NotParked { cause, source }),
                }
            }
            (Err(cause), _) => Err(cause.into()),
        }
    }

    /// Records that the model needs the events of the stream up to this version. Afterwards the queue may delete the
    /// messages: the events are in the log.
    async fn park(
        &self,
        quarantine: &dyn Quarantine,
        stream: &StreamId,
        owed: Version,
        position: Option<Version>,
        error: &ProjectError,
    ) -> Result<(), QuarantineError> {
        let now = self.clock.now();
        let before = quarantine.get(stream).await?;
        let parked = Parked {
            stream: stream.clone(),
            position,
            version: error.version(),
            owed_version: before.as_ref().map_or(owed, |before| before.owed_version.max(owed)),
            reason: reason(error),
            since: before.as_ref().map_or(now, |before| before.since),
            attempts: before.as_ref().map_or(0, |before| before.attempts),
            tried: before.as_ref().map_or(now, |before| before.tried),
        };
        quarantine.park(&parked).await?;
        tracing::warn!(%stream, reason = parked.reason, "stream parked");
        Ok(())
    }
}

/// Removes the entry of a stream that the model has up to this version. If that fails, the next round of retries
/// removes it. Returns whether the stream has no entry any more, or never had one.
pub(crate) async fn release(
    quarantine: &dyn Quarantine,
    stream: &StreamId,
    reached: Version,
) -> bool {
    let released = quarantine.release(stream, reached).await;
    if let Err(error) = &released {
        tracing::warn!(%stream, %error, "stream not released yet");
    }
    released.is_ok()
}

pub(super) fn reason(error: &ProjectError) -> String {
    error.to_string().chars().take(REASON_CHARACTERS).collect()
}
