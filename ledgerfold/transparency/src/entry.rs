//! The leaves of the tree of commits.

use ledgerfold::{StreamId, Version, vocabulary::CommitHash};

use crate::{
    Hash,
    bytes::{Reader, Writer},
};

const COMMIT: &str = "ledgerfold entry 1";
const HEADS: &str = "ledgerfold heads 1";
const HEAD: &str = "ledgerfold head 1";

/// A leaf of the tree of commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A commit.
    Commit {
        /// Its stream.
        stream: StreamId,
        /// The version of its first event.
        from: Version,
        /// The version of its last event.
        to: Version,
        /// Its hash.
        hash: CommitHash,
    },
    /// The heads of all streams after the entries before this one. The last entry of each checkpoint has this form, so
    /// that the checkpoint covers the heads without an extension line.
    Heads {
        /// The number of streams.
        streams: u64,
        /// The root of the tree of heads.
        root: Hash,
        /// The time, by the sealer's clock, as RFC 3339.
        sealed_at: String,
    },
}

impl Entry {
    /// The content of the leaf.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Commit { stream, from, to, hash } => Writer::of(COMMIT)
                .text(&stream.to_string())
                .number(from.get())
                .number(to.get())
                .bytes(hash.as_bytes())
                .end(),
            Self::Heads { streams, root, sealed_at } => {
                Writer::of(HEADS).number(*streams).bytes(root.as_bytes()).text(sealed_at).end()
            }
        }
    }

    /// Reads the content of a leaf; `None` if it has no known form.
    pub fn restore(bytes: &[u8]) -> Option<Self> {
        if let Some(mut fields) = Reader::of(COMMIT, bytes) {
            let stream = fields.text()?.parse().ok()?;
            let from = Version::new(fields.number()?);
            let to = Version::new(fields.number()?);
            let hash = CommitHash::restore(fields.bytes()?)?;
            return fields.end(Self::Commit { stream, from, to, hash });
        }
        let mut fields = Reader::of(HEADS, bytes)?;
        let streams = fields.number()?;
        let root = Hash::restore(fields.bytes()?)?;
        let sealed_at = fields.text()?.to_owned();
        fields.end(Self::Heads { streams, root, sealed_at })
    }
}

/// A leaf of the tree of heads: the newest sealed commit of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The stream.
    pub stream: StreamId,
    /// The version of its last sealed event.
    pub version: Version,
    /// The hash of its last sealed commit.
    pub hash: CommitHash,
}

impl Head {
    /// The content of the leaf.
    pub fn to_bytes(&self) -> Vec<u8> {
        Writer::of(HEAD)
            .text(&self.stream.to_string())
            .number(self.version.get())
            .bytes(self.hash.as_bytes())
            .end()
    }

    /// Reads the content of a leaf; `None` if it is none.
    pub fn restore(bytes: &[u8]) -> Option<Self> {
        let mut fields = Reader::of(HEAD, bytes)?;
        let stream = fields.text()?.parse().ok()?;
        let version = Version::new(fields.number()?);
        let hash = CommitHash::restore(fields.bytes()?)?;
        fields.end(Self { stream, version, hash })
    }
}
