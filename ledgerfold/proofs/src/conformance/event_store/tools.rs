use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use async_trait::async_trait;
use ledgerfold::{
    Claim, CommandId, Decider, StreamId, Version,
    command::{CommandHandler, CommandRequest, Loaded},
    ports::{
        AppendError, CommandRecord, CommitPage, EventReader, EventStore, PortError, Span,
        StoreError, StrictCommand, Transaction,
    },
    vocabulary::{Commit, Fingerprint, NewCommit, StreamVersion},
};
use uuid::Uuid;

use super::Store;
use crate::conformance::requests::{OftenSnapshotted, commit, write};
use ledgerfold_testkit::bank::{Accounts, Plain};
use ledgerfold_testkit::{Amended, Amendment, ManualClock, SeededRandom};

/// A new command id. Ids of strict commands must be new, because they are recognised for ever.
pub(in crate::conformance) fn fresh_command() -> CommandId {
    CommandId::new(Uuid::new_v4().to_string()).expect("a UUID is visible ASCII")
}

/// Loads the stream.
pub(in crate::conformance) async fn load(
    store: &Store,
    stream: &StreamId,
) -> Loaded<Accounts<Plain>> {
    let mut loaded = Loaded::unread(stream.clone());
    let nobody = CommandId::new("nobody").expect("visible ASCII");
    loaded.read_on(&**store, &nobody).await.expect("the stream can be read");
    loaded
}

/// The commit of these notes at the end of the stream.
pub(in crate::conformance) async fn next(
    store: &Store,
    stream: &StreamId,
    attempt: &str,
    notes: &[&str],
) -> NewCommit {
    commit(&load(store, stream).await, attempt, notes, 60)
}

/// Appends notes at the end of the stream.
pub(in crate::conformance) async fn append(
    store: &Store,
    stream: &StreamId,
    attempt: &str,
    notes: &[&str],
) -> Commit {
    let new = next(store, stream, attempt, notes).await;
    store.append(&new).await.expect("nobody else writes to this stream");
    new.into_commit()
}

/// Appends notes through a domain with snapshots.
pub(super) async fn snapshotted(
    store: &Store,
    stream: &StreamId,
    attempt: &str,
    notes: &[&str],
) -> Commit {
    let commits = read_all(store, stream).await;
    let new = draft::<Accounts<OftenSnapshotted>>(commits, &write(stream, attempt, notes)).await;
    store.append(&new).await.expect("the version is free");
    new.into_commit()
}

/// Reads all commits, oldest first, and checks the pages of [`EventReader::read`].
pub(in crate::conformance) async fn read_all(store: &Store, stream: &StreamId) -> Vec<Commit> {
    let mut commits: Vec<Commit> = Vec::new();
    loop {
        let after = commits.last().map_or(Version::NONE, Commit::to);
        let page = store.read(stream, after).await.expect("the stream can be read");
        assert!(page.commits.iter().all(|it| it.from() > after), "a commit is not after {after}");
        assert!(!page.more || !page.commits.is_empty(), "an empty page is not the last one");
        commits.extend(page.commits);
        if !page.more {
            return commits;
        }
    }
}

/// Reads all commits, newest first, and checks the pages of [`EventReader::read_back`].
pub(in crate::conformance) async fn read_all_back(
    store: &Store,
    stream: &StreamId,
    limit: usize,
) -> Vec<Commit> {
    let mut commits: Vec<Commit> = Vec::new();
    loop {
        let before = commits.last().map(Commit::from);
        let span = Span { before, ..Span::ALL };
        let page = store.read_back(stream, span, limit).await.expect("the stream can be read");
        assert!(page.commits.len() <= limit, "{} commits for {limit}", page.commits.len());
        let earlier = |it: &Commit| before.is_none_or(|before| it.from() < before);
        assert!(page.commits.iter().all(earlier), "a commit is not before {before:?}");
        assert!(!page.more || !page.commits.is_empty(), "an empty page is not the last one");
        commits.extend(page.commits);
        if !page.more {
            return commits;
        }
    }
}

/// Compares commits by stream, versions and command only. [`content`](super::content) compares their content, so one
/// defect does not break all rules.
pub(in crate::conformance) fn assert_are<'f, 'e>(
    found: impl IntoIterator<Item = &'f Commit>,
    expected: impl IntoIterator<Item = &'e Commit>,
) {
    let name =
        |it: &Commit| format!("{} {}-{} by {}", it.stream(), it.from(), it.to(), it.command().id);
    let found: Vec<_> = found.into_iter().map(name).collect();
    let expected: Vec<_> = expected.into_iter().map(name).collect();
    assert_eq!(found, expected);
}

/// Asserts that a stream has exactly these commits, oldest first.
pub(in crate::conformance) async fn assert_holds<'a>(
    store: &Store,
    stream: &StreamId,
    expected: impl IntoIterator<Item = &'a Commit>,
) {
    assert_are(&read_all(store, stream).await, expected);
}

/// A transaction, which must not contain a stream or key twice.
pub(in crate::conformance) fn transaction(
    commits: impl IntoIterator<Item = NewCommit>,
    unchanged: impl IntoIterator<Item = StreamVersion>,
    claims: impl IntoIterator<Item = (StreamId, Claim)>,
    once: Option<&CommandId>,
) -> Transaction {
    let commits = commits.into_iter().collect();
    let unchanged = unchanged.into_iter().collect::<Vec<_>>();
    let once = once.map(asked);
    Transaction::new(commits, unchanged, claims, once).expect("nothing is in it twice")
}

/// The record request of a strict command with this id.
pub fn asked(command: &CommandId) -> StrictCommand {
    let fingerprint = Fingerprint::restore("1012345678901234567890");
    StrictCommand { id: command.clone(), fingerprint }
}

/// Runs a transaction. While others block it, retries up to a hundred times.
pub(in crate::conformance) async fn transact(
    store: &Store,
    transaction: &Transaction,
) -> Result<(), AppendError> {
    for _ in 0..100 {
        match store.transact(transaction).await {
            Err(AppendError::Busy) => tokio::task::yield_now().await,
            outcome => return outcome,
        }
    }
    Err(AppendError::Busy)
}

/// A handler with a cache of this many bytes, and its own clock.
pub(in crate::conformance) fn handler<D: Decider>(
    store: &Store,
    remembered: usize,
) -> CommandHandler<D> {
    let (clock, random) = world();
    CommandHandler::with_cache(remembered, store.clone(), clock, random)
}

/// A new clock and new randomness, so that every handler makes other event ids.
pub(in crate::conformance) fn world() -> (Arc<ManualClock>, Arc<SeededRandom>) {
    // Atomic, because tests run concurrently and every seed must be new.
    static SEED: AtomicU64 = AtomicU64::new(1);
    let seed = SEED.fetch_add(1, Ordering::Relaxed);
    (Arc::default(), Arc::new(SeededRandom::new(seed)))
}

/// The commit that a handler makes for a command on a stream with these commits. It includes a snapshot if one is due.
/// Only a handler can make snapshots, so tests that need one use this function.
///
/// # Panics
/// If the command is refused, or one of the commits is its own.
pub async fn draft<D: Decider>(
    commits: Vec<Commit>,
    request: &CommandRequest<D::Command>,
) -> NewCommit {
    let view = Arc::new(View::of(commits));
    let store: Store = view.clone();
    // The view refuses the append, so nothing is committed.
    let outcome = handler::<D>(&store, 0).handle(request).await;
    view.caught().unwrap_or_else(|| unreachable!("the handler appended nothing: {outcome:?}"))
}

/// A read-only log of some commits. It refuses appends, and keeps the last one for the test.
#[derive(Debug)]
pub struct View {
    commits: Vec<Commit>,
    /// The last refused append. A mutex, because a handler appends through a shared reference.
    caught: Mutex<Option<NewCommit>>,
}

impl View {
    /// A log of these commits, which must be oldest first. They may be of several streams.
    pub fn of(commits: Vec<Commit>) -> Self {
        Self { commits, caught: Mutex::default() }
    }

    /// The last refused append.
    pub fn caught(&self) -> Option<NewCommit> {
        self.caught.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn of_stream(&self, stream: &StreamId) -> impl DoubleEndedIterator<Item = &Commit> {
        self.commits.iter().filter(move |commit| commit.stream() == stream)
    }

    fn refuse(&self, new: &NewCommit) -> Result<(), AppendError> {
        *self.caught.lock().unwrap_or_else(PoisonError::into_inner) = Some(new.clone());
        Err(StoreError::Port(PortError::Refused("a view is read-only".into())).into())
    }
}

#[async_trait]
impl EventReader for View {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError> {
        let commits = self.of_stream(stream).filter(|it| it.from() > after).cloned().collect();
        Ok(CommitPage { commits, more: false })
    }

    async fn read_back(
        &self,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        let is_in_span = |it: &&Commit| span.contains(it.from());
        let mut found = self.of_stream(stream).rev().filter(is_in_span).cloned();
        let commits = found.by_ref().take(commits).collect();
        Ok(CommitPage { commits, more: found.next().is_some() })
    }
}

#[async_trait]
impl EventStore for View {
    async fn append(&self, new: &NewCommit) -> Result<(), AppendError> {
        self.refuse(new)
    }

    async fn transact(&self, transaction: &Transaction) -> Result<(), AppendError> {
        transaction.commits().first().map_or(Ok(()), |new| self.refuse(new))
    }

    async fn record(&self, _: &CommandId) -> Result<Option<CommandRecord>, StoreError> {
        Ok(None)
    }
}

/// An amendment by which the next writes take effect, but lose their answers.
///
/// Contains how many answers it still loses. Atomic, because commands run concurrently.
pub struct LosesAnswers(AtomicUsize);

impl LosesAnswers {
    /// The store with an amendment that loses this many answers.
    pub fn of(store: &Store, answers: usize) -> Store {
        Amended::of(store.clone(), Self(AtomicUsize::new(answers)))
    }

    fn pass(&self, outcome: Result<(), AppendError>) -> Result<(), AppendError> {
        outcome?;
        let lost =
            self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        match lost {
            Ok(_) => {
                Err(StoreError::Port(PortError::Unavailable("the answer was lost".into())).into())
            }
            Err(_) => Ok(()),
        }
    }
}

#[async_trait]
impl Amendment for LosesAnswers {
    async fn append(&self, log: &dyn EventStore, new: &NewCommit) -> Result<(), AppendError> {
        self.pass(log.append(new).await)
    }

    async fn transact(
        &self,
        log: &dyn EventStore,
        transaction: &Transaction,
    ) -> Result<(), AppendError> {
        self.pass(log.transact(transaction).await)
    }
}
