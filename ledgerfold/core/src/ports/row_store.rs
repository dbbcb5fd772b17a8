use async_trait::async_trait;
use futures::future::join_all;

use super::{IndexKey, IndexOrder, IndexPartition, NewerFormat, PortError};
use crate::{Payload, StreamId, TenantId, Version};

/// The rows of a projection, for a function that only reads them.
#[async_trait]
pub trait RowReader: Send + Sync {
    /// The row of a stream, strongly consistent.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn get(&self, stream: &StreamId) -> Result<Option<StoredRow>, ReadStoreError>;

    /// The rows of several streams, each as [`get`](RowReader::get) returns it, in the order of the streams. An
    /// unreadable row fails alone. A store may read them together, and then other failures concern all of them.
    async fn get_all(
        &self,
        streams: &[StreamId],
    ) -> Vec<Result<Option<StoredRow>, ReadStoreError>> {
        join_all(streams.iter().map(|stream| self.get(stream))).await
    }

    /// The rows of one partition of the index by descending order key: at most `limit`, from the first one below
    /// `before`. May lag behind [`RowStore::put`].
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn list(&self, listing: &Listing) -> Result<Vec<StoredRow>, ReadStoreError>;
}

/// The rows of a projection: one for each stream.
#[async_trait]
pub trait RowStore: RowReader {
    /// Stores a row with its position in one conditional write. A newer row wins, so writers need no coordination: a
    /// row is the fold of its stream, so of two rows the one with the higher version is right, no matter which writer
    /// made it. Superseded if the stored row is at least as new.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn put(&self, row: &StoredRow) -> Result<Written, ReadStoreError>;

    /// Replaces exactly the row `seen`, even by a row with the same version. Use it for a row that is known to be
    /// wrong. Superseded if the stored row no longer has the version of `seen`.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn replace(&self, seen: &StoredRow, row: &StoredRow) -> Result<Written, ReadStoreError>;
}

/// A request for rows of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The tenant whose rows are listed.
    pub tenant: TenantId,
    /// The partition, for example a customer's id.
    pub partition: IndexPartition,
    /// List only rows whose order key is below this one.
    pub before: Option<IndexOrder>,
    /// The most rows to list.
    pub limit: usize,
}

/// A row in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredRow {
    /// The stream that the row is the fold of.
    pub stream: StreamId,
    /// The version up to which the row shows the stream.
    pub version: Version,
    /// The row; `None` if the stream has no row, or no longer has one. The version stays, so late events do not restore
    /// the row.
    pub body: Option<Payload>,
    /// The key under which the row is listed.
    pub index: Option<IndexKey>,
}

/// The largest content of a row or a memo, in bytes. DynamoDB refuses items over 400 KB; the rest is room
/// for keys.
pub const MAX_ROW_BYTES: usize = 390 * 1_024;

impl StoredRow {
    /// Checks that a store can accept the row. Its keys were checked when they were made.
    ///
    /// # Errors
    /// [`ReadStoreError::Invalid`] if its content has more than [`MAX_ROW_BYTES`].
    pub fn check(&self) -> Result<(), ReadStoreError> {
        check_size(self.body.as_ref().map_or(0, |body| body.as_str().len()))
    }
}

/// Checks that content of this size fits into an item.
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
    /// The write took effect.
    Done,
    /// Another write came first, so this one had no effect.
    Superseded,
}

/// A read table could not be read or written. The store has already retried.
#[derive(Debug, thiserror::Error)]
pub enum ReadStoreError {
    /// The request failed for a reason that all ports share.
    #[error("the read table {0}")]
    Port(#[from] PortError),
    /// The table can never accept this item: it is too large, one of its keys is empty or too long, or a number leaves
    /// its range. The read model has to change.
    #[error("the read table can never take this: {0}")]
    Invalid(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A newer program wrote this row, and this program cannot read it yet. Try again later.
    #[error("the stored row of {key} cannot be read here yet: {source}")]
    Newer {
        /// The row's key.
        key: String,
        /// The format of the row.
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

impl ReadStoreError {
    /// The same failure for another caller, when one request served several.
    #[must_use]
    pub fn repeated(&self) -> Self {
        match self {
            Self::Port(error) => Self::Port(error.repeated()),
            Self::Invalid(source) => Self::Invalid(source.to_string().into()),
            Self::Newer { key, source } => Self::Newer { key: key.clone(), source: *source },
            Self::Corrupt { key, reason } => {
                Self::Corrupt { key: key.clone(), reason: reason.clone() }
            }
        }
    }
}
