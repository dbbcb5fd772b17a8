use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;

use crate::{
    StreamId, Version,
    ports::{CommitPage, EventReader, Span, StoreError},
    project::Extent,
};

/// The limit of the pages that a spot check reads.
#[derive(Debug)]
pub(super) struct PageBudget {
    /// The most pages of one stream.
    of_stream: usize,
    /// How many pages may still be read, in addition to the first page of each stream. Atomic, because streams are
    /// compared concurrently.
    further: AtomicUsize,
}

impl PageBudget {
    pub(super) const fn new(of_stream: usize, further: usize) -> Self {
        Self { of_stream, further: AtomicUsize::new(further) }
    }

    /// Whether a stream may get one more page than this many.
    fn grants(&self, pages: usize) -> bool {
        let take = |left: usize| left.checked_sub(1);
        pages < self.of_stream
            && self.further.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_ok()
    }
}

/// The first pages of one stream, for models that are compared one after the other.
pub(super) struct Pages<'a> {
    stream: &'a StreamId,
    log: &'a dyn EventReader,
    /// The pages, by the version after which they begin.
    pages: BTreeMap<Version, CommitPage>,
    extent: Extent,
}

impl<'a> Pages<'a> {
    /// Reads the whole stream within the budget; without a budget, only its first page, because memory is bounded.
    pub(super) async fn read(
        stream: &'a StreamId,
        log: &'a dyn EventReader,
        budget: Option<&PageBudget>,
    ) -> Self {
        let mut pages = BTreeMap::new();
        let mut after = Version::NONE;
        let mut extent = Extent::Whole;
        // A page that cannot be read is not cached. The comparison of each model reports the failure.
        while let Ok(page) = log.read(stream, after).await {
            let next = page.commits.last().filter(|_| page.more).map(|last| last.to());
            pages.insert(after, page);
            let (Some(next), Some(budget)) = (next, budget) else { break };
            if !budget.grants(pages.len()) {
                extent = Extent::End;
                break;
            }
            after = next;
        }
        Self { stream, log, pages, extent }
    }

    /// The part of the stream that can be compared within the budget.
    pub(super) const fn extent(&self) -> Extent {
        self.extent
    }
}

#[async_trait]
impl EventReader for Pages<'_> {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError> {
        match self.pages.get(&after).filter(|_| stream == self.stream) {
            Some(page) => Ok(page.clone()),
            None => self.log.read(stream, after).await,
        }
    }

    async fn read_back(
        &self,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        self.log.read_back(stream, span, commits).await
    }
}
