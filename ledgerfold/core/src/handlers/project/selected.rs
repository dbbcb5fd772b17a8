//! The log, as a projection reads it.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    StreamId, Version,
    ports::{CommitPage, EventReader, Span, StoreError},
    vocabulary::{Selection, Source},
};

/// A log with the selected streams only. The envelopes of another context's log open to the public form of their events.
/// Hidden events keep their versions, so they are not gaps.
struct SelectedLog {
    log: Arc<dyn EventReader>,
    selection: Selection,
}

/// This log, as a model with this selection reads it.
pub(crate) fn selected_log(
    log: Arc<dyn EventReader>,
    selection: Selection,
) -> Arc<dyn EventReader> {
    match selection {
        Selection::All => log,
        selection => Arc::new(SelectedLog { log, selection }),
    }
}

impl SelectedLog {
    fn translated(&self, mut page: CommitPage) -> CommitPage {
        if let Some(form) = self.selection.source().and_then(Source::form) {
            page.commits = page.commits.into_iter().map(|commit| commit.read_as(form)).collect();
        }
        page
    }
}

#[async_trait]
impl EventReader for SelectedLog {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError> {
        if !self.selection.has(stream) {
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
        if !self.selection.has(stream) {
            return Ok(CommitPage::default());
        }
        Ok(self.translated(self.log.read_back(stream, span, commits).await?))
    }
}
