use std::collections::{BTreeMap, BTreeSet};

use super::Place;
use crate::{Claim, CommandId, NewCommit, StreamId, UniqueKey, command::Seen};

/// The most items that one transaction may touch.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
pub const MAX_TRANSACTION_ITEMS: usize = 100;

/// What takes effect together or not at all: commits to several streams, other streams that must be
/// as they were read, unique keys that are taken and given back.
#[derive(Clone, Debug)]
pub struct Transaction {
    commits: Vec<NewCommit>,
    unchanged: Vec<Seen>,
    claims: BTreeMap<UniqueKey, KeyChange>,
    once: Option<CommandId>,
}

/// What becomes of a unique key.
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
}

/// What cannot be one transaction.
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
    /// It does to a key what cannot be done in one step.
    #[error("it takes or gives back {key} twice")]
    Key {
        /// The key.
        key: UniqueKey,
    },
}

impl Transaction {
    /// These commits and claims, if these streams are as they were seen. `once`: reserve this command
    /// id for ever.
    ///
    /// # Errors
    /// [`InvalidTransaction`].
    pub fn new(
        commits: Vec<NewCommit>,
        unchanged: Vec<Seen>,
        claims: impl IntoIterator<Item = (StreamId, Claim)>,
        once: Option<CommandId>,
    ) -> Result<Self, InvalidTransaction> {
        if commits.is_empty() {
            return Err(InvalidTransaction::Empty);
        }
        let mut streams = BTreeSet::new();
        let committed = commits.iter().map(|commit| commit.as_commit().stream());
        for stream in committed.chain(unchanged.iter().map(Seen::stream)) {
            if !streams.insert(stream) {
                return Err(InvalidTransaction::Twice { stream: stream.clone() });
            }
        }
        let transaction = Self { claims: settle(claims)?, commits, unchanged, once };
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
    pub fn unchanged(&self) -> &[Seen] {
        &self.unchanged
    }

    /// What becomes of unique keys.
    pub const fn claims(&self) -> &BTreeMap<UniqueKey, KeyChange> {
        &self.claims
    }

    /// The command id that is to be reserved for ever.
    pub const fn once(&self) -> Option<&CommandId> {
        self.once.as_ref()
    }

    /// Where the commits will stand.
    pub fn places(&self) -> Vec<Place> {
        let commits = self.commits.iter().map(NewCommit::as_commit);
        commits.map(|new| Place { stream: new.stream().clone(), from: new.from() }).collect()
    }

    fn items(&self) -> usize {
        let once = usize::from(self.once.is_some());
        self.commits.len() + self.unchanged.len() + self.claims.len() + once
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
