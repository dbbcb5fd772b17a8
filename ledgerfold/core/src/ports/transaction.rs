use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Claim, CommandId, StreamId, UniqueKey, Version,
    vocabulary::{CommitRef, Fingerprint, NewCommit, StreamVersion},
};

/// The most items that one transaction may touch.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
pub const MAX_TRANSACTION_ITEMS: usize = 100;

/// The most bytes that one transaction may write. DynamoDB takes 4 MB; the rest is room for keys and metadata.
pub const MAX_TRANSACTION_BYTES: usize = 4 * 1024 * 1024 - 128 * 1024;

/// Changes that take effect together or not at all: commits to several streams, conditions on other streams, unique
/// keys that are reserved and released.
#[derive(Clone, Debug)]
pub struct Transaction {
    commits: Vec<NewCommit>,
    unchanged: Vec<StreamVersion>,
    claims: BTreeMap<UniqueKey, KeyChange>,
    strict: Option<StrictCommand>,
}

/// A command that is to be recognised for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrictCommand {
    /// Its id.
    pub id: CommandId,
    /// A digest of the whole request.
    pub fingerprint: Fingerprint,
}

/// The effect of a strict command. It is stored under the command's id, in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRecord {
    /// A digest of the whole request.
    pub fingerprint: Fingerprint,
    /// Where its commits stand; none where nothing needed to change.
    pub commits: Vec<CommitRef>,
    /// The streams that it looked at and left as they were.
    pub unchanged: Vec<Unchanged>,
}

/// A stream that a command left as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unchanged {
    /// The stream.
    pub stream: StreamId,
    /// Its version then.
    pub version: Version,
}

impl From<&StreamVersion> for Unchanged {
    fn from(seen: &StreamVersion) -> Self {
        Self { stream: seen.stream().clone(), version: seen.version() }
    }
}

/// A change to a unique key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyChange {
    /// From free to this stream's.
    Reserve(StreamId),
    /// From this stream's to free.
    Release(StreamId),
    /// From one stream's to another's.
    Pass {
        /// Whose it is.
        from: StreamId,
        /// Whose it shall be.
        to: StreamId,
    },
    /// It stays as it is, and must not be this stream's: the stream gives up a key that was never
    /// reserved for it.
    Forgo(StreamId),
}

/// The reasons why changes cannot be one transaction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTransaction {
    /// There is nothing to commit.
    #[error("a transaction must commit something")]
    Empty,
    /// It touches too much.
    #[error("it touches {items} items, and a transaction may touch {MAX_TRANSACTION_ITEMS}")]
    TooMany {
        /// How much.
        items: usize,
    },
    /// It touches a stream twice.
    #[error("it touches {stream} twice")]
    Twice {
        /// The stream.
        stream: StreamId,
    },
    /// It makes two changes to a key that do not combine.
    #[error("it takes or gives back {key} twice")]
    Key {
        /// The key.
        key: UniqueKey,
    },
}

impl Transaction {
    /// These commits and claims, if these streams are as they were seen. With `strict` it also stores
    /// the [`CommandRecord`] of this command; then it may have no commits.
    ///
    /// # Errors
    /// [`InvalidTransaction`].
    pub fn new(
        commits: Vec<NewCommit>,
        unchanged: Vec<StreamVersion>,
        claims: impl IntoIterator<Item = (StreamId, Claim)>,
        strict: Option<StrictCommand>,
    ) -> Result<Self, InvalidTransaction> {
        if commits.is_empty() && strict.is_none() {
            return Err(InvalidTransaction::Empty);
        }
        let mut streams = BTreeSet::new();
        let committed = commits.iter().map(|commit| commit.as_commit().stream());
        for stream in committed.chain(unchanged.iter().map(StreamVersion::stream)) {
            if !streams.insert(stream) {
                return Err(InvalidTransaction::Twice { stream: stream.clone() });
            }
        }
        let transaction = Self { claims: settle(claims)?, commits, unchanged, strict };
        let items = transaction.items();
        if items > MAX_TRANSACTION_ITEMS {
            return Err(InvalidTransaction::TooMany { items });
        }
        Ok(transaction)
    }

    /// The commits.
    pub fn commits(&self) -> &[NewCommit] {
        &self.commits
    }

    /// The streams that must be as they were seen.
    pub fn unchanged(&self) -> &[StreamVersion] {
        &self.unchanged
    }

    /// The changes to unique keys.
    pub const fn claims(&self) -> &BTreeMap<UniqueKey, KeyChange> {
        &self.claims
    }

    /// The command that is to be recognised for ever.
    pub const fn strict(&self) -> Option<&StrictCommand> {
        self.strict.as_ref()
    }

    /// The record to store under the id of a strict command.
    pub fn record(&self) -> Option<CommandRecord> {
        let StrictCommand { fingerprint, .. } = self.strict.as_ref()?;
        let unchanged = self.unchanged.iter().map(Unchanged::from);
        Some(CommandRecord {
            fingerprint: fingerprint.clone(),
            commits: self.commits.iter().map(|new| new.as_commit().place()).collect(),
            unchanged: unchanged.collect(),
        })
    }

    /// The same, if the stream that gives this key back has no reservation of it; `None` where no
    /// stream gives it back. It is refused as [`AppendError::Reserved`](super::AppendError::Reserved)
    /// if that stream does have one.
    pub fn forgoing(&self, key: &UniqueKey) -> Option<Self> {
        let change = match self.claims.get(key)? {
            KeyChange::Release(from) => KeyChange::Forgo(from.clone()),
            // To reserve it is to find that nobody has it, that stream among them.
            KeyChange::Pass { to, .. } => KeyChange::Reserve(to.clone()),
            KeyChange::Reserve(_) | KeyChange::Forgo(_) => return None,
        };
        let mut forgoing = self.clone();
        forgoing.claims.insert(key.clone(), change);
        Some(forgoing)
    }

    /// Whether this stream gives this key back, to nobody or to another stream.
    pub fn gives_back(&self, key: &UniqueKey, stream: &StreamId) -> bool {
        match self.claims.get(key) {
            Some(KeyChange::Release(from) | KeyChange::Pass { from, .. }) => from == stream,
            _ => false,
        }
    }

    fn items(&self) -> usize {
        let strict = usize::from(self.strict.is_some());
        self.commits.len() + self.unchanged.len() + self.claims.len() + strict
    }
}

/// The claims of all events in their order, as one change per key: a key that is taken and given back
/// in one decision is left alone.
fn settle(
    claims: impl IntoIterator<Item = (StreamId, Claim)>,
) -> Result<BTreeMap<UniqueKey, KeyChange>, InvalidTransaction> {
    let mut changes: BTreeMap<UniqueKey, KeyChange> = BTreeMap::new();
    for (stream, claim) in claims {
        let key = claim.key().clone();
        let change = match (changes.remove(&key), claim) {
            (None, Claim::Reserve(_)) => Some(KeyChange::Reserve(stream)),
            (None, Claim::Release(_)) => Some(KeyChange::Release(stream)),
            (Some(KeyChange::Release(from)), Claim::Reserve(_)) if from == stream => None,
            (Some(KeyChange::Release(from)), Claim::Reserve(_)) => {
                Some(KeyChange::Pass { from, to: stream })
            }
            (Some(KeyChange::Reserve(by)), Claim::Release(_)) if by == stream => None,
            (Some(_), _) => return Err(InvalidTransaction::Key { key }),
        };
        if let Some(change) = change {
            changes.insert(key, change);
        }
    }
    Ok(changes)
}
