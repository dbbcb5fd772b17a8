use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use ledgerfold::{
    Commit, NewCommit, StreamId, Version,
    ports::{AppendError, EventStore, Page, StoreError},
};

/// The bound that the log on DynamoDB has.
const MAX_COMMIT_BYTES: usize = 300 * 1024;

/// The log in memory, in pages as small as a test likes.
#[derive(Debug)]
pub struct MemoryEventStore {
    commits: Mutex<BTreeMap<(StreamId, Version), Commit>>,
    page: usize,
    lost_answers: AtomicUsize,
    reads: AtomicUsize,
}

impl Default for MemoryEventStore {
    fn default() -> Self {
        Self::with_pages_of(1_000)
    }
}

impl MemoryEventStore {
    /// An empty log whose reads bring at most this many commits.
    pub fn with_pages_of(commits: usize) -> Self {
        Self {
            commits: Mutex::default(),
            page: commits,
            lost_answers: AtomicUsize::new(0),
            reads: AtomicUsize::new(0),
        }
    }

    /// Lets the next appends take effect without saying so: they answer that the store is not
    /// available.
    pub fn lose_answers(&self, appends: usize) {
        self.lost_answers.store(appends, Ordering::SeqCst);
    }

    /// How many reads there were.
    pub fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    /// All commits, by stream and version.
    pub fn commits(&self) -> Vec<Commit> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(StreamId, Version), Commit>> {
        self.commits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl EventStore for MemoryEventStore {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<Page, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let commits = self.lock();
        let mut following = commits
            .range((stream.clone(), after.next())..)
            .take_while(|((of, _), _)| of == stream)
            .map(|(_, commit)| commit.clone());
        let page = following.by_ref().take(self.page).collect();
        Ok(Page { commits: page, more: following.next().is_some() })
    }

    async fn append(&self, new: &NewCommit) -> Result<(), AppendError> {
        let commit = new.as_commit().clone();
        let key = (commit.stream().clone(), commit.from());
        let bytes = commit.events().map(|(_, event)| event.data.as_str().len()).sum();
        if bytes > MAX_COMMIT_BYTES {
            return Err(AppendError::TooLarge { bytes, limit: MAX_COMMIT_BYTES });
        }
        let mut commits = self.lock();
        if let Some(winner) = commits.get(&key) {
            return Err(AppendError::Conflict { winner: Box::new(winner.clone()) });
        }
        commits.insert(key, commit);
        let lost = self
            .lost_answers
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        match lost {
            Ok(_) => Err(StoreError::Unavailable("the answer was lost".into()).into()),
            Err(_) => Ok(()),
        }
    }
}
