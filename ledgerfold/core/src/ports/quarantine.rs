use async_trait::async_trait;
use serde::Serialize;

use super::{NewerFormat, PortError};
use crate::{StreamId, Timestamp, Version, ports::Page};

/// The parked streams of a read model, one entry for each. A quarantine belongs to one projection, or to one
/// generation of it.
///
/// An entry is a **debt**: the projector has taken the messages of its stream up to [`Parked::owed_version`] from the
/// queue, and the read model is not there yet. Two conditions of a store follow:
///
/// - [`Quarantine::park`] never lowers the owed version, and a message is done only after the entry has taken effect;
/// - [`Quarantine::release`] removes an entry only if the read model has reached the owed version.
///
/// Therefore, in any order of parking and releasing, a taken message is either in the read model or owed by an entry.
/// An entry whose debt is settled does no harm: the next round of retries removes it.
#[async_trait]
pub trait Quarantine: Send + Sync {
    /// Puts an entry, unless one stands for its stream that owes more; strongly consistent with all
    /// that follows.
    ///
    /// # Errors
    /// [`QuarantineError`].
    async fn park(&self, parked: &Parked) -> Result<(), QuarantineError>;

    /// Removes the entry of a stream, if there is one and it owes nothing beyond `reached`, a version
    /// that the read model has been written up to.
    ///
    /// # Errors
    /// [`QuarantineError`].
    async fn release(&self, stream: &StreamId, reached: Version) -> Result<(), QuarantineError>;

    /// The entry of a stream, strongly consistent.
    ///
    /// # Errors
    /// [`QuarantineError`].
    async fn get(&self, stream: &StreamId) -> Result<Option<Parked>, QuarantineError>;

    /// Some entries in the order of their streams' names, from behind `after` or from the beginning.
    /// A page may be empty and yet have a next one. All that stand while pages are read are listed.
    ///
    /// # Errors
    /// [`QuarantineError`].
    async fn list(
        &self,
        after: Option<&StreamId>,
    ) -> Result<Page<Parked, StreamId>, QuarantineError>;
}

/// A stream that a read model cannot move on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parked {
    /// The stream.
    pub stream: StreamId,
    /// Up to which version the read model has it; absent where that cannot be read.
    pub position: Option<Version>,
    /// The version of the event that does not fit; absent where it is not an event that is wrong.
    pub version: Option<Version>,
    /// The end of the newest commit that the read model was told of, and owes.
    pub owed_version: Version,
    /// Why it cannot be moved on, in a sentence.
    pub reason: String,
    /// When it was parked.
    pub since: Timestamp,
    /// How often healing has been tried.
    pub attempts: u32,
    /// When healing was last tried; when it was parked, if never.
    pub tried: Timestamp,
}

/// The quarantine could not be read or written; the store has tried again itself already.
#[derive(Debug, thiserror::Error)]
pub enum QuarantineError {
    /// The request failed for a reason that all ports share.
    #[error("the quarantine {0}")]
    Port(#[from] PortError),
    /// A newer program wrote an entry, and this one cannot read it yet. Try again later.
    #[error("the entry of {stream} in the quarantine cannot be read here yet: {source}")]
    Newer {
        /// The stream.
        stream: String,
        /// Which format it is.
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
