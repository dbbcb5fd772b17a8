//! A log that counts the requests to it.

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use ledgerfold::{
    CommandId, StreamId, Version,
    ports::{
        AppendError, CommandRecord, CommitPage, EventReader, EventStore, Span, StoreError,
        Transaction,
    },
    vocabulary::{Commit, NewCommit},
};
use ledgerfold_memory::MemoryEventStore;

/// A log in memory, with a list of the requests to it, such as `read account`. Handlers share the list, hence the mutex.
#[derive(Debug, Default)]
pub struct CountedLog {
    /// The log.
    pub log: Arc<MemoryEventStore>,
    requests: Mutex<Vec<String>>,
}

impl CountedLog {
    /// The requests during some work, with its result.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> (Vec<String>, T) {
        self.requests().clear();
        let outcome = work.await;
        (std::mem::take(&mut *self.requests()), outcome)
    }

    fn requests(&self) -> MutexGuard<'_, Vec<String>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count<'a>(&self, request: &str, streams: impl IntoIterator<Item = &'a StreamId>) {
        let categories = streams.into_iter().map(|stream| format!(" {}", stream.category()));
        self.requests().push(format!("{request}{}", categories.collect::<String>()));
    }
}

#[async_trait]
impl EventReader for CountedLog {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError> {
        self.count("read", [stream]);
        self.log.read(stream, after).await
    }

    async fn read_back(
        &self,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        self.count("read", [stream]);
        self.log.read_back(stream, span, commits).await
    }
}

#[async_trait]
impl EventStore for CountedLog {
    async fn append(&self, commit: &NewCommit) -> Result<(), AppendError> {
        self.count("append", [commit.as_commit().stream()]);
        self.log.append(commit).await
    }

    async fn transact(&self, transaction: &Transaction) -> Result<(), AppendError> {
        let commits = transaction.commits().iter().map(NewCommit::as_commit);
        self.count("transaction", commits.map(Commit::stream));
        self.log.transact(transaction).await
    }

    async fn record(&self, command: &CommandId) -> Result<Option<CommandRecord>, StoreError> {
        self.count("record", []);
        self.log.record(command).await
    }
}
