//! The tree of heads: the newest sealed version and hash of each stream, sorted, so that a stream that is not in the
//! tree can be proven absent, and a missing stream or a cut tail shows in one comparison.
//!
//! Streams are sorted by the SHA-256 of their names, and the first byte of it chooses one of 256 shards. The tree of
//! heads is a tree over the roots of the shards. A checkpoint therefore rewrites only the shards of its own streams, and
//! every object is named by its own root, so that a repeated write is harmless.

use std::collections::BTreeMap;

use ledgerfold::StreamId;
use sha2::{Digest, Sha256};

use crate::{
    Hash, Head,
    bytes::{bundle, unbundle},
};

/// The number of shards.
pub const DIRECTORY_SHARDS: usize = 256;

/// The roots of all shards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    roots: Vec<Hash>,
}

/// The heads of the streams whose hash begins with one byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shard {
    heads: BTreeMap<[u8; 32], Head>,
}

/// The place of a stream among all heads.
pub(crate) fn sort_key(stream: &StreamId) -> [u8; 32] {
    Sha256::digest(stream.to_string()).into()
}

/// The shard of a stream.
pub(crate) fn shard_of(stream: &StreamId) -> u8 {
    sort_key(stream)[0]
}

impl Directory {
    /// The directory of a log without streams.
    pub fn empty() -> Self {
        Self { roots: vec![Hash::of_nothing(); DIRECTORY_SHARDS] }
    }

    /// The root of the shard.
    pub fn shard(&self, shard: u8) -> Hash {
        self.roots[usize::from(shard)]
    }

    pub(crate) fn set(&mut self, shard: u8, root: Hash) {
        self.roots[usize::from(shard)] = root;
    }

    pub(crate) fn leaves(&self) -> Vec<Hash> {
        self.roots.iter().map(|root| Hash::leaf(root.as_bytes())).collect()
    }

    /// The root of the tree of heads.
    pub fn root(&self) -> Hash {
        Hash::root(&self.leaves())
    }

    /// The name of its object.
    pub fn name(root: Hash) -> String {
        format!("heads/directory/{root}")
    }

    /// The content of its object: the roots of all shards.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.roots.iter().flat_map(|root| *root.as_bytes()).collect()
    }

    /// Reads an object; `None` if it does not have this root.
    pub fn restore(bytes: &[u8], root: Hash) -> Option<Self> {
        let roots: Option<Vec<_>> = bytes.chunks(Hash::BYTES).map(Hash::restore).collect();
        let directory = Self { roots: roots.filter(|roots| roots.len() == DIRECTORY_SHARDS)? };
        (directory.root() == root).then_some(directory)
    }
}

impl Shard {
    /// The head of a stream.
    pub fn get(&self, stream: &StreamId) -> Option<&Head> {
        self.heads.get(&sort_key(stream))
    }

    /// The heads, in their order in the tree.
    pub fn heads(&self) -> impl Iterator<Item = &Head> {
        self.heads.values()
    }

    /// Sets the head of a stream; `true` if the stream is new.
    pub(crate) fn set(&mut self, head: Head) -> bool {
        self.heads.insert(sort_key(&head.stream), head).is_none()
    }

    /// The place of a stream in the shard, or the place that it would have.
    pub(crate) fn place(&self, stream: &StreamId) -> usize {
        self.heads.range(..sort_key(stream)).count()
    }

    pub(crate) fn leaves(&self) -> Vec<Hash> {
        self.heads().map(|head| Hash::leaf(&head.to_bytes())).collect()
    }

    /// The root of its tree.
    pub fn root(&self) -> Hash {
        Hash::root(&self.leaves())
    }

    /// The name of its object.
    pub fn name(root: Hash) -> String {
        format!("heads/shard/{root}")
    }

    /// The content of its object: a bundle of its leaves. `None` if a name is longer than 64 KiB.
    pub(crate) fn to_bytes(&self) -> Option<Vec<u8>> {
        let heads: Vec<_> = self.heads().map(Head::to_bytes).collect();
        bundle(heads.iter().map(Vec::as_slice))
    }

    /// Reads an object; `None` if it does not have this root.
    pub fn restore(bytes: &[u8], root: Hash) -> Option<Self> {
        let mut shard = Self::default();
        for head in unbundle(bytes)? {
            shard.set(Head::restore(head)?);
        }
        (shard.root() == root).then_some(shard)
    }
}
