use std::sync::Arc;

use async_trait::async_trait;
use ledgerfold::{
    CommandId, StreamId, Version,
    ports::{
        AppendError, CommandRecord, CommitPage, EventReader, EventStore, Span, StoreError,
        Transaction,
    },
    vocabulary::NewCommit,
};

/// Changes to a log's behaviour. Calls without a change go to the log beneath.
///
/// Use it to observe a log, or for a test with a log that is slow, loses data, or loses an answer:
///
/// ```
/// use std::sync::Arc;
///
/// use async_trait::async_trait;
/// use ledgerfold::{ports::{AppendError, EventStore}, vocabulary::NewCommit};
/// use ledgerfold_memory::{Amended, Amendment, MemoryEventStore};
///
/// /// Refuses every append.
/// struct Busy;
///
/// #[async_trait]
/// impl Amendment for Busy {
///     async fn append(&self, _: &dyn EventStore, _: &NewCommit) -> Result<(), AppendError> {
///         Err(AppendError::Busy)
///     }
/// }
///
/// let log: Arc<dyn EventStore> = Amended::of(Arc::new(MemoryEventStore::default()), Busy);
/// ```
#[async_trait]
pub trait Amendment: Send + Sync + 'static {
    /// See [`EventReader::read`](ledgerfold::ports::EventReader::read).
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read(
        &self,
        log: &dyn EventStore,
        stream: &StreamId,
        after: Version,
    ) -> Result<CommitPage, StoreError> {
        log.read(stream, after).await
    }

    /// See [`EventReader::read_back`](ledgerfold::ports::EventReader::read_back).
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read_back(
        &self,
        log: &dyn EventStore,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        log.read_back(stream, span, commits).await
    }

    /// See [`EventStore::append`].
    ///
    /// # Errors
    /// [`AppendError`].
    async fn append(&self, log: &dyn EventStore, new: &NewCommit) -> Result<(), AppendError> {
        log.append(new).await
    }

    /// See [`EventStore::transact`].
    ///
    /// # Errors
    /// [`AppendError`].
    async fn transact(
        &self,
        log: &dyn EventStore,
        transaction: &Transaction,
    ) -> Result<(), AppendError> {
        log.transact(transaction).await
    }

    /// See [`EventStore::record`].
    ///
    /// # Errors
    /// [`StoreError`].
    async fn record(
        &self,
        log: &dyn EventStore,
        command: &CommandId,
    ) -> Result<Option<CommandRecord>, StoreError> {
        log.record(command).await
    }
}

/// A log with an [`Amendment`].
pub struct Amended<A> {
    log: Arc<dyn EventStore>,
    amendment: A,
}

impl<A: Amendment> Amended<A> {
    /// This log with the amendment.
    pub fn of(log: Arc<dyn EventStore>, amendment: A) -> Arc<Self> {
        Arc::new(Self { log, amendment })
    }

    /// The amendment, for example to read what it has recorded.
    pub const fn amendment(&self) -> &A {
        &self.amendment
    }
}

#[async_trait]
impl<A: Amendment> EventReader for Amended<A> {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError> {
        self.amendment.read(&*self.log, stream, after).await
    }

    async fn read_back(
        &self,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        self.amendment.read_back(&*self.log, stream, span, commits).await
    }
}

#[async_trait]
impl<A: Amendment> EventStore for Amended<A> {
    async fn append(&self, new: &NewCommit) -> Result<(), AppendError> {
        self.amendment.append(&*self.log, new).await
    }

    async fn transact(&self, transaction: &Transaction) -> Result<(), AppendError> {
        self.amendment.transact(&*self.log, transaction).await
    }

    async fn record(&self, command: &CommandId) -> Result<Option<CommandRecord>, StoreError> {
        self.amendment.record(&*self.log, command).await
    }
}
