use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Claim, CommandId, ReservedKey, StreamId, Version,
    vocabulary::{CommitRef, Fingerprint, NewCommit, StreamVersion},
};

/// The most items that one transaction may touch.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
pub const MAX_TRANSACTION_ITEMS: usize = 100;

/// The most bytes that one transaction may write. DynamoDB takes 4 MB; the rest is room for keys and metadata.
pub const MAX_TRANSACTION_BYTES: usize = 4 * 1024 * 1024 - 128 * 1024;

/// Changes that take effect together or not at all: commits to several streams, conditions on other streams, and
/// reservations and releases of unique keys.
#[derive(Clone, Debug)]
pub struct Transaction {
    commits: Vec<NewCommit>,
    unchanged: Vec<StreamVersion>,
    claims: BTreeMap<ReservedKey, KeyChange>,
    strict: Option<StrictCommand>,
}

/// A command that is recognised for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrictCommand {
    /// The id of its record: a digest of the command's id and the place where it is recognised.
    pub id: CommandId,
    /// A digest of the whole request.
    pub fingerprint: Fingerprint,
}

/// The effect of a strict command. It is stored in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRecord {
    /// A digest of the whole request.
    pub fingerprint: Fingerprint,
    /// The places of its commits; empty if nothing needed to change.
    pub commits: Vec<CommitRef>,
    /// The streams that the command read and did not change.
    pub unchanged: Vec<Unchanged>,
}

/// A stream that a command read and did not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unchanged {
    /// The stream.
    pub stream: StreamId,
    /// Its version at that time.
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
    /// Reserves a free key for this stream.
    Reserve(StreamId),
    /// Releases the key, which is reserved for this stream.
    Release(StreamId),
    /// Moves the reservation from one stream to another.
    Pass {
        /// The present holder.
        from: StreamId,
        /// The new holder.
        to: StreamId,
    },
    /// Changes nothing, on condition that the key is not reserved for this stream. The stream gives up a key that was
    /// never reserved for it.
    Forgo(StreamId),
}

/// The changes cannot be one transaction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTransaction {
    /// There is nothing to commit.
    #[error("a transaction must commit something")]
    Empty,
    /// It touches too many items.
    #[error("it touches {items} items, and a transaction may touch {MAX_TRANSACTION_ITEMS}")]
    TooMany {
        /// The number of items.
        items: usize,
    },
    /// It touches a stream twice.
    #[error("it touches {stream} twice")]
    Twice {
        /// The stream.
        stream: StreamId,
    },
    /// Two changes to a key cannot be combined.
    #[error("it reserves or releases {key} twice")]
    Key {
        /// The key.
        key: ReservedKey,
    },
}

impl Transaction {
    /// These commits and claims, on condition that these streams still have the versions that were read. With `strict`
    /// it also stores the [`CommandRecord`] of this command, and then it may have no commits.
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

    /// The streams that must still have the versions that were read.
    pub fn unchanged(&self) -> &[StreamVersion] {
        &self.unchanged
    }

    /// The changes to unique keys.
    pub const fn claims(&self) -> &BTreeMap<ReservedKey, KeyChange> {
        &self.claims
    }

    /// The command that is recognised for ever.
    pub const fn strict(&self) -> Option<&StrictCommand> {
        self.strict.as_ref()
    }

    /// The record to store under the id of the strict command.
    pub fn record(&self) -> Option<CommandRecord> {
        let StrictCommand { fingerprint, .. } = self.strict.as_ref()?;
        let unchanged = self.unchanged.iter().map(Unchanged::from);
        Some(CommandRecord {
            fingerprint: fingerprint.clone(),
            commits: self.commits.iter().map(|new| new.as_commit().place()).collect(),
            unchanged: unchanged.collect(),
        })
    }

    /// The same transaction, but the stream that releases this key is expected to have no reservation of it; `None` if
    /// no stream releases the key. The store refuses it with [`AppendError::Reserved`](super::AppendError::Reserved) if
    /// the stream does have a reservation.
    pub fn forgoing(&self, key: &ReservedKey) -> Option<Self> {
        let change = match self.claims.get(key)? {
            KeyChange::Release(from) => KeyChange::Forgo(from.clone()),
            // Reserving requires that no stream holds the key, so it checks the releasing stream too.
            KeyChange::Pass { to, .. } => KeyChange::Reserve(to.clone()),
            KeyChange::Reserve(_) | KeyChange::Forgo(_) => return None,
        };
        let mut forgoing = self.clone();
        forgoing.claims.insert(key.clone(), change);
        Some(forgoing)
    }

    /// Whether this stream releases this key, or passes it to another stream.
    pub fn gives_back(&self, key: &ReservedKey, stream: &StreamId) -> bool {
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

/// The claims of all events in their order, as one change per key. A key that is reserved and released in one decision
/// does not change.
fn settle(
    claims: impl IntoIterator<Item = (StreamId, Claim)>,
) -> Result<BTreeMap<ReservedKey, KeyChange>, InvalidTransaction> {
    let mut changes: BTreeMap<ReservedKey, KeyChange> = BTreeMap::new();
    for (stream, claim) in claims {
        let key = ReservedKey::of(&stream, claim.key().clone());
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
