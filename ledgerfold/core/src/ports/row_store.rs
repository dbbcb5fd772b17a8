use async_trait::async_trait;

use super::{IndexKey, IndexOrder, IndexPartition, NewerFormat, PortError};
use crate::{Payload, StreamId, Version};

/// The rows of a projection, for a function that reads them.
#[async_trait]
pub trait RowReader: Send + Sync {
    /// The row of a stream, strongly consistent.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn get(&self, stream: &StreamId) -> Result<Option<StoredRow>, ReadStoreError>;

    /// The rows of one partition of the index by descending order key, at most `limit`, from the
    /// first one below `before`. May lag behind [`RowStore::put`].
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn list(&self, listing: &Listing) -> Result<Vec<StoredRow>, ReadStoreError>;
}

/// The rows of a projection: one for each stream.
#[async_trait]
pub trait RowStore: RowReader {
    /// Puts a row with its position in one conditional write. A newer row wins, so writers need not know
    /// each other: a row is the fold of its stream, so of two rows the one at the higher version is right,
    /// no matter which writer made it.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn put(&self, row: &StoredRow) -> Result<Written, ReadStoreError>;

    /// Replaces exactly the row `seen`, also by one at the same version: for a row that is known to be wrong.
    /// Superseded if the stored row is no longer at the version of `seen`.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn replace(&self, seen: &StoredRow, row: &StoredRow) -> Result<Written, ReadStoreError>;
}

/// Which rows of the index to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The partition, as the customer's id.
    pub partition: IndexPartition,
    /// List only rows whose order key is below this one.
    pub before: Option<IndexOrder>,
    /// The most rows to list.
    pub limit: usize,
}

/// A row as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredRow {
    /// The stream it is the fold of.
    pub stream: StreamId,
    /// Up to which version.
    pub version: Version,
    /// The row; absent where the stream has none (any more). Its version stays behind, so that late
    /// events do not bring it back.
    pub body: Option<Payload>,
    /// Under which key it is listed.
    pub index: Option<IndexKey>,
}

/// The largest content of a row or a memo, in bytes. DynamoDB refuses items over 400 KB; the rest is room
/// for keys.
pub const MAX_ROW_BYTES: usize = 390 * 1_024;

impl StoredRow {
    /// That a store can take it. Its keys are checked where they are made.
    ///
    /// # Errors
    /// [`ReadStoreError::Invalid`] if its content has more than [`MAX_ROW_BYTES`].
    pub fn check(&self) -> Result<(), ReadStoreError> {
        check_size(self.body.as_ref().map_or(0, |body| body.as_str().len()))
    }
}

/// That a content of so many bytes is no larger than an item can be.
pub(super) fn check_size(bytes: usize) -> Result<(), ReadStoreError> {
    if bytes <= MAX_ROW_BYTES {
        return Ok(());
    }
    let reason = format!("it has {bytes} bytes, and an item at most {MAX_ROW_BYTES}");
    Err(ReadStoreError::Invalid(reason.into()))
}

/// The result of a conditional write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It took effect.
    Done,
    /// Another write was there before, with at least as much.
    Superseded,
}

/// A read table could not be read or written; the store has tried again itself already.
#[derive(Debug, thiserror::Error)]
pub enum ReadStoreError {
    /// The request failed for a reason that all ports share.
    #[error("the read table {0}")]
    Port(#[from] PortError),
    /// The table can never take this item: it is too large, a key of it is empty or too long, or a number
    /// leaves its range. The read model has to change.
    #[error("the read table can never take this: {0}")]
    Invalid(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A newer program wrote this, and this one cannot read it yet. Try again later.
    #[error("the stored row of {key} cannot be read here yet: {source}")]
    Newer {
        /// The row's key.
        key: String,
        /// Which format it is.
        source: NewerFormat,
    },
    /// The stored row cannot be read.
    #[error("the stored row of {key} cannot be read: {reason}")]
    Corrupt {
        /// The row's key.
        key: String,
        /// The reason.
        reason: String,
    },
}
