//! Follows a change stream from shard to shard.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::{StreamExt as _, stream};
use ledgerfold::{ports::Clock, vocabulary::Commit};

use super::changes::{Changes, Lost, Page, Place, Position, Shard};
use crate::error::CliError;

/// How many shards are read concurrently.
const READERS: usize = 8;
/// The pause between reads while there are changes. DynamoDB allows five reads a second on each shard, and
/// the relay takes four.
const PAUSE: Duration = Duration::from_millis(250);
/// The pause between reads while there are none.
const LONG_PAUSE: Duration = Duration::from_secs(1);
/// A parent may end before its child is listed. The list is read again after this many rounds.
const ROUNDS_BETWEEN_LISTS: u32 = 20;

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// At changes made from now on.
    Now,
    /// At the oldest change.
    Oldest,
}

/// Reads all shards of a change stream, parents before children, so that the changes of an item arrive in
/// order. Different items have no order among each other.
pub(super) struct Follower<'a> {
    changes: &'a dyn Changes,
    readers: BTreeMap<String, Reader>,
    /// Shards that are or were read, or that are older than the start.
    known: BTreeSet<String>,
    rounds: u32,
    quiet: bool,
}

struct Reader {
    /// `None` after the place was lost; it is then opened again at the position.
    place: Option<Place>,
    position: Position,
    /// A closed shard receives no further changes.
    closed: bool,
}

impl<'a> Follower<'a> {
    pub(super) async fn begin(changes: &'a dyn Changes, start: Start) -> Result<Self, CliError> {
        let readers = BTreeMap::new();
        let known = BTreeSet::new();
        let mut follower = Self { changes, readers, known, rounds: 0, quiet: false };
        match start {
            Start::Oldest => follower.adopt().await?,
            Start::Now => {
                for shard in changes.shards().await? {
                    follower.known.insert(shard.id.clone());
                    if !shard.closed {
                        follower.read_from(&shard, Position::Newest).await?;
                    }
                }
            }
        }
        Ok(follower)
    }

    /// The commits appended since the last call; for a change that cannot be read, the reason. It pauses
    /// first, longer if the last call returned nothing.
    pub(super) async fn next(
        &mut self,
        clock: &dyn Clock,
    ) -> Result<Vec<Result<Commit, String>>, CliError> {
        if self.rounds > 0 {
            clock.sleep(if self.quiet { LONG_PAUSE } else { PAUSE }).await;
        }
        self.rounds = self.rounds.saturating_add(1);
        let before = self.readers.len();
        let found = self.round().await?;
        let ended = self.readers.len() < before;
        if ended || self.readers.is_empty() || self.rounds.is_multiple_of(ROUNDS_BETWEEN_LISTS) {
            self.adopt().await?;
        }
        self.quiet = found.is_empty() && !self.readers.values().any(|reader| reader.closed);
        Ok(found)
    }

    async fn round(&mut self) -> Result<Vec<Result<Commit, String>>, CliError> {
        let changes = self.changes;
        let reads = self.readers.iter().map(|(shard, reader)| async move {
            (shard.clone(), reader.read(changes, shard).await)
        });
        let pages: Vec<_> = stream::iter(reads).buffered(READERS).collect().await;
        let mut found = Vec::new();
        for (shard, outcome) in pages {
            match outcome {
                Ok(page) => found.extend(self.turn(&shard, page)),
                Err(lost) => self.recover(&shard, lost)?,
            }
        }
        Ok(found)
    }

    /// Moves a reader to the next page.
    fn turn(&mut self, shard: &str, page: Page) -> Vec<Result<Commit, String>> {
        if let Some(reader) = self.readers.get_mut(shard) {
            if let Some(last) = page.changes.last() {
                reader.position = Position::After(last.sequence_number.clone());
            }
            reader.place.clone_from(&page.next);
        }
        if page.next.is_none() {
            self.readers.remove(shard);
        }
        page.changes.into_iter().map(|change| change.commit).collect()
    }

    fn recover(&mut self, shard: &str, lost: Lost) -> Result<(), CliError> {
        let Some(reader) = self.readers.get_mut(shard) else { return Ok(()) };
        match lost {
            Lost::Throttled => {}
            Lost::CliError(failed) => return Err(failed),
            Lost::Expired => {
                if reader.position == Position::Newest {
                    eprintln!("The place in {shard} has expired. Some changes may be missing.");
                }
                reader.place = None;
            }
            Lost::Trimmed => {
                eprintln!("Changes of {shard} were removed before they could be read.");
                (reader.place, reader.position) = (None, Position::Oldest);
            }
            Lost::Gone => {
                self.readers.remove(shard);
            }
        }
        Ok(())
    }

    /// Starts reading new shards, once their parents have been read.
    async fn adopt(&mut self) -> Result<(), CliError> {
        let shards = self.changes.shards().await?;
        let listed: BTreeSet<_> = shards.iter().map(|shard| shard.id.clone()).collect();
        for shard in shards {
            let waits = shard.parent.as_ref().is_some_and(|parent| {
                self.readers.contains_key(parent)
                    || (listed.contains(parent) && !self.known.contains(parent))
            });
            if !waits && self.known.insert(shard.id.clone()) {
                self.read_from(&shard, Position::Oldest).await?;
            }
        }
        Ok(())
    }

    async fn read_from(&mut self, shard: &Shard, position: Position) -> Result<(), CliError> {
        let place = match self.changes.open(&shard.id, &position).await {
            Ok(place) => Some(place),
            Err(Lost::Gone) => return Ok(()),
            Err(Lost::CliError(failed)) => return Err(failed),
            Err(_) => None,
        };
        let reader = Reader { place, position, closed: shard.closed };
        self.readers.insert(shard.id.clone(), reader);
        Ok(())
    }
}

impl Reader {
    async fn read(&self, changes: &dyn Changes, shard: &str) -> Result<Page, Lost> {
        match &self.place {
            Some(place) => changes.read(place).await,
            None => changes.read(&changes.open(shard, &self.position).await?).await,
        }
    }
}

#[cfg(test)]
#[path = "follower_tests.rs"]
mod tests;
