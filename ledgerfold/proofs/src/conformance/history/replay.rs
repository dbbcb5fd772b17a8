use std::{collections::VecDeque, fmt::Debug, sync::Arc};

use ledgerfold::{
    Claim, CommandId, StreamId, UniqueKey, Version,
    command::{CommandHandler, Loaded},
    ports::{CommitPage, EventReader, EventStore, Span, Transaction},
    vocabulary::{Commit, NewCommit, StreamVersion},
};

use super::{Draft, ModelStore, NAMES, Step, alone};
use crate::conformance::{
    event_store::{Store, View, asked, draft},
    requests::{OftenSnapshotted, commit, fresh, fresh_address, write},
};
use ledgerfold_testkit::bank::{Accounts, Plain, email};
use ledgerfold_testkit::{ManualClock, SeededRandom};

/// The texts of notes, long enough that a snapshot is due soon.
const NOTES: [&str; 3] = ["a note of some length", "another one", "and a third one, longer"];

/// A running history: the store, the model and the names that both use.
struct Run<'a> {
    store: &'a Store,
    model: Arc<ModelStore>,
    streams: Vec<StreamId>,
    keys: Vec<UniqueKey>,
    ids: Vec<CommandId>,
    /// The writes so far, newest first.
    sent: VecDeque<Transaction>,
    /// Handlers with a cache over the store and over the model, with the same randomness.
    warm: [CommandHandler<Accounts<OftenSnapshotted>>; 2],
    /// The number of drafted commits. Each draft has its own command id.
    drafted: usize,
}

/// Runs a history on the store and on the model, in new streams.
///
/// # Panics
/// If an answer differs, or the stored data at the end.
pub async fn replay(history: &[Step], store: &Store) {
    let mut run = Run::new(store);
    for (at, step) in history.iter().enumerate() {
        run.step(at, step).await;
    }
    run.compare_all().await;
}

impl<'a> Run<'a> {
    fn new(store: &'a Store) -> Self {
        let model = Arc::<ModelStore>::default();
        let id = |_| CommandId::new(fresh().id().as_str()).expect("an id is visible ASCII");
        Self {
            store,
            streams: (0..NAMES).map(|_| fresh()).collect(),
            keys: (0..NAMES).map(|_| email(&fresh_address())).collect(),
            ids: (0..NAMES).map(id).collect(),
            sent: VecDeque::new(),
            warm: [store.clone(), model.clone()].map(|store| handler(store, 1_000_000, 0)),
            drafted: 0,
            model,
        }
    }

    async fn step(&mut self, at: usize, step: &Step) {
        match step {
            Step::Append(draft) => {
                let new = self.draft(draft).await;
                let outcomes = (self.store.append(&new).await, self.model.append(&new).await);
                assert_alike(step, outcomes);
                self.sent.push_front(alone(&new));
            }
            Step::Again(ago) => {
                if let Some(transaction) = self.sent.get(*ago).cloned() {
                    self.transact(step, transaction).await;
                }
            }
            Step::Transact { .. } => {
                if let Some(transaction) = self.transaction(step).await {
                    self.transact(step, transaction).await;
                }
            }
            Step::Command { stream, attempt, notes, warm } => {
                let request =
                    write(&self.streams[*stream], &format!("attempt-{attempt}"), &NOTES[..*notes]);
                let [one, other] = if *warm {
                    self.warm.clone()
                } else {
                    [self.store.clone(), self.model.clone()].map(|store| handler(store, 0, at + 1))
                };
                assert_alike(step, (one.handle(&request).await, other.handle(&request).await));
            }
            Step::Read { .. } | Step::ReadBack { .. } => self.read(step).await,
        }
    }

    async fn transact(&mut self, step: &Step, transaction: Transaction) {
        let outcomes =
            (self.store.transact(&transaction).await, self.model.transact(&transaction).await);
        assert_alike(step, outcomes);
        self.sent.push_front(transaction);
    }

    /// Compares a page. The store's page may be shorter than the model's, but must be its beginning, and must report
    /// that there is more.
    async fn read(&self, step: &Step) {
        let (found, expected) = match step {
            Step::Read { stream, behind } => {
                let stream = &self.streams[*stream];
                let commits = self.model.lock().of(stream);
                let after = behind.checked_sub(1).and_then(|at| commits.get(at).or(commits.last()));
                let after = after.map_or(Version::NONE, Commit::to);
                (self.store.read(stream, after).await, self.model.read(stream, after).await)
            }
            Step::ReadBack { stream, after, before, limit } => {
                let stream = &self.streams[*stream];
                let after = Version::new(*after);
                let span = Span { after, before: before.map(Version::new) };
                let found = self.store.read_back(stream, span, *limit).await;
                (found, self.model.read_back(stream, span, *limit).await)
            }
            _ => return,
        };
        let found = found.expect("the page can be read");
        let expected = expected.expect("the model never fails");
        assert_begins(step, &found, &expected);
    }

    /// Compares all streams, and then the holders of keys and command ids by trying to use each of them.
    async fn compare_all(&mut self) {
        for stream in 0..NAMES {
            let mut behind = 0;
            let all = self.model.lock().of(&self.streams[stream]).len();
            while behind < all {
                self.read(&Step::Read { stream, behind }).await;
                behind += 1;
            }
            self.read(&Step::Read { stream, behind }).await;
            self.read(&Step::ReadBack { stream, after: 0, before: None, limit: usize::MAX }).await;
        }
        let claimant = fresh();
        for name in 0..NAMES {
            let claim = Claim::Reserve(self.keys[name].clone());
            for (claims, once) in
                [(vec![(claimant.clone(), claim)], None), (vec![], Some(self.ids[name].clone()))]
            {
                let new = self.on(&claimant, 0, |head| commit(head, "last", &["note"], 60)).await;
                let once = once.as_ref().map(asked);
                let last = Transaction::new(vec![new], Vec::new(), claims, once);
                self.transact(&Step::Again(0), last.expect("one commit is valid")).await;
            }
        }
    }

    /// Calls `make` with a loaded stream that lacks the newest commits.
    async fn on<T>(
        &self,
        stream: &StreamId,
        missed: usize,
        make: impl FnOnce(&Loaded<Accounts<Plain>>) -> T,
    ) -> T {
        let view = View::of(self.known(stream, missed));
        let mut loaded = Loaded::unread(stream.clone());
        let nobody = CommandId::new("nobody").expect("visible ASCII");
        loaded.read_on(&view, &nobody).await.expect("the model has no gaps");
        make(&loaded)
    }

    fn known(&self, stream: &StreamId, missed: usize) -> Vec<Commit> {
        let mut commits = self.model.lock().of(stream);
        commits.truncate(commits.len().saturating_sub(missed));
        commits
    }

    async fn draft(&mut self, wanted: &Draft) -> NewCommit {
        self.drafted += 1;
        let attempt = format!("draft-{}", self.drafted);
        let notes = &NOTES[..wanted.notes];
        let stream = &self.streams[wanted.stream];
        if wanted.snapshot {
            let commits = self.known(stream, wanted.missed);
            draft::<Accounts<OftenSnapshotted>>(commits, &write(stream, &attempt, notes)).await
        } else {
            self.on(stream, wanted.missed, |head| commit(head, &attempt, notes, 60)).await
        }
    }

    async fn transaction(&mut self, step: &Step) -> Option<Transaction> {
        let Step::Transact { drafts, watched, claims, once } = step else { return None };
        let mut commits = Vec::new();
        for draft in drafts {
            commits.push(self.draft(draft).await);
        }
        let mut unchanged: Vec<StreamVersion> = Vec::new();
        for (stream, missed) in watched {
            unchanged.push(self.on(&self.streams[*stream], *missed, Loaded::stream_version).await);
        }
        let claims = claims.iter().map(|(stream, takes, key)| {
            let key = self.keys[*key].clone();
            let claim = if *takes { Claim::Reserve(key) } else { Claim::Release(key) };
            (self.streams[*stream].clone(), claim)
        });
        let once = once.map(|id| asked(&self.ids[id]));
        Transaction::new(commits, unchanged, claims, once).ok()
    }
}

fn handler(
    store: Store,
    remembered: usize,
    seed: usize,
) -> CommandHandler<Accounts<OftenSnapshotted>> {
    let seed = u64::try_from(seed).expect("a small number");
    let clock = Arc::<ManualClock>::default();
    let random = Arc::new(SeededRandom::new(seed));
    CommandHandler::with_cache(remembered, store, clock, random)
}

/// Compares the debug output, because errors cannot be compared directly.
fn assert_alike<T: Debug>(step: &Step, (found, expected): (T, T)) {
    assert_eq!(format!("{found:#?}"), format!("{expected:#?}"), "after {step:?}");
}

fn assert_begins(step: &Step, found: &CommitPage, expected: &CommitPage) {
    let shorter = found.commits.len() < expected.commits.len();
    let begins = expected.commits.starts_with(&found.commits);
    let reports_more = found.more || !(shorter || expected.more);
    let advances = !found.commits.is_empty() || expected.commits.is_empty();
    assert!(begins && reports_more && advances, "{step:?}: {found:#?}, expected {expected:#?}");
}
