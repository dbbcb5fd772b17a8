use std::sync::Arc;

use async_trait::async_trait;
use futures::future::join_all;

use super::{
    PartGroup, PartKey, PartOrder, PortError, ReadStoreError, Written, row_store::check_size,
};
use crate::{Payload, StreamId, TenantId, Version};

/// The parts of a projection, for a function that only reads them.
#[async_trait]
pub trait PartReader: Send + Sync {
    /// The version up to which all parts of a stream have its events; [`Version::NONE`] if nothing is recorded. Strongly
    /// consistent.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn position(&self, stream: &StreamId) -> Result<Version, ReadStoreError>;

    /// Parts of one stream, strongly consistent, in the order of the keys. An unreadable part fails alone. A store may
    /// read them together, and then other failures concern all of them.
    async fn parts(
        &self,
        stream: &StreamId,
        keys: &[PartKey],
    ) -> Vec<Result<Option<StoredPart>, ReadStoreError>>;

    /// The parts of a group, of all streams of the tenant, by ascending order and then by stream; strongly consistent. At
    /// most `limit`; fewer only at the end of the range.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn range(&self, range: &PartRange) -> Result<Vec<StoredPart>, ReadStoreError>;

    /// The position of a stream, and a range of parts that have at least the events up to it.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn range_with(
        &self,
        stream: &StreamId,
        range: &PartRange,
    ) -> Result<(Version, Vec<StoredPart>), ReadStoreError> {
        let position = self.position(stream).await?;
        Ok((position, self.range(range).await?))
    }

    /// The positions of several streams; see [`position`](Self::position).
    async fn positions(&self, streams: &[StreamId]) -> Vec<Result<Version, ReadStoreError>> {
        join_all(streams.iter().map(|stream| self.position(stream))).await
    }
}

/// The parts of a projection. Each belongs to one stream, and one stream may have any number of parts.
#[async_trait]
pub trait PartStore: PartReader {
    /// Stores a part in one conditional write. Superseded if the stored part has this version or a later one: as with
    /// rows, the part with the higher version is right, whoever wrote it.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn put(&self, part: &StoredPart) -> Result<Written, ReadStoreError>;

    /// Records that all parts of the stream have its events up to this version. Superseded if the recorded version is this
    /// one or a later one.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn advance(&self, stream: &StreamId, version: Version)
    -> Result<Written, ReadStoreError>;

    /// Replaces a part that is known to be wrong, even by one with the same version. Superseded if the stored part no longer
    /// has the version `seen`, or, for [`Version::NONE`], if there is a part.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn replace(&self, seen: Version, part: &StoredPart) -> Result<Written, ReadStoreError>;
}

/// A request for parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartRange {
    /// The tenant.
    pub tenant: TenantId,
    /// The group.
    pub group: PartGroup,
    /// The first order, included.
    pub first: PartOrder,
    /// The last order, included.
    pub last: PartOrder,
    /// The most parts.
    pub limit: usize,
}

impl PartRange {
    /// Whether the range has the part of this key and tenant.
    pub fn has(&self, tenant: &TenantId, key: &PartKey) -> bool {
        *tenant == self.tenant
            && key.group == self.group
            && (&self.first..=&self.last).contains(&&key.order)
    }
}

/// A part in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredPart {
    /// The stream that the part is folded from.
    pub stream: StreamId,
    /// The place of the part.
    pub key: PartKey,
    /// The part shows all events of its stream up to this version. An event after it that changes the part is missing.
    pub version: Version,
    /// The part; `None` if it has no content any more.
    pub body: Option<Payload>,
}

impl StoredPart {
    /// Checks that a store can accept the part. Its keys were checked when they were made.
    ///
    /// # Errors
    /// [`ReadStoreError::Invalid`] if its content has more than [`MAX_ROW_BYTES`](super::MAX_ROW_BYTES).
    pub fn check(&self) -> Result<(), ReadStoreError> {
        check_size(self.body.as_ref().map_or(0, |body| body.as_str().len()))
    }
}

/// The parts of a read table that has none: every call is refused.
pub(super) struct NoParts;

impl NoParts {
    pub(super) fn reader() -> Arc<dyn PartReader> {
        Arc::new(Self)
    }

    pub(super) fn store() -> Arc<dyn PartStore> {
        Arc::new(Self)
    }

    fn refused() -> ReadStoreError {
        ReadStoreError::Port(PortError::Refused("this read table has no parts".into()))
    }
}

#[async_trait]
impl PartReader for NoParts {
    async fn position(&self, _: &StreamId) -> Result<Version, ReadStoreError> {
        Err(Self::refused())
    }

    async fn parts(
        &self,
        _: &StreamId,
        keys: &[PartKey],
    ) -> Vec<Result<Option<StoredPart>, ReadStoreError>> {
        keys.iter().map(|_| Err(Self::refused())).collect()
    }

    async fn range(&self, _: &PartRange) -> Result<Vec<StoredPart>, ReadStoreError> {
        Err(Self::refused())
    }
}

#[async_trait]
impl PartStore for NoParts {
    async fn put(&self, _: &StoredPart) -> Result<Written, ReadStoreError> {
        Err(Self::refused())
    }

    async fn advance(&self, _: &StreamId, _: Version) -> Result<Written, ReadStoreError> {
        Err(Self::refused())
    }

    async fn replace(&self, _: Version, _: &StoredPart) -> Result<Written, ReadStoreError> {
        Err(Self::refused())
    }
}
