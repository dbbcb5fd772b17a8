//! The log of the development server: a log in memory, and its commits in the order of their appends.

use std::sync::Arc;

use crate::journal::Journal;
use async_trait::async_trait;
use ledgerfold::{
    ports::{AppendError, EventStore, Transaction},
    vocabulary::{Commit, NewCommit},
};
use ledgerfold_memory::{Amended, Amendment, MemoryEventStore};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The new commits of the log.
pub(crate) type Commits = UnboundedReceiver<Commit>;

/// Passes on every new commit, as a table's change stream does.
///
/// The channel has no limit: the log itself keeps every commit in memory, and a process appends while it receives.
pub(crate) struct ChangeStream {
    commits: UnboundedSender<Commit>,
    /// The file that keeps the log, if there is one.
    journal: Option<Arc<Journal>>,
}

/// This log, and its new commits.
pub(crate) fn observed(
    log: Arc<MemoryEventStore>,
    journal: Option<Arc<Journal>>,
) -> (Arc<Amended<ChangeStream>>, Commits) {
    let (sender, commits) = unbounded_channel();
    (Amended::of(log, ChangeStream { commits: sender, journal }), commits)
}

impl ChangeStream {
    fn pass_on(&self, new: &NewCommit) {
        // Without a receiver the server is ending.
        let _ = self.commits.send(new.as_commit().clone());
    }
}

#[async_trait]
impl Amendment for ChangeStream {
    async fn append(&self, log: &dyn EventStore, new: &NewCommit) -> Result<(), AppendError> {
        log.append(new).await?;
        if let Some(journal) = &self.journal {
            journal.append(new);
        }
        self.pass_on(new);
        Ok(())
    }

    async fn transact(
        &self,
        log: &dyn EventStore,
        transaction: &Transaction,
    ) -> Result<(), AppendError> {
        log.transact(transaction).await?;
        if let Some(journal) = &self.journal {
            journal.transact(transaction);
        }
        transaction.commits().iter().for_each(|new| self.pass_on(new));
        Ok(())
    }
}
