//! The log, with network faults and concurrent transactions. It knows no domain: effects go to an observer, and planted
//! defects come from outside.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use ledgerfold::{
    CommandId, ReservedKey, StreamId, Version,
    ports::{
        AppendError, Clock, CommandRecord, CommitPage, EventReader, EventStore, Page, PortError,
        Resume, Segment, Span, StoreError, Streams, StreamsError, Transaction,
    },
    vocabulary::{Commit, NewCommit},
};

use crate::network::{
    faults::Faults,
    in_flight::{Hold, InFlight},
    scheduler::Scheduler,
};
use ledgerfold_testkit::MemoryEventStore;

/// The log of a schedule: a [`MemoryEventStore`] behind a network, with transactions that take time.
pub struct SimulatedLog<E: Effects> {
    scheduler: Scheduler,
    faults: Faults,
    /// Gets each effect. It may have state of its own.
    effects: E,
    /// Fixed for the whole schedule. Shared, because one value may plant defects in several parts.
    defects: Arc<dyn LogDefects>,
    /// The true content of the log. Only the port's methods write it, and planted faults.
    inner: MemoryEventStore,
    /// Fixed for the whole schedule.
    limits: LogLimits,
    /// The items of running transactions. Writes that meet one of them are refused.
    in_flight: InFlight<Item>,
}

/// Observes the effects on a log, in their true order. No task runs between an effect and its observation.
pub trait Effects: Send + Sync + 'static {
    /// A commit, or all commits of a transaction, took effect at this time.
    fn committed(&self, at: Timestamp, commits: &[Commit]);

    /// A write was refused, because it met a running transaction.
    fn was_busy(&self) {}
}

/// The defects of a log that are planted on purpose, to prove that a checker finds them. Each method is sound unless it is
/// overridden.
pub trait LogDefects: Send + Sync + 'static {
    /// Whether a commit replaces another one, as a Put without a condition does.
    fn overwrites(&self) -> bool {
        false
    }

    /// Whether transactions are applied commit by commit.
    fn tears_transactions(&self) -> bool {
        false
    }

    /// The transaction that is applied in place of this one.
    fn weaken(&self, _transaction: &Transaction) -> Option<Transaction> {
        None
    }

    /// The answer to a write with this outcome.
    fn answer(&self, outcome: Result<(), AppendError>) -> Result<(), AppendError> {
        outcome
    }

    /// The page that a reader gets in place of this one. It may draw from the scheduler.
    fn read(&self, _scheduler: &Scheduler, page: CommitPage) -> CommitPage {
        page
    }

    /// The commit that a reader of the newest commits gets in place of this one.
    fn read_back(&self, commit: Commit) -> Commit {
        commit
    }
}

/// A log without planted defects.
struct Sound;

impl LogDefects for Sound {}

/// The limits of the log.
#[derive(Clone, Copy, Debug)]
pub struct LogLimits {
    /// The most commits or streams of one page.
    pub page: usize,
    /// How many bytes the events of a commit may have.
    pub commit_bytes: usize,
}

/// An item that a transaction touches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Commit(StreamId, Version),
    Command(CommandId),
    Key(ReservedKey),
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

impl<E: Effects> SimulatedLog<E> {
    /// An empty log without planted defects.
    pub fn new(scheduler: &Scheduler, faults: &Faults, limits: LogLimits, effects: E) -> Self {
        Self {
            scheduler: scheduler.clone(),
            faults: faults.clone(),
            effects,
            defects: Arc::new(Sound),
            inner: MemoryEventStore::with_pages_of(limits.page),
            limits,
            in_flight: InFlight::default(),
        }
    }

    /// The same log with planted defects.
    #[must_use]
    pub fn with_defects(self, defects: impl LogDefects) -> Self {
        Self { defects: Arc::new(defects), ..self }
    }

    /// The observer of its effects.
    pub const fn effects(&self) -> &E {
        &self.effects
    }

    /// All commits, by stream and version.
    pub fn commits(&self) -> Vec<Commit> {
        self.inner.commits()
    }

    fn took_effect(&self, commits: &[Commit]) {
        self.effects.committed(self.scheduler.now(), commits);
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
        self.effects.was_busy();
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
        self.defects.answer(outcome)
    }

    async fn append_now(&self, new: &NewCommit) -> Result<(), AppendError> {
        self.writing([new]).await?;
        drop(self.hold(vec![Item::of(new.as_commit())])?);
        let outcome = match self.inner.append(new).await {
            Err(AppendError::Conflict { .. }) if self.defects.overwrites() => {
                self.inner.overwrite(new.as_commit());
                Ok(())
            }
            outcome => outcome,
        };
        if outcome.is_ok() {
            self.took_effect(&[new.as_commit().clone()]);
        }
        outcome
    }

    /// A planted defect: one commit after the other.
    async fn append_one_by_one(&self, transaction: &Transaction) -> Result<(), AppendError> {
        for new in transaction.commits() {
            self.scheduler.turn().await;
            self.inner.append(new).await?;
            self.took_effect(&[new.as_commit().clone()]);
        }
        Ok(())
    }

    async fn transact_now(&self, transaction: &Transaction) -> Result<(), AppendError> {
        self.writing(transaction.commits()).await?;
        let hold = self.hold(Item::all(transaction))?;
        self.faults.delay().await;
        if self.defects.tears_transactions() && transaction.commits().len() > 1 {
            drop(hold);
            return self.append_one_by_one(transaction).await;
        }
        let outcome = match self.defects.weaken(transaction) {
            Some(weak) => self.inner.transact(&weak).await,
            None => self.inner.transact(transaction).await,
        };
        if outcome.is_ok() {
            let commits = transaction.commits().iter().map(|new| new.as_commit().clone());
            self.took_effect(&commits.collect::<Vec<_>>());
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
impl<E: Effects> EventReader for SimulatedLog<E> {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError> {
        self.reading().await?;
        let found = page(self.inner.read(stream, after).await?, self.limits.page);
        self.faults.delay().await;
        Ok(self.defects.read(&self.scheduler, found))
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
        let read_back = |commit| self.defects.read_back(commit);
        Ok(CommitPage { commits: commits.into_iter().map(read_back).collect(), more })
    }
}

#[async_trait]
impl<E: Effects> EventStore for SimulatedLog<E> {
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
impl<E: Effects> Streams for SimulatedLog<E> {
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
