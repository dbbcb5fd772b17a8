//! Proofs from the stored log.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use ledgerfold::{StreamId, Version};

use crate::{
    Checkpoint, CheckpointStore, Directory, Entry, Hash, LogError, ObjectStore, Shard, TileName,
    bytes::Writer, heads::shard_of, proof, tile::WIDTH, tree,
};

/// Makes proofs from the objects of a log. It needs no key and no event.
pub struct Prover {
    objects: Arc<dyn ObjectStore>,
    checkpoints: Arc<dyn CheckpointStore>,
}

/// The proof of a stream's head in the tree of heads, or of its absence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadProof {
    /// The leaves at the place of the stream: itself; or, if it is absent, those before and after it in its shard.
    pub leaves: Vec<Vec<u8>>,
    /// The place of the first of the leaves.
    pub place: u64,
    /// The number of leaves of the shard.
    pub leaves_of_shard: u64,
    /// For each of the leaves, the hashes of its inclusion in the shard.
    pub in_shard: Vec<Vec<Hash>>,
    /// The hashes of the inclusion of the shard in the directory.
    pub in_directory: Vec<Hash>,
}

/// The reason why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// There is no checkpoint of this size.
    #[error("there is no checkpoint of size {0}")]
    NoCheckpoint(u64),
    /// The tree does not contain the commit.
    #[error("{stream} is not sealed to version {version}")]
    NotSealed {
        /// The stream.
        stream: StreamId,
        /// The version.
        version: Version,
    },
}

impl Prover {
    /// A prover over these stores.
    pub const fn new(objects: Arc<dyn ObjectStore>, checkpoints: Arc<dyn CheckpointStore>) -> Self {
        Self { objects, checkpoints }
    }

    /// The proof file (C2SP tlog-proof) that the commit with this version of the stream is in the tree of a checkpoint.
    /// Its line `extra` is the content of the leaf. It searches the entries from the newest to the oldest.
    ///
    /// # Errors
    /// [`ProveError`].
    pub async fn prove(
        &self,
        stream: &StreamId,
        version: Version,
        size: u64,
    ) -> Result<String, ProveError> {
        let note = self.checkpoints.get(size).await?.ok_or(ProveError::NoCheckpoint(size))?;
        let (index, entry) = self.find(stream, version, size).await?;
        let hashes = self.inclusion(index, size).await?;
        Ok(proof_file(&entry, index, &hashes, &note))
    }

    /// The hashes of the proof that the entry with this index is in the tree of this size, or none if it is not.
    ///
    /// # Errors
    /// [`LogError`].
    pub async fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, LogError> {
        let parts = if index < size { proof::inclusion(index, size) } else { Vec::new() };
        tree::parts(&*self.objects, size, parts).await
    }

    /// The hashes of the proof that the tree of this size continues the tree of size `old`.
    ///
    /// # Errors
    /// [`LogError`].
    pub async fn consistency(&self, old: u64, size: u64) -> Result<Vec<Hash>, LogError> {
        tree::parts(&*self.objects, size, proof::consistency(old, size)).await
    }

    /// The proof of the head of a stream, or of its absence, in the checkpoint of this size.
    ///
    /// # Errors
    /// [`ProveError`].
    pub async fn head(&self, stream: &StreamId, size: u64) -> Result<HeadProof, ProveError> {
        let last = size.checked_sub(1).ok_or(ProveError::NoCheckpoint(size))?;
        let last = tree::entry(&*self.objects, size, last).await?;
        let Some(Entry::Heads { root, .. }) = Entry::restore(&last) else {
            return Err(ProveError::NoCheckpoint(size));
        };
        let directory = self.object(Directory::name(root)).await?;
        let directory =
            Directory::restore(&directory, root).ok_or_else(|| corrupt(Directory::name(root)))?;
        let number = shard_of(stream);
        let root = directory.shard(number);
        let shard = match root == Hash::of_nothing() {
            true => Shard::default(),
            false => Shard::restore(&self.object(Shard::name(root)).await?, root)
                .ok_or_else(|| corrupt(Shard::name(root)))?,
        };
        Ok(HeadProof::of(&shard, &directory, stream))
    }

    async fn find(
        &self,
        stream: &StreamId,
        version: Version,
        size: u64,
    ) -> Result<(u64, Vec<u8>), ProveError> {
        for bundle in (0..size.div_ceil(WIDTH)).rev() {
            let Some(name) = TileName::in_tree(None, bundle, size) else { continue };
            let entries = tree::entries(&*self.objects, name).await?;
            for (index, entry) in (bundle * WIDTH..).zip(entries) {
                if let Some(Entry::Commit { stream: of, from, to, .. }) = Entry::restore(&entry)
                    && of == *stream
                    && (from..=to).contains(&version)
                {
                    return Ok((index, entry));
                }
            }
        }
        Err(ProveError::NotSealed { stream: stream.clone(), version })
    }

    async fn object(&self, name: String) -> Result<Vec<u8>, LogError> {
        let found = self.objects.get(&name).await?;
        found.ok_or(LogError::Corrupt { name, reason: "is missing" })
    }

    /// The checkpoint of this size, as it was signed.
    ///
    /// # Errors
    /// [`ProveError`].
    pub async fn checkpoint(&self, size: u64) -> Result<(Checkpoint, String), ProveError> {
        let note = self.checkpoints.get(size).await?.ok_or(ProveError::NoCheckpoint(size))?;
        let read = Checkpoint::restore(&note).ok_or_else(|| corrupt(format!("checkpoints/{size}")));
        Ok((read?, note))
    }
}

impl HeadProof {
    fn of(shard: &Shard, directory: &Directory, stream: &StreamId) -> Self {
        let hashes = shard.leaves();
        let place = shard.place(stream);
        let (from, to) = match shard.get(stream) {
            Some(_) => (place, place + 1),
            None => (place.saturating_sub(1), (place + 1).min(hashes.len())),
        };
        let heads: Vec<_> = shard.heads().map(crate::Head::to_bytes).collect();
        let shards = directory.leaves();
        Self {
            leaves: heads[from..to].to_vec(),
            place: number(from),
            leaves_of_shard: number(hashes.len()),
            in_shard: (from..to).map(|leaf| path(leaf, &hashes)).collect(),
            in_directory: path(shard_of(stream).into(), &shards),
        }
    }

    /// The binary form, for a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let hashes = |writer: Writer, hashes: &[Hash]| {
            let writer = writer.count(hashes.len());
            hashes.iter().fold(writer, |writer, hash| writer.bytes(hash.as_bytes()))
        };
        let start = Writer::of("ledgerfold head proof 1")
            .number(self.place)
            .number(self.leaves_of_shard)
            .count(self.leaves.len());
        let leaves = self.leaves.iter().zip(&self.in_shard);
        let writer = leaves.fold(start, |writer, (leaf, path)| hashes(writer.bytes(leaf), path));
        hashes(writer, &self.in_directory).end()
    }
}

fn path(leaf: usize, leaves: &[Hash]) -> Vec<Hash> {
    let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
    let parts = proof::inclusion(number(leaf), number(leaves.len()));
    parts.into_iter().map(|(from, to)| Hash::root(&leaves[at(from)..at(to)])).collect()
}

fn proof_file(entry: &[u8], index: u64, hashes: &[Hash], checkpoint: &str) -> String {
    let extra = STANDARD.encode(entry);
    let hashes: String =
        hashes.iter().map(|hash| STANDARD.encode(hash.as_bytes()) + "\n").collect();
    format!("c2sp.org/tlog-proof@v1\nextra {extra}\nindex {index}\n{hashes}\n{checkpoint}")
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

const fn corrupt(name: String) -> LogError {
    LogError::Corrupt { name, reason: "does not have the content of its name" }
}
