//! The entries of a transparency log, verified against its checkpoints.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::{
    Accumulator, Checkpoint, Digest,
    fields::{take_digest, take_number, take_text},
};

const PER_BUNDLE: u64 = 256;
const SHARDS: usize = 256;

/// Reads the objects of a log: a bucket, a copy of it, or a folder.
#[async_trait]
pub trait LogSource: Send + Sync {
    /// The content of an object, or `None` if there is none with this name.
    ///
    /// # Errors
    /// [`SourceError`].
    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, SourceError>;
}

/// The objects of a log cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the log cannot be read: {0}")]
pub struct SourceError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// The log cannot be verified at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no checkpoint to verify against.
    #[error("give at least one checkpoint")]
    NoCheckpoint,
    /// The source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// An entry bundle is missing or malformed.
    #[error("{name}: the entry bundle {reason}")]
    Bundle {
        /// The name of the bundle.
        name: String,
        /// The reason.
        reason: &'static str,
    },
}

/// A log that contradicts a signed checkpoint, or itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogFault {
    /// The entries do not have the root of this checkpoint: the log was changed, or it showed two histories.
    #[error("the entries do not have the root of the checkpoint of size {size}")]
    Forked {
        /// The size of the checkpoint.
        size: u64,
    },
    /// Two checkpoints of one size have different roots. Both are signed, so the log showed two histories.
    #[error("two signed checkpoints of size {size} have different roots")]
    SplitView {
        /// The size.
        size: u64,
    },
    /// The heads of a checkpoint are not those of its entries.
    #[error("the heads of the checkpoint of size {size} are not those of its entries")]
    Heads {
        /// The size of the checkpoint.
        size: u64,
    },
    /// An entry does not follow the entry of its stream before it.
    #[error("entry {index} does not follow the entry of {stream} before it")]
    Entry {
        /// The index of the entry.
        index: u64,
        /// The stream.
        stream: String,
    },
    /// An entry has an unknown form.
    #[error("entry {index} has an unknown form")]
    Unknown {
        /// The index of the entry.
        index: u64,
    },
}

/// A commit in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedCommit {
    /// The index of its entry.
    pub index: u64,
    /// The version of its first event.
    pub from: u64,
    /// The version of its last event.
    pub to: u64,
    /// Its hash.
    pub hash: Digest,
}

/// The entries of a log up to the largest checkpoint.
#[derive(Clone, Debug, Default)]
pub struct SealedLog {
    streams: BTreeMap<String, Vec<SealedCommit>>,
    tree: Accumulator,
    sealed_at: Option<String>,
    faults: Vec<LogFault>,
    /// The streams and the root of the newest entry of heads, if it is the newest entry.
    heads: Option<(u64, Digest)>,
}

/// An entry, as this crate reads it.
pub(crate) enum Leaf {
    Commit { stream: String, from: u64, to: u64, hash: Digest },
    Heads { streams: u64, root: Digest, sealed_at: String },
}

impl SealedLog {
    /// Reads all entries up to the largest checkpoint, and compares the tree with each checkpoint.
    ///
    /// # Errors
    /// [`ReadError`]. A log that contradicts a checkpoint is no error: see [`SealedLog::faults`].
    pub async fn read(
        source: &dyn LogSource,
        checkpoints: &[Checkpoint],
    ) -> Result<Self, ReadError> {
        let mut roots: BTreeMap<u64, Digest> = BTreeMap::new();
        let mut log = Self::default();
        for Checkpoint { size, root, .. } in checkpoints {
            if *roots.entry(*size).or_insert(*root) != *root {
                log.faults.push(LogFault::SplitView { size: *size });
            }
        }
        let size = *roots.keys().next_back().ok_or(ReadError::NoCheckpoint)?;
        log.compare_at(0, &roots);
        for bundle in 0..size.div_ceil(PER_BUNDLE) {
            for entry in entries(source, bundle, size).await? {
                log.add(&entry);
                log.compare_at(log.tree.size(), &roots);
            }
        }
        Ok(log)
    }

    /// The contradictions that were found.
    pub fn faults(&self) -> &[LogFault] {
        &self.faults
    }

    /// The streams of the log, by name.
    pub fn streams(&self) -> impl Iterator<Item = &str> {
        self.streams.keys().map(String::as_str)
    }

    /// The commits of a stream.
    pub fn commits(&self, stream: &str) -> &[SealedCommit] {
        self.streams.get(stream).map_or(&[], Vec::as_slice)
    }

    /// The number of entries.
    pub const fn size(&self) -> u64 {
        self.tree.size()
    }

    /// The time of the largest checkpoint, as RFC 3339, by the clock of the sealer.
    pub fn sealed_at(&self) -> Option<&str> {
        self.sealed_at.as_deref()
    }

    fn add(&mut self, entry: &[u8]) {
        let index = self.tree.size();
        self.tree.add(Digest::leaf(entry));
        self.heads = None;
        match Leaf::parse(entry) {
            Some(Leaf::Commit { stream, from, to, hash }) => {
                let commits = self.streams.entry(stream.clone()).or_default();
                let next = commits.last().map_or(1, |last| last.to + 1);
                if from != next || to < from {
                    self.faults.push(LogFault::Entry { index, stream });
                }
                commits.push(SealedCommit { index, from, to, hash });
            }
            Some(Leaf::Heads { streams, root, sealed_at }) => {
                self.heads = Some((streams, root));
                self.sealed_at = Some(sealed_at);
            }
            None => self.faults.push(LogFault::Unknown { index }),
        }
    }

    fn compare_at(&mut self, size: u64, roots: &BTreeMap<u64, Digest>) {
        let Some(root) = roots.get(&size) else { return };
        if self.tree.root() != *root {
            self.faults.push(LogFault::Forked { size });
        }
        if size > 0 && self.heads != Some(self.computed_heads()) {
            self.faults.push(LogFault::Heads { size });
        }
    }

    /// The number of streams and the root of the tree of heads, from the entries.
    fn computed_heads(&self) -> (u64, Digest) {
        let mut sorted: Vec<(Digest, Digest)> = Vec::with_capacity(self.streams.len());
        for (stream, commits) in &self.streams {
            let Some(last) = commits.last() else { continue };
            let place = Digest::of(&[stream.as_bytes()]);
            sorted.push((place, head_leaf(stream, last.to, last.hash)));
        }
        sorted.sort_unstable();
        let mut shards = vec![Accumulator::default(); SHARDS];
        for (place, leaf) in &sorted {
            shards[usize::from(place.0[0])].add(*leaf);
        }
        let directory: Accumulator =
            shards.iter().map(|shard| Digest::leaf(&shard.root().0)).collect();
        (u64::try_from(sorted.len()).unwrap_or(u64::MAX), directory.root())
    }
}

impl Leaf {
    pub(crate) fn parse(mut bytes: &[u8]) -> Option<Self> {
        let rest = &mut bytes;
        let leaf = match take_text(rest)?.as_str() {
            "ledgerfold entry 1" => Self::Commit {
                stream: take_text(rest)?,
                from: take_number(rest)?,
                to: take_number(rest)?,
                hash: take_digest(rest)?,
            },
            "ledgerfold heads 1" => Self::Heads {
                streams: take_number(rest)?,
                root: take_digest(rest)?,
                sealed_at: take_text(rest)?,
            },
            _ => return None,
        };
        rest.is_empty().then_some(leaf)
    }
}

/// The leaf of a stream in the tree of heads.
fn head_leaf(stream: &str, version: u64, hash: Digest) -> Digest {
    let mut fields = crate::fields::Canonical::of("ledgerfold head 1");
    fields.text(stream);
    fields.number(version);
    fields.raw(&hash.0);
    fields.leaf()
}

async fn entries(
    source: &dyn LogSource,
    bundle: u64,
    size: u64,
) -> Result<Vec<Vec<u8>>, ReadError> {
    let count = (size - bundle * PER_BUNDLE).min(PER_BUNDLE);
    let full = bundle_name(bundle);
    let name = if count < PER_BUNDLE { format!("{full}.p/{count}") } else { full.clone() };
    // A partial bundle may be deleted once the full one exists.
    let found = match source.read(&name).await? {
        None if name != full => source.read(&full).await?,
        found => found,
    };
    let Some(bytes) = found else { return Err(ReadError::Bundle { name, reason: "is missing" }) };
    let Some(mut entries) = split(&bytes) else {
        return Err(ReadError::Bundle { name, reason: "is malformed" });
    };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if entries.len() < count {
        return Err(ReadError::Bundle { name, reason: "is too short" });
    }
    entries.truncate(count);
    Ok(entries)
}

fn split(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut entries = Vec::new();
    while let [high, low, rest @ ..] = bytes {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        entries.push(rest.get(..length)?.to_vec());
        bytes = &rest[length..];
    }
    bytes.is_empty().then_some(entries)
}

/// `tile/entries/x001/x234/067` for 1,234,067.
fn bundle_name(bundle: u64) -> String {
    let digits = bundle.to_string();
    let padded = format!("{digits:0>width$}", width = digits.len().div_ceil(3) * 3);
    let last = padded.len() - 3;
    let mut name = String::from("tile/entries/");
    for start in (0..last).step_by(3) {
        name += &format!("x{}/", &padded[start..start + 3]);
    }
    name + &padded[last..]
}

#[cfg(test)]
mod tests {
    #[test]
    fn bundles_have_the_names_of_tlog_tiles() {
        let named = [0, 67, 1_000, 1_234_067].map(super::bundle_name);
        let expected = ["000", "067", "x001/000", "x001/x234/067"];
        assert_eq!(named, expected.map(|name| format!("tile/entries/{name}")));
    }
}
