use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use ledgerfold::{
    Category, CommandId, ReservedKey, StreamId, Version,
    ports::{
        AppendError, ClaimsRecord, CommandRecord, CommitPage, EventReader, EventStore, KeyChange,
        MAX_TRANSACTION_BYTES, Page, PortError, Resume, Segment, Span, StoreError, Streams,
        StreamsError, Transaction,
    },
    vocabulary::{Commit, DamagedToken, NewCommit, StreamVersion},
};

/// The limit of the DynamoDB adapter.
const MAX_COMMIT_BYTES: usize = 300 * 1024;

/// A log in memory, with a configurable page size.
#[derive(Debug)]
pub struct MemoryEventStore {
    /// A mutex, so that every call is atomic. Only the methods of the ports and `overwrite` change it.
    stored: Mutex<Stored>,
    page: usize,
    /// How many of the next appends lose their answer. Atomic, because a test sets it while commands run.
    lost_answers: AtomicUsize,
    /// The number of reads. Atomic, because reads run concurrently.
    reads: AtomicUsize,
}

#[derive(Debug, Default)]
pub(super) struct Stored {
    commits: BTreeMap<(StreamId, Version), Commit>,
    pub(super) holders: BTreeMap<ReservedKey, StreamId>,
    /// The build record of the reservations, by category.
    pub(super) records: BTreeMap<Category, ClaimsRecord>,
    /// The records of strict commands.
    commands: BTreeMap<CommandId, CommandRecord>,
}

impl Default for MemoryEventStore {
    fn default() -> Self {
        Self::with_pages_of(1_000)
    }
}

impl MemoryEventStore {
    /// An empty log whose reads return at most this many commits.
    pub fn with_pages_of(commits: usize) -> Self {
        Self {
            stored: Mutex::default(),
            page: commits,
            lost_answers: AtomicUsize::new(0),
            reads: AtomicUsize::new(0),
        }
    }

    /// Makes the next appends lose their answer: they take effect, but return that the store is unavailable.
    pub fn lose_answers(&self, appends: usize) {
        self.lost_answers.store(appends, Ordering::SeqCst);
    }

    /// The number of reads so far.
    pub fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    /// All commits, by stream and version.
    pub fn commits(&self) -> Vec<Commit> {
        self.lock().commits.values().cloned().collect()
    }

    /// The holder of a unique key.
    pub fn holder(&self, key: &ReservedKey) -> Option<StreamId> {
        self.lock().holders.get(key).cloned()
    }

    /// Stores a commit without a condition, even over another one. Use it to restore a log, or to damage it on purpose.
    pub fn overwrite(&self, commit: &Commit) {
        self.lock().store(commit);
    }

    /// Sets the holder of a unique key, or frees it, without a condition. Use it to restore a log.
    pub fn restore_key(&self, key: ReservedKey, holder: Option<StreamId>) {
        let mut stored = self.lock();
        match holder {
            Some(stream) => stored.holders.insert(key, stream),
            None => stored.holders.remove(&key),
        };
    }

    /// Stores the record of a strict command. Use it to restore a log.
    pub fn restore_record(&self, command: CommandId, record: CommandRecord) {
        self.lock().commands.insert(command, record);
    }

    pub(super) const fn page_size(&self) -> usize {
        self.page
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Stored> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn page<'a>(&self, mut commits: impl Iterator<Item = &'a Commit>, limit: usize) -> CommitPage {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let page = commits.by_ref().take(self.page.min(limit)).cloned().collect();
        CommitPage { commits: page, more: commits.next().is_some() }.bounded()
    }

    /// The answer of a write that took effect, which may be lost.
    fn answer(&self) -> Result<(), AppendError> {
        let lost = self
            .lost_answers
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        match lost {
            Ok(_) => {
                Err(StoreError::Port(PortError::Unavailable("the answer was lost".into())).into())
            }
            Err(_) => Ok(()),
        }
    }
}

#[async_trait]
impl EventReader for MemoryEventStore {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError> {
        let stored = self.lock();
        let following = stored
            .commits
            .range((stream.clone(), after.next())..)
            .take_while(|((of, _), _)| of == stream)
            .map(|(_, commit)| commit);
        Ok(self.page(following, usize::MAX))
    }

    async fn read_back(
        &self,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        let stored = self.lock();
        let end = span.before.unwrap_or(Version::new(u64::MAX)).max(span.after.next());
        let preceding = stored
            .commits
            .range((stream.clone(), span.after.next())..(stream.clone(), end))
            .rev()
            .map(|(_, commit)| commit);
        Ok(self.page(preceding, commits))
    }
}

#[async_trait]
impl EventStore for MemoryEventStore {
    async fn append(&self, new: &NewCommit) -> Result<(), AppendError> {
        let mut stored = self.lock();
        stored.check_commit(new.as_commit())?;
        stored.store(new.as_commit());
        self.answer()
    }

    async fn transact(&self, transaction: &Transaction) -> Result<(), AppendError> {
        let mut stored = self.lock();
        stored.check(transaction)?;
        for new in transaction.commits() {
            stored.store(new.as_commit());
        }
        if let Some((strict, record)) = transaction.strict().zip(transaction.record()) {
            stored.commands.insert(strict.id.clone(), record);
        }
        for (key, change) in transaction.claims() {
            stored.change_key(key, change);
        }
        self.answer()
    }

    async fn record(&self, command: &CommandId) -> Result<Option<CommandRecord>, StoreError> {
        Ok(self.lock().commands.get(command).cloned())
    }
}

/// Lists streams in the order of their names. The segment of a stream is derived from the bytes of its name.
#[async_trait]
impl Streams for MemoryEventStore {
    async fn list(
        &self,
        segment: Segment,
        from: Option<&Resume>,
    ) -> Result<Page<StreamId>, StreamsError> {
        let resumed = from.map(|Resume(text)| text.parse::<StreamId>().map_err(|_| DamagedToken));
        let resumed = resumed.transpose()?;
        let stored = self.lock();
        let part = |stream: &StreamId| {
            stream.to_string().bytes().map(u32::from).sum::<u32>() % segment.of()
        };
        let mut streams = stored
            .commits
            .keys()
            .filter(|(_, version)| *version == Version::new(1))
            .map(|(stream, _)| stream)
            .filter(|stream| resumed.as_ref().is_none_or(|resumed| *stream > resumed))
            .filter(|stream| part(stream) == segment.index());
        let page: Vec<_> = streams.by_ref().take(self.page).cloned().collect();
        let more = streams.next().is_some();
        let next = page.last().filter(|_| more).map(|last| Resume(last.to_string()));
        Ok(Page { items: page, next })
    }
}

impl Stored {
    fn check(&self, transaction: &Transaction) -> Result<(), AppendError> {
        let commits = || transaction.commits().iter().map(NewCommit::as_commit);
        let bytes = commits().map(Commit::payload_bytes).sum();
        let limit = MAX_TRANSACTION_BYTES;
        if bytes > limit {
            return Err(AppendError::TooLarge { bytes, limit });
        }
        commits().try_for_each(|commit| self.check_commit(commit))?;
        for seen in transaction.unchanged() {
            if self.has_moved(seen) {
                let stream = seen.stream().clone();
                return Err(AppendError::Changed { stream, version: seen.version() });
            }
        }
        if let Some(record) = transaction.strict().and_then(|strict| self.commands.get(&strict.id))
        {
            return Err(AppendError::Repeated { record: Box::new(record.clone()) });
        }
        // A conflict on a reserved key is reported before a key that cannot be released, in any order of the keys.
        let (taken, given): (Vec<_>, Vec<_>) = transaction
            .claims()
            .iter()
            .partition(|(_, change)| matches!(change, KeyChange::Reserve(_)));
        taken.into_iter().chain(given).try_for_each(|(key, change)| self.check_key(key, change))
    }

    pub(super) fn has_moved(&self, seen: &StreamVersion) -> bool {
        self.commits.contains_key(&(seen.stream().clone(), seen.version().next()))
    }

    fn check_commit(&self, commit: &Commit) -> Result<(), AppendError> {
        let bytes = commit.payload_bytes();
        if bytes > MAX_COMMIT_BYTES {
            return Err(AppendError::TooLarge { bytes, limit: MAX_COMMIT_BYTES });
        }
        match self.commits.get(&(commit.stream().clone(), commit.from())) {
            Some(winner) => Err(AppendError::Conflict { winner: Box::new(winner.clone()) }),
            None => Ok(()),
        }
    }

    pub(super) fn check_key(
        &self,
        key: &ReservedKey,
        change: &KeyChange,
    ) -> Result<(), AppendError> {
        match (change, self.holders.get(key)) {
            (KeyChange::Forgo(stream), Some(holder)) if holder == stream => {
                Err(AppendError::Reserved { key: key.clone(), holder: holder.clone() })
            }
            (KeyChange::Reserve(_), Some(holder)) => {
                Err(AppendError::Reserved { key: key.clone(), holder: holder.clone() })
            }
            (KeyChange::Release(stream) | KeyChange::Pass { from: stream, .. }, holder)
                if holder != Some(stream) =>
            {
                let complete = self.records.get(stream.category()).and_then(ClaimsRecord::complete);
                Err(AppendError::NotReserved { key: key.clone(), stream: stream.clone(), complete })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn change_key(&mut self, key: &ReservedKey, change: &KeyChange) {
        match change {
            KeyChange::Forgo(_) => None,
            KeyChange::Release(_) => self.holders.remove(key),
            KeyChange::Reserve(to) | KeyChange::Pass { to, .. } => {
                self.holders.insert(key.clone(), to.clone())
            }
        };
    }

    fn store(&mut self, commit: &Commit) {
        self.commits.insert((commit.stream().clone(), commit.from()), commit.clone());
    }
}
