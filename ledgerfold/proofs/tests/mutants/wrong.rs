use async_trait::async_trait;
use ledgerfold::{
    CommandId, StreamId, Version,
    ports::{
        AppendError, CommandRecord, CommitPage, EventReader, EventStore, Newest, Span, StoreError,
        Transaction,
    },
    vocabulary::{Commit, NewCommit, StateSchema},
};
use ledgerfold_proofs::conformance::history::{ModelStore, alone};

pub(crate) type Read = Result<CommitPage, StoreError>;
pub(crate) type Write = Result<(), AppendError>;

/// A defect of a store. All calls without their own implementation behave like the model.
#[async_trait]
pub(crate) trait Defect: Default + Send + Sync + 'static {
    async fn read(&self, log: &ModelStore, stream: &StreamId, after: Version) -> Read {
        log.read(stream, after).await
    }

    async fn read_back(
        &self,
        log: &ModelStore,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Read {
        log.read_back(stream, span, commits).await
    }

    /// The result of a load from this page.
    fn newest(&self, page: CommitPage, schema: &StateSchema) -> Newest {
        Newest::of(page, schema)
    }

    /// The head of a stream with this newest commit.
    fn head(&self, newest: &Commit) -> Version {
        newest.to()
    }

    /// By default an append is a transaction of one commit.
    async fn append(&self, log: &ModelStore, new: &NewCommit) -> Write {
        self.transact(log, &alone(new)).await
    }

    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        log.transact(transaction).await
    }

    /// The returned form of a commit, in a page or as a winner.
    fn show(&self, commit: Commit) -> Commit {
        commit
    }
}

/// A store with a defect.
#[derive(Default)]
pub(crate) struct Wrong<D> {
    log: ModelStore,
    defect: D,
}

impl<D: Defect> Wrong<D> {
    fn page(&self, page: Read) -> Read {
        let CommitPage { commits, more } = page?;
        Ok(CommitPage {
            commits: commits.into_iter().map(|it| self.defect.show(it)).collect(),
            more,
        })
    }

    fn outcome(&self, outcome: Write) -> Write {
        outcome.map_err(|error| match error {
            AppendError::Conflict { winner } => {
                AppendError::Conflict { winner: Box::new(self.defect.show(*winner)) }
            }
            other => other,
        })
    }
}

#[async_trait]
impl<D: Defect> EventReader for Wrong<D> {
    async fn read(&self, stream: &StreamId, after: Version) -> Read {
        self.page(self.defect.read(&self.log, stream, after).await)
    }

    async fn read_back(&self, stream: &StreamId, span: Span, commits: usize) -> Read {
        self.page(self.defect.read_back(&self.log, stream, span, commits).await)
    }

    async fn read_back_to(
        &self,
        schema: &StateSchema,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<Newest, StoreError> {
        let page = self.read_back(stream, span, commits).await?;
        Ok(self.defect.newest(page, schema))
    }

    async fn head(&self, stream: &StreamId) -> Result<Version, StoreError> {
        let newest = self.read_back(stream, Span::ALL, 1).await?;
        Ok(newest.commits.first().map_or(Version::NONE, |newest| self.defect.head(newest)))
    }
}

#[async_trait]
impl<D: Defect> EventStore for Wrong<D> {
    async fn append(&self, new: &NewCommit) -> Write {
        self.outcome(self.defect.append(&self.log, new).await)
    }

    async fn transact(&self, transaction: &Transaction) -> Write {
        self.outcome(self.defect.transact(&self.log, transaction).await)
    }

    async fn record(&self, command: &CommandId) -> Result<Option<CommandRecord>, StoreError> {
        self.log.record(command).await
    }
}

/// Whether two streams differ at most in their tenants.
pub(crate) fn are_twins(one: &StreamId, other: &StreamId) -> bool {
    one.category() == other.category() && one.id() == other.id()
}

/// A store without a defect. It must not fail any rule.
#[derive(Default)]
pub(crate) struct Nothing;

impl Defect for Nothing {}

/// A commit with some events of another, from this version on.
pub(crate) fn part(commit: &Commit, from: Version, events: std::ops::Range<usize>) -> Commit {
    let events: Vec<_> =
        commit.events().map(|(_, event)| event.clone()).collect::<Vec<_>>()[events].to_vec();
    restored(commit, from, events)
}

/// The same commit with other events.
pub(crate) fn restored(
    commit: &Commit,
    from: Version,
    events: Vec<ledgerfold::vocabulary::CommitEvent>,
) -> Commit {
    let to = from.advance(events.len().saturating_sub(1));
    let (stream, command) = (commit.stream().clone(), commit.command().clone());
    Commit::restore(stream, (from, to), events, command, commit.metadata().clone(), commit.hash())
        .expect("the number of events matches the versions")
        .with_snapshot(commit.snapshot().cloned())
}

/// The same commit with other metadata.
pub(crate) fn stamped(
    commit: &Commit,
    command: ledgerfold::vocabulary::CommandStamp,
    metadata: ledgerfold::vocabulary::Metadata,
) -> Commit {
    let events = commit.events().map(|(_, event)| event.clone()).collect();
    let versions = (commit.from(), commit.to());
    Commit::restore(commit.stream().clone(), versions, events, command, metadata, commit.hash())
        .expect("the number of events matches the versions")
        .with_snapshot(commit.snapshot().cloned())
}
