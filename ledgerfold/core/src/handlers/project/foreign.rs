//! The log of another context, as a projection reads it.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    StreamId, Version,
    ports::{CommitPage, EventReader, Span, StoreError},
    vocabulary::Source,
};

/// Another context's log. It has only the streams of the source, and its envelopes open to the public form of their
/// events. Hidden events keep their versions, so they are not gaps.
struct ForeignLog {
    log: Arc<dyn EventReader>,
    source: Source,
}

/// The log of another context, as a model of this source reads it.
pub(crate) fn foreign_log(log: Arc<dyn EventReader>, source: Source) -> Arc<dyn EventReader> {
    Arc::new(ForeignLog { log, source })
}

impl ForeignLog {
    fn has(&self, stream: &StreamId) -> bool {
        stream.category() == self.source.category()
    }

    fn translated(&self, mut page: CommitPage) -> CommitPage {
        if let Some(form) = self.source.form() {
            page.commits = page.commits.into_iter().map(|commit| commit.read_as(form)).collect();
        }
        page
    }
}

#[async_trait]
impl EventReader for ForeignLog {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError> {
        if !self.has(stream) {
            return Ok(CommitPage::default());
        }
        Ok(self.translated(self.log.read(stream, after).await?))
    }

    async fn read_back(
        &self,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        if !self.has(stream) {
            return Ok(CommitPage::default());
        }
        Ok(self.translated(self.log.read_back(stream, span, commits).await?))
    }
}
