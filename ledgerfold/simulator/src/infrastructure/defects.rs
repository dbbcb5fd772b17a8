//! Planted defects of stores: wrong answers and weakened conditions. Defects of functions stay with the functions.

use std::sync::Arc;

use async_trait::async_trait;
use ledgerfold::{
    Payload, StreamId, Version,
    ports::{
        AppendError, CommitPage, CopyIndex, EventStore, GenerationReader, GenerationStore,
        ReadStoreError, SegmentProgress, StoreError, Transaction, Written,
    },
    vocabulary::{Commit, Generations, RecentCommands, RecordCopy, Snapshot},
};

use crate::{
    infrastructure::{generations::SimulatedGenerations, log::LogDefects},
    network::scheduler::Scheduler,
    plan::plant::Plant,
};
use ledgerfold_testkit::Amendment;
use ledgerfold_testkit::bank::Account;

impl LogDefects for Plant {
    fn overwrites(&self) -> bool {
        *self == Self::PutWithoutCondition
    }

    fn tears_transactions(&self) -> bool {
        *self == Self::TransactionTorn
    }

    fn answer(&self, outcome: Result<(), AppendError>) -> Result<(), AppendError> {
        match (self, outcome) {
            (Self::ConflictIsSuccess, Err(AppendError::Conflict { .. }))
            | (Self::BusyIsSuccess, Err(AppendError::Busy)) => Ok(()),
            // The caller looks for the other commit, and finds none.
            (Self::BusyIsConflict, Err(AppendError::Busy)) => {
                let stream = "a stream".to_owned();
                let reason = "in conflict, and absent".to_owned();
                Err(StoreError::Corrupt { stream, reason }.into())
            }
            (_, outcome) => outcome,
        }
    }

    /// The transaction without a part that it needs.
    fn weaken(&self, transaction: &Transaction) -> Option<Transaction> {
        let commits = transaction.commits().to_vec();
        match self {
            Self::NothingReserved => {
                Transaction::new(commits, transaction.unchanged().to_vec(), [], None).ok()
            }
            Self::ReadsUnwatched if !transaction.unchanged().is_empty() => {
                // No transaction both watches streams and claims keys.
                Transaction::new(commits, Vec::new(), [], transaction.strict().cloned()).ok()
            }
            _ => None,
        }
    }

    /// A page from a replica that sometimes lags by one commit.
    fn read(&self, scheduler: &Scheduler, mut page: CommitPage) -> CommitPage {
        if *self == Self::StaleReads && scheduler.chance(50) {
            page.commits.pop();
            page.more = false;
        }
        page
    }

    /// A commit with a spoiled snapshot.
    fn read_back(&self, commit: Commit) -> Commit {
        let Some(snapshot) = commit.snapshot().cloned() else { return commit };
        let snapshot = match self {
            Self::WindowLost => Snapshot { recent: RecentCommands::default(), ..snapshot },
            Self::SnapshotSkewed => match without_owner(&snapshot.state) {
                Some(state) => Snapshot { state, ..snapshot },
                None => snapshot,
            },
            _ => snapshot,
        };
        commit.with_snapshot(Some(snapshot))
    }
}

/// An account's state without its owner.
fn without_owner(state: &Payload) -> Option<Payload> {
    let account: Account = state.decode().ok()?;
    Payload::encode(&Account { email: None, ..account }).ok()
}

/// A log that shows nothing: for a projector that trusts the bus.
pub(crate) struct EmptyLog;

#[async_trait]
impl Amendment for EmptyLog {
    async fn read(
        &self,
        _: &dyn EventStore,
        _: &StreamId,
        _: Version,
    ) -> Result<CommitPage, StoreError> {
        Ok(CommitPage::default())
    }
}

fn without_building(record: Generations) -> Generations {
    record.abandoned().unwrap_or(record)
}

/// A record of generations without a building one, for a projector that updates only the live generation.
pub(crate) struct WithoutBuilding(pub(crate) Arc<SimulatedGenerations>);

#[async_trait]
impl GenerationReader for WithoutBuilding {
    async fn read(&self, projection: &str) -> Result<Option<Generations>, ReadStoreError> {
        let record = self.0.read(projection).await?;
        Ok(record.map(without_building))
    }

    async fn read_copy(
        &self,
        projection: &str,
        copy: CopyIndex,
    ) -> Result<Option<RecordCopy>, ReadStoreError> {
        let copy = self.0.read_copy(projection, copy).await?;
        Ok(copy.map(|copy| match copy {
            RecordCopy::Current(record) => RecordCopy::Current(without_building(record)),
            RecordCopy::Marked(mark) => RecordCopy::Marked(mark),
        }))
    }
}

#[async_trait]
impl GenerationStore for WithoutBuilding {
    async fn write(&self, projection: &str, new: &Generations) -> Result<Written, ReadStoreError> {
        self.0.write(projection, new).await
    }

    /// A repair would write a record that this store has made up.
    async fn write_copy(
        &self,
        _: &str,
        _: CopyIndex,
        _: &RecordCopy,
    ) -> Result<Written, ReadStoreError> {
        Ok(Written::Superseded)
    }

    async fn progress(&self, of: &str, run: u64) -> Result<Vec<SegmentProgress>, ReadStoreError> {
        self.0.progress(of, run).await
    }

    async fn save(&self, of: &str, run: u64, at: &SegmentProgress) -> Result<(), ReadStoreError> {
        self.0.save(of, run, at).await
    }

    async fn forget(&self, projection: &str, run: u64) -> Result<(), ReadStoreError> {
        self.0.forget(projection, run).await
    }
}
