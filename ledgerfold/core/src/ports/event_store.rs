use async_trait::async_trait;

use crate::{Commit, NewCommit, StreamId, Version};

/// The log: where commits are kept, once and for all.
///
/// The suite `conformance::event_store` of `ledgerfold-testkit` says in tests what a store must do.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// The commits that follow this version, oldest first, as many as one read brings. Strongly
    /// consistent: whatever was appended before is seen.
    ///
    /// `after` is [`Version::NONE`] or the last version of a commit.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read(&self, stream: &StreamId, after: Version) -> Result<Page, StoreError>;

    /// Appends one commit behind the version of the stream that it was made from; all of it, or
    /// nothing.
    ///
    /// # Errors
    /// [`AppendError::Conflict`] brings the commit that stands there already. It may be this very
    /// commit, if an earlier attempt took effect without its answer getting through: the caller
    /// knows it by its command id.
    async fn append(&self, commit: &NewCommit) -> Result<(), AppendError>;
}

/// Some commits of one stream, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The commits, contiguous.
    pub commits: Vec<Commit>,
    /// Whether there may be more behind the last of them.
    pub more: bool,
}

/// The log could not be read or written. Where it says that trying again may help, the store has
/// tried again itself already.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// More was asked of the store than it gives now. Try again later.
    #[error("the event store is throttling")]
    Throttled,
    /// The store did not answer. Try again later; an append may have taken effect.
    #[error("the event store is not available: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store refused what it was asked, and will again: a defect or a missing right.
    #[error("the event store refused the request: {0}")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What is stored cannot be read.
    #[error("the stored commits of {stream} cannot be read: {reason}")]
    Corrupt {
        /// The stream.
        stream: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// A commit was not appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another commit stands there: decide again on the new state.
    #[error("version {} of {} is taken", winner.from(), winner.stream())]
    Conflict {
        /// The commit that stands there.
        winner: Box<Commit>,
    },
    /// The commit is larger than the store takes.
    #[error("the commit has {bytes} bytes, and at most {limit} are safe to store")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The most that is taken.
        limit: usize,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
