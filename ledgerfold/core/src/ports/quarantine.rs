use async_trait::async_trait;
use serde::Serialize;

use super::{NewerFormat, PortError};
use crate::{StreamId, Timestamp, Version, ports::Page};

/// The quarantined streams of a read model, with one entry for each. A quarantine belongs to one projection, or to one
/// generation of it.
///
/// An entry records that the projector has taken the messages of its stream from the queue, up to
/// [`Parked::owed_version`], and that the read model must still reach this version. So every store must meet two
/// conditions:
///
/// - [`Quarantine::park`] never lowers the owed version, and the projector finishes a message only after the entry is
///   stored;
/// - [`Quarantine::release`] removes an entry only if the read model has reached the owed version.
///
/// Then a taken message is either in the read model or covered by an entry, in any order of parking and releasing. An
/// entry does no harm after its owed version is reached: the next round of retries removes it.
#[async_trait]
pub trait Quarantine: Send + Sync {
    /// Stores an entry, unless its stream already has one with a higher owed version. Strongly consistent with all
    /// later calls.
    ///
    /// # Errors
    /// [`QuarantineError`].
    async fn park(&self, parked: &Parked) -> Result<(), QuarantineError>;

    /// Removes the entry of a stream, if there is one and its owed version is not above `reached`. The read model must
    /// have been written up to `reached`.
    ///
    /// # Errors
    /// [`QuarantineError`].
    async fn release(&self, stream: &StreamId, reached: Version) -> Result<(), QuarantineError>;

    /// The entry of a stream, strongly consistent.
    ///
    /// # Errors
    /// [`QuarantineError`].
    async fn get(&self, stream: &StreamId) -> Result<Option<Parked>, QuarantineError>;

    /// Some entries in the order of their streams' names, after `after` or from the beginning. A page may be empty and
    /// yet have a next one. An entry that exists during the whole listing is listed.
    ///
    /// # Errors
    /// [`QuarantineError`].
    async fn list(
        &self,
        after: Option<&StreamId>,
    ) -> Result<Page<Parked, StreamId>, QuarantineError>;
}

/// A quarantined stream, which the read model cannot advance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parked {
    /// The stream.
    pub stream: StreamId,
    /// The version that the read model has reached; `None` if it cannot be read.
    pub position: Option<Version>,
    /// The version of the event that cannot be applied; `None` if the cause is not an event.
    pub version: Option<Version>,
    /// The last version of the newest commit that the projector was notified of. The read model must reach it.
    pub owed_version: Version,
    /// The reason, in one sentence.
    pub reason: String,
    /// The time at which the stream was quarantined.
    pub since: Timestamp,
    /// The number of retries.
    pub attempts: u32,
    /// The time of the last retry. Before the first one, the time at which the stream was quarantined.
    pub tried: Timestamp,
}

/// The quarantine could not be read or written. The store has already retried.
#[derive(Debug, thiserror::Error)]
pub enum QuarantineError {
    /// The request failed for a reason that all ports share.
    #[error("the quarantine {0}")]
    Port(#[from] PortError),
    /// A newer program wrote an entry, and this program cannot read it yet. Try again later.
    #[error("the entry of {stream} in the quarantine cannot be read here yet: {source}")]
    Newer {
        /// The stream.
        stream: String,
        /// The format of the entry.
        source: NewerFormat,
    },
    /// An entry cannot be read.
    #[error("the entry of {stream} in the quarantine cannot be read: {reason}")]
    Corrupt {
        /// The stream.
        stream: String,
        /// The reason.
        reason: String,
    },
}
