use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{Page, PortError};
use crate::{StreamId, Version};

/// The number of parts into which marks are divided, so that no part of a store takes all of them.
pub const MARK_PARTS: u8 = 8;

/// The objects of an export: its files, its manifests and its markers. No object ever changes and none is removed, so
/// a reader needs no lock.
#[async_trait]
pub trait ExportFiles: Send + Sync {
    /// Stores an object, unless one with this key exists. Of several calls with one key, exactly one returns
    /// [`ExportStored::New`]. All of the object is visible afterwards, or nothing.
    ///
    /// # Errors
    /// [`ExportError`]. The object may have been stored if the service did not answer.
    async fn put_new(&self, key: &str, content: Vec<u8>) -> Result<ExportStored, ExportError>;

    /// The object with this key; `None` if there is none. Strongly consistent.
    ///
    /// # Errors
    /// [`ExportError`].
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, ExportError>;

    /// Some keys with this prefix that come after a key, in the order of their bytes. Empty at the end. Strongly
    /// consistent.
    ///
    /// # Errors
    /// [`ExportError`].
    async fn list(&self, prefix: &str, after: &str) -> Result<Vec<String>, ExportError>;

    /// The address of an object for other programs.
    fn uri(&self, key: &str) -> String;
}

/// The effect of [`ExportFiles::put_new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportStored {
    /// This call, or an earlier attempt of its adapter, has stored the object.
    New,
    /// The key was taken. The stored object may have other content.
    Taken,
}

/// The progress of an export: which streams have news, and up to which version each stream is in the files.
///
/// A **mark** says that a stream has events up to a version. The **position** of a stream is the version up to which
/// manifests contain its events. Neither ever goes back, so every call can be repeated, late and in any order.
#[async_trait]
pub trait ExportProgress: Send + Sync {
    /// Marks a stream, unless it has a mark with this version or a higher one.
    ///
    /// # Errors
    /// [`ExportError`].
    async fn mark(&self, mark: &ExportMark) -> Result<(), ExportError>;

    /// Some marks of a part, from 0 to [`MARK_PARTS`] − 1, in an order that never changes. Strongly consistent: a
    /// mark that exists during the whole listing is listed.
    ///
    /// # Errors
    /// [`ExportError`].
    async fn marks(
        &self,
        part: u8,
        after: Option<&StreamId>,
    ) -> Result<Page<ExportMark, StreamId>, ExportError>;

    /// Removes the mark of a stream, unless its version is above `reached`.
    ///
    /// # Errors
    /// [`ExportError`].
    async fn unmark(&self, stream: &StreamId, reached: Version) -> Result<(), ExportError>;

    /// The positions of these streams. A stream without a position is absent. Strongly consistent.
    ///
    /// # Errors
    /// [`ExportError`].
    async fn positions(
        &self,
        streams: &[StreamId],
    ) -> Result<BTreeMap<StreamId, Version>, ExportError>;

    /// Raises the position of a stream to this version, unless it is higher.
    ///
    /// # Errors
    /// [`ExportError`].
    async fn advance(&self, stream: &StreamId, to: Version) -> Result<(), ExportError>;

    /// The number of the last manifest whose positions are all stored, or 0. Strongly consistent.
    ///
    /// # Errors
    /// [`ExportError`].
    async fn applied(&self) -> Result<u64, ExportError>;

    /// Raises that number, unless it is higher.
    ///
    /// # Errors
    /// [`ExportError`].
    async fn set_applied(&self, number: u64) -> Result<(), ExportError>;
}

/// A stream with news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportMark {
    /// The stream.
    pub stream: StreamId,
    /// The version of its newest known event.
    pub version: Version,
}

impl ExportMark {
    /// The part of a stream's mark. It never changes.
    pub fn part_of(stream: &StreamId) -> u8 {
        // FNV-1a: it is the same in every program, which Rust's own hashers do not promise.
        let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        let hash = stream.to_string().bytes().fold(0x811c_9dc5, step);
        u8::try_from(hash % u32::from(MARK_PARTS)).unwrap_or_default()
    }
}

/// The objects or the progress of an export could not be read or written. The adapter has already retried.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The request failed for a reason that all ports share.
    #[error("the export {0}")]
    Port(#[from] PortError),
    /// A stored entry or object cannot be read.
    #[error("{name} of the export cannot be read: {reason}")]
    Corrupt {
        /// The key of the object, or the stream of the entry.
        name: String,
        /// The reason.
        reason: String,
    },
}
