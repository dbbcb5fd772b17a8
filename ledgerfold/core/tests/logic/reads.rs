//! A log that counts what is read from it.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use ledgerfold::{
    StreamId, Version,
    ports::{CommitPage, EventStore, Span, StoreError},
};
use ledgerfold_testkit::Amendment;

/// The reads of a log and the commits that they returned.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    reads: AtomicUsize,
    commits: AtomicUsize,
}

impl Counting {
    fn count(&self, page: CommitPage) -> CommitPage {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.commits.fetch_add(page.commits.len(), Ordering::SeqCst);
        page
    }

    /// The reads and commits since the last call.
    pub(crate) fn take(&self) -> (usize, usize) {
        (self.reads.swap(0, Ordering::SeqCst), self.commits.swap(0, Ordering::SeqCst))
    }
}

#[async_trait]
impl Amendment for Counting {
    async fn read(
        &self,
        log: &dyn EventStore,
        stream: &StreamId,
        after: Version,
    ) -> Result<CommitPage, StoreError> {
        Ok(self.count(log.read(stream, after).await?))
    }

    async fn read_back(
        &self,
        log: &dyn EventStore,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        Ok(self.count(log.read_back(stream, span, commits).await?))
    }
}
