use async_trait::async_trait;

use super::{CommandRecord, NewerFormat, PortError, Transaction};
use crate::{
    CommandId, ReservedKey, StreamId, Version,
    vocabulary::{Commit, CommitHash, NewCommit, Snapshot, StateSchema},
};

/// The log, for a function that only reads it.
#[async_trait]
pub trait EventReader: Send + Sync {
    /// The commits after this version, oldest first. One read returns at most [`MAX_PAGE_BYTES`] of content. Strongly
    /// consistent: the answer contains every commit that was appended before.
    ///
    /// `after` is [`Version::NONE`] or the last version of a commit.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError>;

    /// The newest commits of the span, newest first: at most this many (one or more), within the size of one read. As
    /// consistent as [`EventReader::read`].
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read_back(
        &self,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<CommitPage, StoreError>;

    /// The newest commits of the span for a load. Of the commits of [`EventReader::read_back`], it returns the newest
    /// snapshot of this schema and the commits after it, or all commits if none has such a snapshot. A store that keeps
    /// large events elsewhere fetches only the events after the snapshot.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read_back_to(
        &self,
        schema: &StateSchema,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<Newest, StoreError> {
        Ok(Newest::of(self.read_back(stream, span, commits).await?, schema))
    }

    /// The version of a stream: the version of its last event, or [`Version::NONE`]. As consistent as
    /// [`EventReader::read`].
    ///
    /// # Errors
    /// [`StoreError`].
    async fn head(&self, stream: &StreamId) -> Result<Version, StoreError> {
        let newest = self.read_back(stream, Span::ALL, 1).await?;
        Ok(newest.commits.first().map_or(Version::NONE, Commit::to))
    }
}

/// The log. It keeps commits for ever.
///
/// The suite `conformance::event_store` of `ledgerfold-proofs` tests every store.
#[async_trait]
pub trait EventStore: EventReader {
    /// Appends one commit after the version of the stream that it was made from. All of it is stored, or nothing.
    ///
    /// # Errors
    /// [`AppendError::Conflict`] contains the commit that is already stored there. It may be this very commit, if an
    /// earlier attempt took effect and its answer was lost. The caller recognises it by its command id.
    async fn append(&self, commit: &NewCommit) -> Result<(), AppendError>;

    /// Stores everything in the transaction, or nothing.
    ///
    /// # Errors
    /// If there are several reasons to refuse, the store returns the first in the order of [`AppendError`]'s variants:
    /// after a conflict the caller must load again before any other reason counts. Only [`AppendError::TooLarge`] may
    /// come before all others, because it needs no request.
    async fn transact(&self, transaction: &Transaction) -> Result<(), AppendError>;

    /// The effect of the strict command whose record has this id, if a transaction has stored it. As consistent as
    /// [`EventReader::read`].
    ///
    /// # Errors
    /// [`StoreError`].
    async fn record(&self, command: &CommandId) -> Result<Option<CommandRecord>, StoreError>;
}

/// The part of a stream that a reader needs. A commit is in it if it begins there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Only commits that begin after this version.
    pub after: Version,
    /// Only commits that begin before this version; `None` for all.
    pub before: Option<Version>,
}

impl Span {
    /// The whole stream.
    pub const ALL: Self = Self { after: Version::NONE, before: None };

    /// The commits that begin before this version.
    pub const fn before(version: Version) -> Self {
        Self { before: Some(version), ..Self::ALL }
    }

    /// The commits that begin after this version.
    pub const fn after(version: Version) -> Self {
        Self { after: version, ..Self::ALL }
    }

    /// Whether a commit that begins at this version is in the span.
    pub fn contains(self, from: Version) -> bool {
        from > self.after && self.before.is_none_or(|before| from < before)
    }

    /// Whether no commit can be in the span.
    pub fn is_empty(self) -> bool {
        self.before.is_some_and(|before| before <= self.after.next())
    }
}

/// Some consecutive commits of one stream, in the requested order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CommitPage {
    /// The commits.
    pub commits: Vec<Commit>,
    /// Whether more commits may follow the last one. An empty page is the last.
    pub more: bool,
}

/// The newest commits of a stream, as far as a load needs them.
#[derive(Clone, Debug, PartialEq)]
pub enum Newest {
    /// A snapshot, and the first commits after it, oldest first.
    Snapshot {
        /// The snapshot with its place.
        base: Base,
        /// The commits after it.
        following: CommitPage,
    },
    /// The newest commits, newest first. None of them has a snapshot of the schema.
    Commits(CommitPage),
}

/// A snapshot with the place of its commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Base {
    /// The command of the commit.
    pub command: CommandId,
    /// The version of its first event.
    pub from: Version,
    /// The version of its last event. The snapshot is the state at this version.
    pub version: Version,
    /// The hash of the commit.
    pub hash: CommitHash,
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
            hash: commit.hash(),
            snapshot: snapshot.clone(),
        })
    }
}

/// The most content that one read returns, in bytes. Every reader can hold this much. A larger commit is returned
/// alone.
pub const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;

impl CommitPage {
    /// The first commits of the page, as many as fit into one read.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        let fitting = Self::fitting(self.commits.iter().map(Commit::payload_bytes));
        self.more |= fitting < self.commits.len();
        self.commits.truncate(fitting);
        self
    }

    /// The number of commits with these sizes, in this order, that fit into one page; at least one.
    pub fn fitting(sizes: impl IntoIterator<Item = usize>) -> usize {
        let mut bytes = 0_usize;
        let fits = sizes.into_iter().take_while(|size| {
            bytes = bytes.saturating_add(*size);
            bytes <= MAX_PAGE_BYTES
        });
        fits.count().max(1)
    }
}

/// The log could not be read or written. The store has already retried failures that a retry may solve.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The request failed for a reason that all ports share.
    #[error("the event store {0}")]
    Port(#[from] PortError),
    /// A newer program wrote these commits, and this program cannot read them yet. Try again later.
    #[error("the stored commits of {stream} cannot be read here yet: {source}")]
    Newer {
        /// The stream.
        stream: String,
        /// The format of the commits.
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

/// A commit was not appended, or a transaction was not stored.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another commit has this version. Decide again on the new state.
    #[error("version {} of {} is taken", winner.from(), winner.stream())]
    Conflict {
        /// The commit that is stored there.
        winner: Box<Commit>,
    },
    /// Another commit has changed a stream that had to be unchanged. Decide again on the new state.
    #[error("{stream} is no longer at version {version}")]
    Changed {
        /// The stream.
        stream: StreamId,
        /// The expected version.
        version: Version,
    },
    /// The command id was used before. It can never be used again.
    #[error("the command was committed before")]
    Repeated {
        /// The effect of the command.
        record: Box<CommandRecord>,
    },
    /// The key is reserved for another stream. Or a stream gives up a key as if it were not reserved for it
    /// ([`KeyChange::Forgo`](super::KeyChange::Forgo)), but it is.
    #[error("{key} is reserved by {holder}")]
    Reserved {
        /// The key.
        key: ReservedKey,
        /// The stream that the key is reserved for.
        holder: StreamId,
    },
    /// The stream releases a key that is not reserved for it.
    #[error("{key} is not reserved by {stream}")]
    NotReserved {
        /// The key.
        key: ReservedKey,
        /// The stream that releases the key.
        stream: StreamId,
        /// The revision of the claims for which the reservations of the stream's category are complete; `None` if they
        /// are incomplete. See [`Reservations::read_record`](super::Reservations::read_record).
        complete: Option<u32>,
    },
    /// Another transaction is using the same items at this moment. This implies nothing about any version: try again.
    #[error("another transaction is using the same streams")]
    Busy,
    /// The commit is larger than the store accepts.
    #[error("the commit has {bytes} bytes, and at most {limit} are safe to store")]
    TooLarge {
        /// The size of the commit.
        bytes: usize,
        /// The largest accepted size.
        limit: usize,
    },
    /// An event of the commit is larger than the bus behind the store accepts.
    #[error("an event of the commit has {bytes} bytes, and at most {limit} can be published")]
    EventTooLarge {
        /// The size of its content.
        bytes: usize,
        /// The largest accepted size.
        limit: usize,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
