use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use ledgerfold::{
    Category, Claim, CommandId, ReservedKey, StreamId, Version,
    ports::{
        AppendError, ClaimsRecord, CommandRecord, CommitPage, EventReader, EventStore, KeyChange,
        MAX_TRANSACTION_BYTES, Span, StoreError, Transaction,
    },
    vocabulary::{Commit, NewCommit, StreamVersion},
};

/// The largest content of a commit, in bytes.
pub const LIMIT: usize = 300 * 1024;

/// A log in its simplest form: a list that is searched from its start. Histories compare stores with it, and the
/// mutants use its methods to build faulty stores.
#[derive(Debug, Default)]
pub struct Model {
    /// All commits, in the order in which they took effect.
    pub commits: Vec<Commit>,
    /// The holders of the unique keys.
    pub holders: BTreeMap<ReservedKey, StreamId>,
    /// The records of strict commands.
    pub commands: BTreeMap<CommandId, CommandRecord>,
    /// The build record of the reservations, by category.
    pub records: BTreeMap<Category, ClaimsRecord>,
}

impl Model {
    /// The commits of a stream, oldest first.
    pub fn of(&self, stream: &StreamId) -> Vec<Commit> {
        let mut commits: Vec<_> =
            self.commits.iter().filter(|commit| commit.stream() == stream).cloned().collect();
        commits.sort_by_key(Commit::from);
        commits
    }

    /// The commit of a stream that begins at this version.
    pub fn at(&self, stream: &StreamId, from: Version) -> Option<&Commit> {
        self.commits.iter().find(|commit| commit.stream() == stream && commit.from() == from)
    }

    /// The first reason to refuse a transaction, in the order that the port requires.
    pub fn objection(&self, transaction: &Transaction) -> Option<AppendError> {
        let commits = || transaction.commits().iter().map(NewCommit::as_commit);
        too_large(commits())
            .or_else(|| commits().find_map(|commit| self.conflict(commit)))
            .or_else(|| self.changed(transaction))
            .or_else(|| self.repeated(transaction))
            .or_else(|| self.reserved(transaction))
            .or_else(|| self.not_reserved(transaction))
    }

    /// A conflict, if the commit's version is taken.
    pub fn conflict(&self, commit: &Commit) -> Option<AppendError> {
        let winner = self.at(commit.stream(), commit.from())?;
        Some(AppendError::Conflict { winner: Box::new(winner.clone()) })
    }

    /// Whether a stream has a newer version.
    pub fn has_moved(&self, seen: &StreamVersion) -> bool {
        self.at(seen.stream(), seen.version().next()).is_some()
    }

    /// An error for the first condition stream with a newer version.
    pub fn changed(&self, transaction: &Transaction) -> Option<AppendError> {
        let seen = transaction.unchanged().iter().find(|seen| self.has_moved(seen))?;
        Some(AppendError::Changed { stream: seen.stream().clone(), version: seen.version() })
    }

    /// An error with the record of the strict command, if it was committed before.
    pub fn repeated(&self, transaction: &Transaction) -> Option<AppendError> {
        let record = self.commands.get(&transaction.strict()?.id)?;
        Some(AppendError::Repeated { record: Box::new(record.clone()) })
    }

    /// An error for the first key that should be reserved, but already is.
    pub fn reserved(&self, transaction: &Transaction) -> Option<AppendError> {
        let taken = |change: &KeyChange| matches!(change, KeyChange::Reserve(_));
        let mut taken = transaction.claims().iter().filter(|(_, change)| taken(change));
        taken.find_map(|(key, change)| self.key_objection(key, change))
    }

    /// An error for the first key that its stream cannot release, pass on or forgo.
    pub fn not_reserved(&self, transaction: &Transaction) -> Option<AppendError> {
        let given = |change: &KeyChange| !matches!(change, KeyChange::Reserve(_));
        let mut given = transaction.claims().iter().filter(|(_, change)| given(change));
        given.find_map(|(key, change)| self.key_objection(key, change))
    }

    /// The reason to refuse a change of one key.
    pub fn key_objection(&self, key: &ReservedKey, change: &KeyChange) -> Option<AppendError> {
        let holder = self.holders.get(key);
        let key = key.clone();
        match change {
            KeyChange::Reserve(_) => Some(AppendError::Reserved { key, holder: holder?.clone() }),
            KeyChange::Forgo(stream) if holder == Some(stream) => {
                Some(AppendError::Reserved { key, holder: stream.clone() })
            }
            KeyChange::Release(stream) | KeyChange::Pass { from: stream, .. }
                if holder != Some(stream) =>
            {
                let record = self.records.get(stream.category());
                let complete = record.and_then(ClaimsRecord::complete);
                Some(AppendError::NotReserved { key, stream: stream.clone(), complete })
            }
            _ => None,
        }
    }

    /// Applies a transaction without a check.
    pub fn apply(&mut self, transaction: &Transaction) {
        self.commits.extend(transaction.commits().iter().map(|new| new.as_commit().clone()));
        if let Some((strict, record)) = transaction.strict().zip(transaction.record()) {
            self.commands.insert(strict.id.clone(), record);
        }
        self.apply_claims(transaction);
    }

    /// Applies the key changes of a transaction.
    pub fn apply_claims(&mut self, transaction: &Transaction) {
        for (key, change) in transaction.claims() {
            self.apply_change(key, change);
        }
    }

    /// Applies a change of one key.
    pub fn apply_change(&mut self, key: &ReservedKey, change: &KeyChange) {
        match change {
            KeyChange::Forgo(_) => None,
            KeyChange::Release(_) => self.holders.remove(key),
            KeyChange::Reserve(to) | KeyChange::Pass { to, .. } => {
                self.holders.insert(key.clone(), to.clone())
            }
        };
    }
}

fn too_large<'a>(commits: impl Iterator<Item = &'a Commit> + Clone) -> Option<AppendError> {
    let largest = commits.clone().map(Commit::payload_bytes).max().unwrap_or_default();
    let sum = commits.map(Commit::payload_bytes).sum();
    let bounds = [(largest, LIMIT), (sum, MAX_TRANSACTION_BYTES)];
    let (bytes, limit) = bounds.into_iter().find(|(bytes, limit)| bytes > limit)?;
    Some(AppendError::TooLarge { bytes, limit })
}

/// The claims from which a transaction was made. A key that passes to another stream was two claims.
pub fn claims_of(transaction: &Transaction) -> Vec<(StreamId, Claim)> {
    let claims = transaction.claims().iter().flat_map(|(key, change)| match change.clone() {
        KeyChange::Reserve(to) => vec![(to, Claim::Reserve(key.key.clone()))],
        KeyChange::Release(from) | KeyChange::Forgo(from) => {
            vec![(from, Claim::Release(key.key.clone()))]
        }
        KeyChange::Pass { from, to } => {
            vec![(from, Claim::Release(key.key.clone())), (to, Claim::Reserve(key.key.clone()))]
        }
    });
    claims.collect()
}

/// The model as a store. Its pages end only at the size limit. A mutex, so that every call is atomic.
#[derive(Debug, Default)]
pub struct ModelStore(Mutex<Model>);

impl ModelStore {
    /// The model itself.
    pub fn lock(&self) -> MutexGuard<'_, Model> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl EventReader for ModelStore {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError> {
        let mut commits = self.lock().of(stream);
        commits.retain(|commit| commit.from() > after);
        Ok(CommitPage { commits, more: false }.bounded())
    }

    async fn read_back(
        &self,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        let mut found = self.lock().of(stream);
        found.retain(|commit| span.contains(commit.from()));
        found.reverse();
        let more = found.len() > commits;
        found.truncate(commits);
        Ok(CommitPage { commits: found, more }.bounded())
    }
}

#[async_trait]
impl EventStore for ModelStore {
    async fn append(&self, new: &NewCommit) -> Result<(), AppendError> {
        self.transact(&alone(new)).await
    }

    async fn transact(&self, transaction: &Transaction) -> Result<(), AppendError> {
        let mut model = self.lock();
        match model.objection(transaction) {
            Some(objection) => Err(objection),
            None => {
                model.apply(transaction);
                Ok(())
            }
        }
    }

    async fn record(&self, command: &CommandId) -> Result<Option<CommandRecord>, StoreError> {
        Ok(self.lock().commands.get(command).cloned())
    }
}

/// The transaction of a single commit.
pub fn alone(new: &NewCommit) -> Transaction {
    Transaction::new(vec![new.clone()], Vec::new(), [], None).expect("one commit is a transaction")
}
