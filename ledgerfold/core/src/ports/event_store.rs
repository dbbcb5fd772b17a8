use async_trait::async_trait;

use super::{CommandRecord, NewerFormat, PortError, Transaction};
use crate::{
    CommandId, StreamId, UniqueKey, Version,
    vocabulary::{Commit, NewCommit, Snapshot, StateSchema},
};

/// The log, for a function that reads it.
#[async_trait]
pub trait EventReader: Send + Sync {
    /// The commits that follow this version, oldest first, up to the size of one read, which is at most
    /// [`MAX_PAGE_BYTES`] of content. Strongly consistent: the answer contains every commit that was appended before.
    ///
    /// `after` is [`Version::NONE`] or the last version of a commit.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError>;

    /// The newest commits, newest first: of those that begin before `before`, or of all, at most
    /// this many (one or more), and no more than one read brings. As consistent as
    /// [`EventReader::read`].
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read_back(
        &self,
        stream: &StreamId,
        before: Option<Version>,
        commits: usize,
    ) -> Result<CommitPage, StoreError>;

    /// The newest commits for a load: of the commits that begin before `before`, or of all, at most this many, the
    /// newest snapshot of this schema and the commits that follow it. A store that keeps large events elsewhere
    /// fetches only the events behind the snapshot.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read_back_to(
        &self,
        schema: &StateSchema,
        stream: &StreamId,
        before: Option<Version>,
        commits: usize,
    ) -> Result<Newest, StoreError> {
        Ok(Newest::of(self.read_back(stream, before, commits).await?, schema))
    }

    /// The version of a stream: that of its last event, or [`Version::NONE`]. As consistent as
    /// [`EventReader::read`].
    ///
    /// # Errors
    /// [`StoreError`].
    async fn head(&self, stream: &StreamId) -> Result<Version, StoreError> {
        let newest = self.read_back(stream, None, 1).await?;
        Ok(newest.commits.first().map_or(Version::NONE, Commit::to))
    }
}

/// The log: the permanent home of commits.
///
/// The suite `conformance::event_store` of `ledgerfold-proofs` tests every store.
#[async_trait]
pub trait EventStore: EventReader {
    /// Appends one commit behind the version of the stream that it was made from; all of it, or
    /// nothing.
    ///
    /// # Errors
    /// [`AppendError::Conflict`] brings the commit that stands there already. It may be this very
    /// commit, if an earlier attempt took effect without its answer getting through: the caller
    /// knows it by its command id.
    async fn append(&self, commit: &NewCommit) -> Result<(), AppendError>;

    /// Stores everything in the transaction, or nothing.
    ///
    /// # Errors
    /// Of several reasons to refuse, the first in the order of [`AppendError`]'s variants: after a conflict the
    /// caller must load again before any other reason counts. Only [`AppendError::TooLarge`] may come before all
    /// others, because the store is not asked at all.
    async fn transact(&self, transaction: &Transaction) -> Result<(), AppendError>;

    /// The effect of the command with this id, if a transaction has stored it. As consistent as
    /// [`EventReader::read`].
    ///
    /// # Errors
    /// [`StoreError`].
    async fn record(&self, command: &CommandId) -> Result<Option<CommandRecord>, StoreError>;
}

/// Some commits of one stream, contiguous, in the order that was asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CommitPage {
    /// The commits.
    pub commits: Vec<Commit>,
    /// Whether there may be more behind the last of them. An empty page is the last.
    pub more: bool,
}

/// The newest commits of a stream, as far as a load needs them.
#[derive(Clone, Debug, PartialEq)]
pub enum Newest {
    /// A snapshot, and the first commits that follow it, oldest first.
    Snapshot {
        /// The snapshot with its place.
        base: Base,
        /// The commits behind it.
        following: CommitPage,
    },
    /// The newest commits, newest first. None of them has such a snapshot.
    Commits(CommitPage),
}

/// A snapshot with the place of its commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Base {
    /// The command of the commit.
    pub command: CommandId,
    /// The version of its first event.
    pub from: Version,
    /// The version of its last event, which the snapshot shows.
    pub version: Version,
    /// The snapshot.
    pub snapshot: Snapshot,
}

impl Newest {
    /// The part of a page of [`EventReader::read_back`] that a load needs.
    pub fn of(mut page: CommitPage, schema: &StateSchema) -> Self {
        let found = page.commits.iter().enumerate();
        let found =
            found.into_iter().find_map(|(at, commit)| Some((at, Base::of(commit, schema)?)));
        let Some((at, base)) = found else { return Self::Commits(page) };
        page.commits.truncate(at);
        page.commits.reverse();
        Self::Snapshot { base, following: CommitPage { commits: page.commits, more: false } }
    }
}

impl Base {
    fn of(commit: &Commit, schema: &StateSchema) -> Option<Self> {
        let snapshot = commit.snapshot().filter(|snapshot| snapshot.schema == *schema)?;
        Some(Self {
            command: commit.command().id.clone(),
            from: commit.from(),
            version: commit.to(),
            snapshot: snapshot.clone(),
        })
    }
}

/// The most content that one read brings, in bytes: as much as every reader can hold. A larger commit comes
/// alone.
pub const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;

impl CommitPage {
    /// As much of the page as one read may bring.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        let fitting = Self::fitting(self.commits.iter().map(Commit::payload_bytes));
        self.more |= fitting < self.commits.len();
        self.commits.truncate(fitting);
        self
    }

    /// How many of the commits with these sizes fit into one page; at least one.
    pub fn fitting(sizes: impl IntoIterator<Item = usize>) -> usize {
        let mut bytes = 0_usize;
        let fits = sizes.into_iter().take_while(|size| {
            bytes = bytes.saturating_add(*size);
            bytes <= MAX_PAGE_BYTES
        });
        fits.count().max(1)
    }
}

/// The log could not be read or written. Where it says that trying again may help, the store has
/// tried again itself already.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The request failed for a reason that all ports share.
    #[error("the event store {0}")]
    Port(#[from] PortError),
    /// A newer program wrote these commits, and this one cannot read them yet. Try again later.
    #[error("the stored commits of {stream} cannot be read here yet: {source}")]
    Newer {
        /// The stream.
        stream: String,
        /// Which format it is.
        source: NewerFormat,
    },
    /// The stored data cannot be read.
    #[error("the stored commits of {stream} cannot be read: {reason}")]
    Corrupt {
        /// The stream.
        stream: String,
        /// The reason.
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
        /// The effect of the command.
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
