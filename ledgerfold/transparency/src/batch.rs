//! A frozen batch: the entries that follow a tree of one size. Once it is stored, nobody can add another batch there, so
//! two sealers that run at once, or one that was killed and begins again, write the same tree.

use std::collections::BTreeMap;

use ledgerfold::{StreamId, Version, vocabulary::CommitHash};

use crate::{
    Entry, Head,
    bytes::{Reader, Writer},
};

const DOMAIN: &str = "ledgerfold batch 1";

/// The commits of a batch, and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The commits. Those of one stream are in their order.
    pub commits: Vec<Sealable>,
    /// The time of the sealer, as RFC 3339.
    pub sealed_at: String,
}

/// A commit in a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealable {
    /// Its stream.
    pub stream: StreamId,
    /// The version of its first event.
    pub from: Version,
    /// The version of its last event.
    pub to: Version,
    /// Its hash.
    pub hash: CommitHash,
}

impl Batch {
    /// The name of the batch that follows a tree of this size.
    pub fn name(size: u64) -> String {
        format!("batch/{size}")
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let start = Writer::of(DOMAIN).text(&self.sealed_at).count(self.commits.len());
        let entries = self.commits.iter().map(|commit| commit.entry().to_bytes());
        entries.fold(start, |writer, entry| writer.bytes(&entry)).end()
    }

    pub(crate) fn restore(bytes: &[u8]) -> Option<Self> {
        let mut fields = Reader::of(DOMAIN, bytes)?;
        let sealed_at = fields.text()?.to_owned();
        let mut commits = Vec::new();
        for _ in 0..fields.number()? {
            let Entry::Commit { stream, from, to, hash } = Entry::restore(fields.bytes()?)? else {
                return None;
            };
            commits.push(Sealable { stream, from, to, hash });
        }
        fields.end(Self { commits, sealed_at })
    }

    /// The head of each stream of the batch.
    pub(crate) fn heads(&self) -> BTreeMap<&StreamId, Head> {
        let head = |commit: &Sealable| Head {
            stream: commit.stream.clone(),
            version: commit.to,
            hash: commit.hash,
        };
        self.commits.iter().map(|commit| (&commit.stream, head(commit))).collect()
    }
}

impl Sealable {
    pub(crate) fn entry(&self) -> Entry {
        let Self { stream, from, to, hash } = self.clone();
        Entry::Commit { stream, from, to, hash }
    }
}
