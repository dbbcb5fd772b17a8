use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::{
    StreamId, Version,
    ports::{CommitPage, EventReader, StoreError},
};

/// A log that reads the first page of one stream once, and shows it again to every reader that begins there: most
/// streams have no other page.
pub(super) struct FirstPage<'a> {
    stream: &'a StreamId,
    log: &'a dyn EventReader,
    page: Mutex<Option<CommitPage>>,
}

impl<'a> FirstPage<'a> {
    pub(super) fn of(stream: &'a StreamId, log: &'a dyn EventReader) -> Self {
        Self { stream, log, page: Mutex::default() }
    }

    fn read_before(&self) -> Option<CommitPage> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl EventReader for FirstPage<'_> {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError> {
        if stream != self.stream || after != Version::NONE {
            return self.log.read(stream, after).await;
        }
        if let Some(page) = self.read_before() {
            return Ok(page);
        }
        let page = self.log.read(stream, after).await?;
        *self.page.lock().unwrap_or_else(PoisonError::into_inner) = Some(page.clone());
        Ok(page)
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
