//! The log, with network faults and concurrent transactions. Its planted defects belong to `defects`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use ledgerfold::{
    CommandId, StreamId, UniqueKey, Version,
    ports::{
        AppendError, Clock, CommandRecord, CommitPage, EventReader, EventStore, Page, PortError,
        Resume, Segment, Span, StoreError, Streams, StreamsError, Transaction,
    },
    vocabulary::{Commit, NewCommit},
};

use crate::{
    domain::{history::History, observations::Observations},
    infrastructure::{change_stream::ChangeStream, defects},
    network::{
        faults::Faults,
        in_flight::{Hold, InFlight},
        scheduler::Scheduler,
    },
    plan::plant::Plant,
};
use ledgerfold_testkit::MemoryEventStore;

/// The log of a schedule: a [`MemoryEventStore`] behind a network, with transactions that take time.
pub(crate) struct SimulatedLog {
    pub(crate) scheduler: Scheduler,
    pub(crate) faults: Faults,
    pub(crate) observations: Arc<Observations>,
    pub(crate) plant: Plant,
    /// The true content of the log. Only the port's methods write it, and planted faults.
    pub(crate) inner: MemoryEventStore,
    /// Fixed for the whole schedule.
    limits: LogLimits,
    /// The items of running transactions. Writes that meet one of them are refused.
    in_flight: InFlight<Item>,
    /// The order of all effects, for the checker. A mutex, because effects are recorded behind a shared reference; only
    /// `note` writes it.
    history: Mutex<History>,
    /// Gets each commit once it is in the log.
    changes: Arc<ChangeStream>,
}

/// The limits of the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogLimits {
    /// The most commits or streams of one page.
    pub(crate) page: usize,
    /// How many bytes the events of a commit may have.
    pub(crate) commit_bytes: usize,
}

/// An item that a transaction touches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Item {
    Commit(StreamId, Version),
    Command(CommandId),
    Key(UniqueKey),
}

impl Item {
    fn of(commit: &Commit) -> Self {
        Self::Commit(commit.stream().clone(), commit.from())
    }

    fn all(transaction: &Transaction) -> Vec<Self> {
        let commits = transaction.commits().iter().map(|new| Self::of(new.as_commit()));
        let watched = transaction
            .unchanged()
            .iter()
            .map(|seen| Self::Commit(seen.stream().clone(), seen.version().next()));
        let once = transaction.strict().map(|strict| Self::Command(strict.id.clone()));
        let keys = transaction.claims().keys().cloned().map(Self::Key);
        commits.chain(watched).chain(once).chain(keys).collect()
    }
}

impl SimulatedLog {
    pub(crate) fn new(
        (scheduler, faults, observations): (Scheduler, Faults, Arc<Observations>),
        plant: Plant,
        limits: LogLimits,
        changes: Arc<ChangeStream>,
    ) -> Self {
        let inner = MemoryEventStore::with_pages_of(limits.page);
        let in_flight = InFlight::default();
        let history = Mutex::default();
        Self { scheduler, faults, observations, plant, inner, limits, in_flight, history, changes }
    }

    pub(crate) fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records effects, and passes them to the change stream.
    pub(crate) fn note(&self, commits: Vec<Commit>) {
        for commit in &commits {
            self.changes.insert(commit.clone());
        }
        self.observations.count(|report| {
            report.commits += commits.len();
            report.joint_commits += usize::from(commits.len() > 1);
        });
        self.history().record(self.scheduler.now(), commits);
    }

    async fn reading(&self) -> Result<(), StoreError> {
        self.faults.delay().await;
        if !self.faults.fails() {
            return Ok(());
        }
        Err(match self.scheduler.below(2) {
            0 => StoreError::Port(PortError::Throttled),
            _ => StoreError::Port(PortError::Unavailable("the request was lost".into())),
        })
    }

    /// The faults that a write may meet before it takes effect.
    async fn writing<'a>(
        &self,
        commits: impl IntoIterator<Item = &'a NewCommit>,
    ) -> Result<(), AppendError> {
        for new in commits {
            let bytes = new.as_commit().payload_bytes();
            let limit = self.limits.commit_bytes;
            if bytes > limit {
                return Err(AppendError::TooLarge { bytes, limit });
            }
        }
        self.faults.delay().await;
        if !self.faults.fails() {
            return Ok(());
        }
        Err(match self.scheduler.below(3) {
            // A transaction from outside this schedule.
            0 => self.busy(),
            1 => StoreError::Port(PortError::Throttled).into(),
            _ => StoreError::Port(PortError::Unavailable("the request was lost".into())).into(),
        })
    }

    fn busy(&self) -> AppendError {
        self.observations.count(|report| report.conflicts += 1);
        AppendError::Busy
    }

    fn hold(&self, items: Vec<Item>) -> Result<Hold<Item>, AppendError> {
        self.in_flight.hold(items).ok_or_else(|| self.busy())
    }

    /// The answer of a write, with or without effect.
    async fn written(&self, outcome: Result<(), AppendError>) -> Result<(), AppendError> {
        self.faults.delay().await;
        if self.faults.fails() {
            return Err(
                StoreError::Port(PortError::Unavailable("the answer was lost".into())).into()
            );
        }
        defects::answer(self.plant, outcome)
    }

    async fn append_now(&self, new: &NewCommit) -> Result<(), AppendError> {
        self.writing([new]).await?;
        drop(self.hold(vec![Item::of(new.as_commit())])?);
        let outcome = match self.inner.append(new).await {
            Err(AppendError::Conflict { .. }) if self.plant == Plant::PutWithoutCondition => {
                self.inner.overwrite(new.as_commit());
                Ok(())
            }
            outcome => outcome,
        };
        if outcome.is_ok() {
            self.note(vec![new.as_commit().clone()]);
        }
        outcome
    }

    /// The planted fault `TransactionTorn`: one commit after the other.
    async fn append_one_by_one(&self, transaction: &Transaction) -> Result<(), AppendError> {
        for new in transaction.commits() {
            self.scheduler.turn().await;
            self.inner.append(new).await?;
            self.note(vec![new.as_commit().clone()]);
        }
        Ok(())
    }

    async fn transact_now(&self, transaction: &Transaction) -> Result<(), AppendError> {
        self.writing(transaction.commits()).await?;
        let hold = self.hold(Item::all(transaction))?;
        self.faults.delay().await;
        if self.plant == Plant::TransactionTorn && transaction.commits().len() > 1 {
            drop(hold);
            return self.append_one_by_one(transaction).await;
        }
        let outcome = match defects::lax(self.plant, transaction) {
            Some(lax) => self.inner.transact(&lax).await,
            None => self.inner.transact(transaction).await,
        };
        if outcome.is_ok() {
            self.note(transaction.commits().iter().map(|new| new.as_commit().clone()).collect());
        }
        outcome
    }
}

/// Like DynamoDB: a read that reaches its limit reports that there may be more.
fn page(page: CommitPage, limit: usize) -> CommitPage {
    let full = page.commits.len() >= limit;
    CommitPage { more: page.more || full, ..page }
}

#[async_trait]
impl EventReader for SimulatedLog {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError> {
        self.reading().await?;
        let found = page(self.inner.read(stream, after).await?, self.limits.page);
        self.faults.delay().await;
        Ok(match self.plant {
            Plant::StaleReads if self.scheduler.chance(50) => defects::stale(found),
            _ => found,
        })
    }

    async fn read_back(
        &self,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        self.reading().await?;
        let limit = commits.min(self.limits.page);
        let CommitPage { commits, more } =
            page(self.inner.read_back(stream, span, commits).await?, limit);
        self.faults.delay().await;
        let spoil = |commit| defects::spoil(self.plant, commit);
        Ok(CommitPage { commits: commits.into_iter().map(spoil).collect(), more })
    }
}

#[async_trait]
impl EventStore for SimulatedLog {
    async fn append(&self, new: &NewCommit) -> Result<(), AppendError> {
        let outcome = self.append_now(new).await;
        self.written(outcome).await
    }

    async fn transact(&self, transaction: &Transaction) -> Result<(), AppendError> {
        let outcome = self.transact_now(transaction).await;
        self.written(outcome).await
    }

    async fn record(&self, command: &CommandId) -> Result<Option<CommandRecord>, StoreError> {
        self.reading().await?;
        let found = self.inner.record(command).await?;
        self.faults.delay().await;
        Ok(found)
    }
}

#[async_trait]
impl Streams for SimulatedLog {
    async fn list(
        &self,
        segment: Segment,
        from: Option<&Resume>,
    ) -> Result<Page<StreamId>, StreamsError> {
        self.reading().await?;
        let page = self.inner.list(segment, from).await?;
        self.faults.delay().await;
        Ok(page)
    }
}
