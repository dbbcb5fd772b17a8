//! The log, as it is when the network is bad.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use ledgerfold::{
    Commit, NewCommit, Payload, RecentCommands, Snapshot, StreamId, Version,
    ports::{AppendError, EventStore, Page, StoreError, Transaction},
};

use super::{Clockwork, Plant, world::Weather};
use crate::{MemoryEventStore, conformance::account::Account};

/// How many commits one read brings: few, so that loads page.
const PAGE: usize = 3;

pub(super) struct SimulatedLog {
    clockwork: Clockwork,
    weather: Arc<Weather>,
    plant: Plant,
    kept: MemoryEventStore,
    /// What the change stream has not taken yet.
    changes: Mutex<Vec<Commit>>,
}

impl SimulatedLog {
    pub(super) fn new(clockwork: Clockwork, weather: Arc<Weather>, plant: Plant) -> Self {
        let (kept, changes) = (MemoryEventStore::with_pages_of(PAGE), Mutex::default());
        Self { clockwork, weather, plant, kept, changes }
    }

    pub(super) fn commits(&self) -> Vec<Commit> {
        self.kept.commits()
    }

    pub(super) fn take_changes(&self) -> Vec<Commit> {
        std::mem::take(&mut *self.changes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, commits: impl IntoIterator<Item = Commit>) {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).extend(commits);
    }

    async fn reading(&self) -> Result<(), StoreError> {
        self.clockwork.turn().await;
        if self.weather.strikes() {
            return Err(StoreError::Throttled);
        }
        Ok(())
    }

    /// What a write meets before it takes effect.
    async fn writing(&self) -> Result<(), AppendError> {
        self.clockwork.turn().await;
        if !self.weather.strikes() {
            return Ok(());
        }
        Err(match self.clockwork.below(3) {
            0 => AppendError::Busy,
            1 => StoreError::Throttled.into(),
            _ => StoreError::Unavailable("the request was lost".into()).into(),
        })
    }

    /// What a write answers that took effect, or did not.
    async fn written(&self, outcome: Result<(), AppendError>) -> Result<(), AppendError> {
        self.clockwork.turn().await;
        if self.weather.strikes() {
            return Err(StoreError::Unavailable("the answer was lost".into()).into());
        }
        match outcome {
            Err(AppendError::Conflict { .. }) if self.plant == Plant::ConflictIsSuccess => Ok(()),
            other => other,
        }
    }

    fn spoil(&self, commit: Commit) -> Commit {
        let Some(snapshot) = commit.snapshot().cloned() else { return commit };
        let snapshot = match self.plant {
            Plant::WindowLost => Snapshot { recent: RecentCommands::default(), ..snapshot },
            Plant::SnapshotSkewed => match without_owner(&snapshot.state) {
                Some(state) => Snapshot { state, ..snapshot },
                None => snapshot,
            },
            _ => snapshot,
        };
        commit.with_snapshot(Some(snapshot))
    }
}

/// An account's state as it was before anything had happened to its owner.
fn without_owner(state: &Payload) -> Option<Payload> {
    let account: Account = state.decode().ok()?;
    Payload::encode(&Account { email: None, ..account }).ok()
}

#[async_trait]
impl EventStore for SimulatedLog {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<Page, StoreError> {
        self.reading().await?;
        let page = self.kept.read(stream, after).await;
        self.clockwork.turn().await;
        page
    }

    async fn read_back(
        &self,
        stream: &StreamId,
        before: Option<Version>,
        commits: usize,
    ) -> Result<Page, StoreError> {
        self.reading().await?;
        let Page { commits, more } = self.kept.read_back(stream, before, commits).await?;
        self.clockwork.turn().await;
        Ok(Page { commits: commits.into_iter().map(|commit| self.spoil(commit)).collect(), more })
    }

    async fn append(&self, new: &NewCommit) -> Result<(), AppendError> {
        self.writing().await?;
        let outcome = self.kept.append(new).await;
        if outcome.is_ok() {
            self.note([new.as_commit().clone()]);
        }
        self.written(outcome).await
    }

    async fn transact(&self, transaction: &Transaction) -> Result<(), AppendError> {
        self.writing().await?;
        let (commits, unchanged) = (transaction.commits(), transaction.unchanged());
        let careless = Transaction::new(commits.to_vec(), unchanged.to_vec(), [], None);
        let outcome = match careless {
            Ok(careless) if self.plant == Plant::NothingReserved => {
                self.kept.transact(&careless).await
            }
            _ => self.kept.transact(transaction).await,
        };
        if outcome.is_ok() {
            self.note(commits.iter().map(|new| new.as_commit().clone()));
        }
        self.written(outcome).await
    }
}

/// A log that shows nothing: for a projector that trusts the bus.
pub(super) struct Deaf;

#[async_trait]
impl EventStore for Deaf {
    async fn read(&self, _: &StreamId, _: Version) -> Result<Page, StoreError> {
        Ok(Page::default())
    }

    async fn read_back(
        &self,
        _: &StreamId,
        _: Option<Version>,
        _: usize,
    ) -> Result<Page, StoreError> {
        Ok(Page::default())
    }

    async fn append(&self, _: &NewCommit) -> Result<(), AppendError> {
        Err(AppendError::Busy)
    }

    async fn transact(&self, _: &Transaction) -> Result<(), AppendError> {
        Err(AppendError::Busy)
    }
}
