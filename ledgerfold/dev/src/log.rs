//! The log of the development server: a log in memory, and its commits in the order of their appends.

use std::sync::Arc;

use async_trait::async_trait;
use ledgerfold::{
    CommandId, StreamId, Version,
    ports::{
        AppendError, CommandRecord, CommitPage, EventReader, EventStore, StoreError, Transaction,
    },
    vocabulary::{Commit, NewCommit},
};
use ledgerfold_memory::MemoryEventStore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The commits behind an [`Observed`] log.
pub(crate) type Commits = UnboundedReceiver<Commit>;

/// A log in memory that passes on every new commit, as a table's change stream does.
pub(crate) struct Observed {
    log: MemoryEventStore,
    /// Without a limit: the log itself keeps every commit in memory, and a process appends while it receives.
    observer: UnboundedSender<Commit>,
}

impl Observed {
    pub(crate) fn new() -> (Arc<Self>, Commits) {
        let (observer, commits) = unbounded_channel();
        (Arc::new(Self { log: MemoryEventStore::default(), observer }), commits)
    }

    fn pass_on(&self, new: &NewCommit) {
        // Without a receiver the server is ending.
        let _ = self.observer.send(new.as_commit().clone());
    }
}

#[async_trait]
impl EventReader for Observed {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError> {
        self.log.read(stream, after).await
    }

    async fn read_back(
        &self,
        stream: &StreamId,
        before: Option<Version>,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        self.log.read_back(stream, before, commits).await
    }
}

#[async_trait]
impl EventStore for Observed {
    async fn append(&self, new: &NewCommit) -> Result<(), AppendError> {
        self.log.append(new).await?;
        self.pass_on(new);
        Ok(())
    }

    async fn transact(&self, transaction: &Transaction) -> Result<(), AppendError> {
        self.log.transact(transaction).await?;
        transaction.commits().iter().for_each(|new| self.pass_on(new));
        Ok(())
    }

    async fn record(&self, command: &CommandId) -> Result<Option<CommandRecord>, StoreError> {
        self.log.record(command).await
    }
}
