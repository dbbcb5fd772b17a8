//! The comparison of stored commits with the commits in the log.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::{SignedDuration, Timestamp};

use crate::{Digest, SealedCommit, SealedLog, StoredCommit};

/// The most places of a stream at which the content of wrong commits is tried, to name a reordering.
const MAX_TRIES: usize = 100_000;

/// Compares streams with a log, one after the other.
#[derive(Debug)]
pub struct Comparison<'a> {
    log: &'a SealedLog,
    window: Window,
    seen: BTreeSet<String>,
}

/// How long a commit may exist without an entry in the log.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// The time of the verification; for a copy, the time of the copy.
    pub now: Timestamp,
    /// The longest time.
    pub allowed: SignedDuration,
}

/// A commit of a table or a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// A readable commit.
    Commit(Box<StoredCommit>),
    /// An item that is no readable commit.
    Unreadable {
        /// The version in its key.
        from: u64,
        /// The reason.
        reason: String,
    },
}

/// A difference between the stored commits and the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The stream.
    pub stream: String,
    /// The version of the first event of the commit.
    pub version: u64,
    /// The kind.
    pub kind: Kind,
}

/// The kind of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The commit does not have the content that was sealed.
    Edited,
    /// A sealed commit is missing, and later ones are there.
    Dropped,
    /// The commit was sealed at another place of its stream.
    Reordered,
    /// All sealed commits from this version on are missing.
    Truncated,
    /// The whole stream is missing.
    Missing,
    /// From this version on, the stream has a valid chain that is not the sealed one.
    Forked,
    /// A commit is where the log has none.
    Inserted,
    /// The commit is not in the log, and is older than a commit may be without an entry.
    Unsealed,
}

/// The walk through one stream.
struct Walk<'a> {
    stream: &'a str,
    sealed: &'a [SealedCommit],
    by_hash: BTreeMap<Digest, u64>,
    tries: usize,
    findings: Vec<Finding>,
}

impl<'a> Comparison<'a> {
    /// A comparison with this log.
    pub const fn new(log: &'a SealedLog, window: Window) -> Self {
        Self { log, window, seen: BTreeSet::new() }
    }

    /// Compares all commits of one stream. Their order does not matter.
    pub fn stream(&mut self, stream: &str, stored: &[Stored]) -> Vec<Finding> {
        if !stored.is_empty() {
            self.seen.insert(stream.to_owned());
        }
        let mut walk = Walk::of(stream, self.log.commits(stream));
        let mut places: BTreeMap<u64, &Stored> = BTreeMap::new();
        for commit in stored {
            if places.insert(commit.from(), commit).is_some() {
                walk.find(commit.from(), Kind::Inserted);
            }
        }
        let end = walk.sealed.last().map_or(0, |last| last.to);
        let behind = places.split_off(&(end + 1));
        if !stored.is_empty() {
            walk.sealed_part(&places, !behind.is_empty());
            walk.unsealed_part(&behind, self.window);
        }
        walk.findings
    }

    /// The streams of the log that were not seen.
    pub fn end(self) -> Vec<Finding> {
        let missing = self.log.streams().filter(|stream| !self.seen.contains(*stream));
        let finding =
            |stream: &str| Finding { stream: stream.to_owned(), version: 1, kind: Kind::Missing };
        missing.map(finding).collect()
    }
}

impl<'a> Walk<'a> {
    fn of(stream: &'a str, sealed: &'a [SealedCommit]) -> Self {
        let by_hash = sealed.iter().map(|commit| (commit.hash, commit.from)).collect();
        Self { stream, sealed, by_hash, tries: 0, findings: Vec::new() }
    }

    /// Compares the versions that the log has.
    fn sealed_part(&mut self, stored: &BTreeMap<u64, &Stored>, is_longer: bool) {
        let newest = stored.keys().next_back().copied().unwrap_or(0);
        let mut forked = false;
        let mut inserted: BTreeSet<u64> = stored.keys().copied().collect();
        let mut before: Option<&Stored> = None;
        for (place, sealed) in self.sealed.iter().enumerate() {
            inserted.remove(&sealed.from);
            let Some(commit) = stored.get(&sealed.from) else {
                if sealed.from > newest && !is_longer {
                    self.find(sealed.from, Kind::Truncated);
                    break;
                }
                if !forked {
                    self.find(sealed.from, Kind::Dropped);
                }
                continue;
            };
            let kind = self.kind(place, commit, before);
            before = Some(commit);
            if let Some(kind) = kind.filter(|kind| !(forked && *kind == Kind::Forked)) {
                self.find(sealed.from, kind);
            }
            forked = kind == Some(Kind::Forked);
            if forked {
                // The other history may have other boundaries.
                inserted.clear();
            }
        }
        for from in inserted {
            self.find(from, Kind::Inserted);
        }
    }

    /// How a commit differs from the one that was sealed at this place.
    fn kind(&mut self, place: usize, stored: &Stored, before: Option<&Stored>) -> Option<Kind> {
        let Stored::Commit(commit) = stored else { return Some(Kind::Edited) };
        let sealed = self.sealed[place];
        let as_sealed = (commit.from, commit.to) == (sealed.from, sealed.to)
            && commit.follows(self.before(place))
            && commit.hash == sealed.hash;
        if as_sealed && commit.stream == self.stream {
            return None;
        }
        if self.is_of_another_place(sealed.from, commit) {
            return Some(Kind::Reordered);
        }
        let stored_before = match before {
            Some(Stored::Commit(before)) => Some(before.hash),
            _ => None,
        };
        let is_chained = commit.follows(stored_before) || commit.follows(self.before(place));
        Some(if is_chained { Kind::Forked } else { Kind::Edited })
    }

    /// Whether the hash or the content of a commit was sealed at another place.
    fn is_of_another_place(&mut self, from: u64, commit: &StoredCommit) -> bool {
        if self.by_hash.get(&commit.hash).is_some_and(|sealed| *sealed != from) {
            return true;
        }
        for place in 0..self.sealed.len() {
            let sealed = self.sealed[place];
            let events = u64::try_from(commit.events.len()).unwrap_or(u64::MAX);
            if sealed.from == from || sealed.to + 1 - sealed.from != events {
                continue;
            }
            self.tries += 1;
            if self.tries > MAX_TRIES {
                return false;
            }
            if commit.hash_at((sealed.from, sealed.to), self.before(place)) == sealed.hash {
                return true;
            }
        }
        false
    }

    /// The sealed hash before a place.
    fn before(&self, place: usize) -> Option<Digest> {
        place.checked_sub(1).map(|before| self.sealed[before].hash)
    }

    /// Compares the commits after the last sealed one: only their chain and their age.
    fn unsealed_part(&mut self, stored: &BTreeMap<u64, &Stored>, window: Window) {
        let last = self.sealed.last();
        let mut next = last.map_or(1, |last| last.to + 1);
        let mut previous = last.map(|last| last.hash);
        let mut is_late = false;
        for (from, commit) in stored {
            let Stored::Commit(commit) = commit else {
                self.find(*from, Kind::Edited);
                return;
            };
            if *from != next {
                self.find(next, Kind::Dropped);
            } else if !commit.follows(previous) || commit.stream != self.stream {
                self.find(*from, Kind::Edited);
            }
            // One finding per stream: the sealer needs only the stream.
            if !is_late && window.is_over(&commit.recorded_at) {
                self.find(*from, Kind::Unsealed);
                is_late = true;
            }
            next = commit.to + 1;
            previous = Some(commit.hash);
        }
    }

    fn find(&mut self, version: u64, kind: Kind) {
        self.findings.push(Finding { stream: self.stream.to_owned(), version, kind });
    }
}

impl Window {
    /// Whether a commit of this time should have an entry. A time that cannot be read, or that lies in the future, is no
    /// excuse.
    fn is_over(self, recorded_at: &str) -> bool {
        let Ok(recorded_at) = recorded_at.parse::<Timestamp>() else { return true };
        self.now.duration_since(recorded_at).abs() > self.allowed
    }
}

impl Stored {
    const fn from(&self) -> u64 {
        match self {
            Self::Commit(commit) => commit.from,
            Self::Unreadable { from, .. } => *from,
        }
    }
}

impl Kind {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Edited => "edited",
            Self::Dropped => "dropped",
            Self::Reordered => "reordered",
            Self::Truncated => "truncated",
            Self::Missing => "missing",
            Self::Forked => "forked",
            Self::Inserted => "inserted",
            Self::Unsealed => "unsealed",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
