use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::{
    StreamId, Version,
    ports::{CommitPage, EventReader, Span, StoreError},
};

/// A cache of the first page of one stream, for models that are compared one after the other. Most streams have only
/// one page.
pub(super) struct FirstPage<'a> {
    stream: &'a StreamId,
    log: &'a dyn EventReader,
    /// The page, once it was read. A mutex, because readers share the cache and the first one fills it.
    page: Mutex<Option<CommitPage>>,
}

impl<'a> FirstPage<'a> {
    pub(super) fn of(stream: &'a StreamId, log: &'a dyn EventReader) -> Self {
        Self { stream, log, page: Mutex::default() }
    }

    fn cached(&self) -> Option<CommitPage> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl EventReader for FirstPage<'_> {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError> {
        if stream != self.stream || after != Version::NONE {
            return self.log.read(stream, after).await;
        }
        if let Some(page) = self.cached() {
            return Ok(page);
        }
        let page = self.log.read(stream, after).await?;
        *self.page.lock().unwrap_or_else(PoisonError::into_inner) = Some(page.clone());
        Ok(page)
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
