use async_trait::async_trait;

use super::{CommandRecord, Transaction};
use crate::{CommandId, Commit, NewCommit, StreamId, UniqueKey, Version};

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

    /// The newest commits, newest first: of those that begin before `before`, or of all, at most
    /// this many (one or more), and no more than one read brings. As consistent as
    /// [`EventStore::read`].
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read_back(
        &self,
        stream: &StreamId,
        before: Option<Version>,
        commits: usize,
    ) -> Result<Page, StoreError>;

    /// Appends one commit behind the version of the stream that it was made from; all of it, or
    /// nothing.
    ///
    /// # Errors
    /// [`AppendError::Conflict`] brings the commit that stands there already. It may be this very
    /// commit, if an earlier attempt took effect without its answer getting through: the caller
    /// knows it by its command id.
    async fn append(&self, commit: &NewCommit) -> Result<(), AppendError>;

    /// Does everything in the transaction, or nothing of it.
    ///
    /// # Errors
    /// Of several reasons to refuse, the first in the order of [`AppendError`]'s variants: who is
    /// overtaken must look again before anything else is true. Only [`AppendError::TooLarge`] may come
    /// before all others, because it is known before the store is asked.
    async fn transact(&self, transaction: &Transaction) -> Result<(), AppendError>;

    /// What the command with this id has done, if a transaction has stored it; as consistent as
    /// [`EventStore::read`].
    ///
    /// # Errors
    /// [`StoreError`].
    async fn record(&self, command: &CommandId) -> Result<Option<CommandRecord>, StoreError>;
}

/// Some commits of one stream, contiguous, in the order that was asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The commits.
    pub commits: Vec<Commit>,
    /// Whether there may be more behind the last of them. An empty page is the last.
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

/// A commit was not appended, a transaction not done.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another commit stands there: decide again on the new state.
    #[error("version {} of {} is taken", winner.from(), winner.stream())]
    Conflict {
        /// The commit that stands there.
        winner: Box<Commit>,
    },
    /// A stream that was to be as it was read has moved on: decide again on the new state.
    #[error("{stream} is no longer at version {version}")]
    Changed {
        /// The stream.
        stream: StreamId,
        /// The version that it was to have.
        version: Version,
    },
    /// The command id is taken, for ever.
    #[error("the command was committed before")]
    Repeated {
        /// What the command did.
        record: Box<CommandRecord>,
    },
    /// The key is another's; or the stream's own, which forgoes it as if it were not.
    #[error("{key} is reserved by {holder}")]
    Reserved {
        /// The key.
        key: UniqueKey,
        /// Whose it is.
        holder: StreamId,
    },
    /// A key that was to be given back is not this stream's.
    #[error("{key} is not reserved by {stream}")]
    NotReserved {
        /// The key.
        key: UniqueKey,
        /// The stream that was to give it back.
        stream: StreamId,
        /// The revision of the claims for which the reservations of the stream's category are
        /// complete, if they are: see [`Reservations::read_record`](super::Reservations::read_record).
        complete: Option<u32>,
    },
    /// Another transaction touches the same items at this moment. It says nothing of any version: try
    /// again.
    #[error("another transaction is at work on the same streams")]
    Busy,
    /// The commit is larger than the store takes.
    #[error("the commit has {bytes} bytes, and at most {limit} are safe to store")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The most that is taken.
        limit: usize,
    },
    /// An event of the commit is larger than the bus behind the store takes.
    #[error("an event of the commit has {bytes} bytes, and at most {limit} can be published")]
    EventTooLarge {
        /// The size of its content.
        bytes: usize,
        /// The most that is taken.
        limit: usize,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
