//! The ports of the log.

use async_trait::async_trait;
use ledgerfold::ports::PortError;

use crate::{LogKey, SignatureLine};

/// A failure of a port of the log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The store of tiles, checkpoints or the size, or the signer.
    #[error("the transparency log {0}")]
    Port(#[from] PortError),
    /// A stored object contradicts the log. It was changed, or it is missing.
    #[error("{name} {reason}")]
    Corrupt {
        /// The name of the object.
        name: String,
        /// The reason.
        reason: &'static str,
    },
}

/// Immutable objects: tiles, entry bundles, shards of heads and frozen batches.
///
/// The suite `conformance::transparency` of `ledgerfold-proofs` tests every store.
#[async_trait]
pub trait ObjectStore: Send + Sync {
    /// The content of an object. Strongly consistent.
    ///
    /// # Errors
    /// [`LogError::Port`].
    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, LogError>;

    /// Stores an object unless there is one with this name, and returns whether it was stored. Of concurrent calls with
    /// one name exactly one stores.
    ///
    /// # Errors
    /// [`LogError::Port`]. The object may be stored.
    async fn create(&self, name: &str, content: Vec<u8>) -> Result<bool, LogError>;
}

/// Signed checkpoints. Nobody can remove or change one while it is retained.
#[async_trait]
pub trait CheckpointStore: Send + Sync {
    /// The checkpoint of this size.
    ///
    /// # Errors
    /// [`LogError::Port`].
    async fn get(&self, size: u64) -> Result<Option<String>, LogError>;

    /// Stores the checkpoint of this size unless there is one, and returns whether it was stored.
    ///
    /// # Errors
    /// [`LogError::Port`]. The checkpoint may be stored.
    async fn create(&self, size: u64, note: &str) -> Result<bool, LogError>;

    /// Makes this checkpoint the published one, unless a larger one is published.
    ///
    /// # Errors
    /// [`LogError::Port`]. The checkpoint may be published.
    async fn publish(&self, size: u64, note: &str) -> Result<(), LogError>;
}

/// Signs checkpoints.
#[async_trait]
pub trait Signer: Send + Sync {
    /// The public keys.
    ///
    /// # Errors
    /// [`LogError::Port`].
    async fn keys(&self) -> Result<Vec<LogKey>, LogError>;

    /// Signs the text of a checkpoint under the name of the log, once with each key.
    ///
    /// # Errors
    /// [`LogError::Port`].
    async fn sign(&self, name: &str, text: &str) -> Result<Vec<SignatureLine>, LogError>;
}

/// The size of the log. It only says where to continue: the objects decide, and a size that is too small is harmless.
#[async_trait]
pub trait HeadStore: Send + Sync {
    /// The size; 0 for a new log. Strongly consistent.
    ///
    /// # Errors
    /// [`LogError::Port`].
    async fn size(&self) -> Result<u64, LogError>;

    /// Changes the size, if it still is `from`. Returns whether it did.
    ///
    /// # Errors
    /// [`LogError::Port`]. The size may be changed.
    async fn advance(&self, from: u64, to: u64) -> Result<bool, LogError>;
}
