//! The sealer: adds new commits to the tree, and signs it.
//!
//! It is a projection: it is told which streams have news, reads the log from the sealed head of each stream, and so
//! fills gaps and passes over duplicates. Its rows are the heads. One call goes through these steps:
//!
//! 1. Read the size of the log, and the heads there.
//! 2. Read the new commits of the streams, and verify their chain from the sealed head.
//! 3. Freeze the batch: create `batch/<size>`, which succeeds once.
//! 4. Create the tiles, bundles, shards and the directory. All follow from the batch.
//! 5. Sign the checkpoint, and create it. Signatures differ from call to call; the first one that is stored counts.
//! 6. Publish the checkpoint, and advance the size.
//!
//! A sealer that was killed between two steps leaves a frozen batch, and the next call completes it first.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use ledgerfold::{
    StreamId, Version,
    ports::{Clock, EventReader, StoreError},
    vocabulary::{Commit, CommitHash},
};

use crate::{
    Batch, Checkpoint, CheckpointStore, Directory, Entry, Hash, Head, HeadStore, LogError,
    ObjectStore, Sealable, Shard, Signer, heads::shard_of, tree,
};

/// The most commits of one batch.
pub const MAX_ENTRIES: usize = 2_000;
/// The most frozen batches that one call completes. More than one only exist if the stored size was set back.
const MAX_CATCH_UP: usize = 64;
/// How many objects are read or written concurrently.
const CONCURRENT_REQUESTS: usize = 8;

/// Adds commits to the log. `docs/tamper-evidence.md` lists its steps.
pub struct Sealer {
    origin: String,
    log: Arc<dyn EventReader>,
    clock: Arc<dyn Clock>,
    objects: Arc<dyn ObjectStore>,
    checkpoints: Arc<dyn CheckpointStore>,
    signer: Arc<dyn Signer>,
    size: Arc<dyn HeadStore>,
    max_entries: usize,
}

/// The result of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    /// The commits that this call added.
    pub commits: u64,
    /// The streams that are not sealed to their end. The caller must name them again.
    pub unsealed: Vec<Unsealed>,
}

/// A stream that is not sealed to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsealed {
    /// The stream.
    pub stream: StreamId,
    /// The version to which it is sealed.
    pub sealed: Version,
    /// The reason.
    pub reason: Broken,
}

/// The reason why a stream is not sealed to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The batch is full. The next call continues.
    Full,
    /// The commit after the sealed version does not continue the chain: the log was changed since it was sealed.
    Chain,
    /// The log cannot be read here, for this reason.
    Unreadable(String),
}

/// A failure to seal. The caller repeats the call later.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The transparency log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The event log.
    #[error("the event log {0}")]
    Events(#[from] StoreError),
    /// Other sealers were faster each time, or many batches had to be completed first.
    #[error("the log grew during each of {MAX_CATCH_UP} attempts")]
    Contended,
}

/// The log at one size.
struct Sealing {
    edge: tree::Edge,
    directory: Directory,
    streams: u64,
}

impl Sealer {
    /// A sealer of the log with this origin, which names the log in every checkpoint.
    pub fn new(
        origin: impl Into<String>,
        (log, clock): (Arc<dyn EventReader>, Arc<dyn Clock>),
        (objects, checkpoints): (Arc<dyn ObjectStore>, Arc<dyn CheckpointStore>),
        (signer, size): (Arc<dyn Signer>, Arc<dyn HeadStore>),
    ) -> Self {
        let (origin, max_entries) = (origin.into(), MAX_ENTRIES);
        Self { origin, log, clock, objects, checkpoints, signer, size, max_entries }
    }

    /// The same sealer with smaller batches.
    #[must_use]
    pub const fn in_batches_of(mut self, entries: usize) -> Self {
        self.max_entries = entries;
        self
    }

    /// Adds all commits of these streams that are not in the tree yet, and signs a checkpoint. Without such a commit
    /// there is no new checkpoint.
    ///
    /// # Errors
    /// [`SealError`]. Some commits may have been added.
    pub async fn seal(&self, streams: &[StreamId]) -> Result<Sealed, SealError> {
        let streams: BTreeSet<_> = streams.iter().collect();
        for _ in 0..MAX_CATCH_UP {
            let size = self.size.size().await?;
            if let Some(frozen) = self.objects.get(&Batch::name(size)).await? {
                self.complete(size, &frozen).await?;
                continue;
            }
            let log = self.at(size).await?;
            let (commits, unsealed) = self.collect(&streams, &log.directory).await?;
            if commits.is_empty() {
                return Ok(Sealed { commits: 0, unsealed });
            }
            let added = u64::try_from(commits.len()).unwrap_or(u64::MAX);
            let batch = Batch { commits, sealed_at: self.clock.now().to_string() };
            let bytes = batch.to_bytes();
            if self.objects.create(&Batch::name(size), bytes.clone()).await? {
                self.complete(size, &bytes).await?;
                return Ok(Sealed { commits: added, unsealed });
            }
        }
        Err(SealError::Contended)
    }

    /// Reads the log of this size, and verifies it against its checkpoint, so that nothing is ever signed that does not
    /// continue what was signed before.
    async fn at(&self, size: u64) -> Result<Sealing, LogError> {
        let edge = tree::Edge::read(&*self.objects, size).await?;
        if size == 0 {
            return Ok(Sealing { edge, directory: Directory::empty(), streams: 0 });
        }
        let name = format!("checkpoints/{size}");
        let note = self.checkpoints.get(size).await?;
        let signed = note.as_deref().and_then(Checkpoint::restore);
        let expected = Checkpoint { origin: self.origin.clone(), size, root: edge.root() };
        if signed != Some(expected) {
            return Err(LogError::Corrupt { name, reason: "does not fit the tiles" });
        }
        let last = tree::entry(&*self.objects, size, size - 1).await?;
        let Some(Entry::Heads { streams, root, .. }) = Entry::restore(&last) else {
            return Err(LogError::Corrupt { name, reason: "does not end with the heads" });
        };
        let directory = self.directory(root).await?;
        Ok(Sealing { edge, directory, streams })
    }

    async fn directory(&self, root: Hash) -> Result<Directory, LogError> {
        let name = Directory::name(root);
        let bytes = self.objects.get(&name).await?.unwrap_or_default();
        Directory::restore(&bytes, root)
            .ok_or(LogError::Corrupt { name, reason: "does not have the root of its name" })
    }

    async fn shards(
        &self,
        directory: &Directory,
        streams: impl Iterator<Item = &StreamId>,
    ) -> Result<BTreeMap<u8, Shard>, LogError> {
        let numbers: BTreeSet<_> = streams.map(shard_of).collect();
        let reads = stream::iter(numbers).map(|number| async move {
            let root = directory.shard(number);
            if root == Hash::of_nothing() {
                return Ok((number, Shard::default()));
            }
            let name = Shard::name(root);
            let bytes = self.objects.get(&name).await?.unwrap_or_default();
            let shard = Shard::restore(&bytes, root);
            let reason = "does not have the root of its name";
            shard.map(|shard| (number, shard)).ok_or(LogError::Corrupt { name, reason })
        });
        reads.buffered(CONCURRENT_REQUESTS).try_collect().await
    }

    /// Reads the commits after the sealed heads of the streams.
    async fn collect(
        &self,
        streams: &BTreeSet<&StreamId>,
        directory: &Directory,
    ) -> Result<(Vec<Sealable>, Vec<Unsealed>), SealError> {
        let shards = self.shards(directory, streams.iter().copied()).await?;
        let mut commits = Vec::new();
        let mut unsealed = Vec::new();
        for stream in streams.iter().copied() {
            let head = shards.get(&shard_of(stream)).and_then(|shard| shard.get(stream)).cloned();
            unsealed.extend(self.collect_stream(stream, head, &mut commits).await?);
        }
        Ok((commits, unsealed))
    }

    async fn collect_stream(
        &self,
        stream: &StreamId,
        head: Option<Head>,
        commits: &mut Vec<Sealable>,
    ) -> Result<Option<Unsealed>, SealError> {
        let mut sealed = head.as_ref().map_or(Version::NONE, |head| head.version);
        let mut previous = head.map(|head| head.hash);
        let stop = |sealed, reason| Ok(Some(Unsealed { stream: stream.clone(), sealed, reason }));
        loop {
            let page = match self.log.read(stream, sealed).await {
                Ok(page) => page,
                Err(StoreError::Corrupt { reason, .. }) => {
                    return stop(sealed, Broken::Unreadable(reason));
                }
                Err(error) => return Err(error.into()),
            };
            for commit in &page.commits {
                if !continues(commit, sealed, previous) {
                    return stop(sealed, Broken::Chain);
                }
                if commits.len() >= self.max_entries {
                    return stop(sealed, Broken::Full);
                }
                commits.push(Sealable {
                    stream: stream.clone(),
                    from: commit.from(),
                    to: commit.to(),
                    hash: commit.hash(),
                });
                sealed = commit.to();
                previous = Some(commit.hash());
            }
            if !page.more || page.commits.is_empty() {
                return Ok(None);
            }
        }
    }

    /// Adds a frozen batch. Every write is the same in each call.
    async fn complete(&self, size: u64, frozen: &[u8]) -> Result<(), LogError> {
        let batch = Batch::restore(frozen).ok_or_else(|| LogError::Corrupt {
            name: Batch::name(size),
            reason: "is not a batch",
        })?;
        let mut log = self.at(size).await?;
        let mut objects = self.advance_heads(&batch, &mut log).await?;
        for commit in &batch.commits {
            log.edge.push(commit.entry().to_bytes())?;
        }
        let (streams, sealed_at) = (log.streams, batch.sealed_at);
        let heads = Entry::Heads { streams, root: log.directory.root(), sealed_at };
        log.edge.push(heads.to_bytes())?;
        let (origin, root, new_size) = (self.origin.clone(), log.edge.root(), log.edge.size());
        let tiles = log.edge.finish()?;
        objects.extend(tiles.into_iter().map(|(name, bytes)| (name.to_string(), bytes)));
        let writes = stream::iter(objects).map(|(name, bytes)| self.create(name, bytes));
        let () = writes.buffer_unordered(CONCURRENT_REQUESTS).try_collect().await?;
        let note = self.sign(&Checkpoint { origin, size: new_size, root }).await?;
        // Published first: a sealer that is killed before the size has advanced completes the batch again.
        self.checkpoints.publish(new_size, &note).await?;
        self.size.advance(size, new_size).await?;
        Ok(())
    }

    /// Stores an object that may be there already. A different one there was changed by somebody else, and a checkpoint
    /// over it could not be verified.
    async fn create(&self, name: String, bytes: Vec<u8>) -> Result<(), LogError> {
        if !self.objects.create(&name, bytes.clone()).await?
            && self.objects.get(&name).await?.is_some_and(|stored| stored != bytes)
        {
            return Err(LogError::Corrupt { name, reason: "exists with other content" });
        }
        Ok(())
    }

    /// Moves the heads of the batch's streams, and returns the changed shards and the directory.
    async fn advance_heads(
        &self,
        batch: &Batch,
        log: &mut Sealing,
    ) -> Result<Vec<(String, Vec<u8>)>, LogError> {
        let heads = batch.heads();
        let mut shards = self.shards(&log.directory, heads.keys().copied()).await?;
        for (stream, head) in heads {
            let is_new = shards.entry(shard_of(stream)).or_default().set(head);
            log.streams += u64::from(is_new);
        }
        let mut objects = Vec::new();
        for (number, shard) in &shards {
            let root = shard.root();
            let name = Shard::name(root);
            let Some(bytes) = shard.to_bytes() else {
                return Err(LogError::Corrupt { name, reason: "has a head of more than 64 KiB" });
            };
            log.directory.set(*number, root);
            objects.push((name, bytes));
        }
        objects.push((Directory::name(log.directory.root()), log.directory.to_bytes()));
        Ok(objects)
    }

    /// The stored checkpoint of this size. It is signed now, if there is none.
    async fn sign(&self, checkpoint: &Checkpoint) -> Result<String, LogError> {
        let size = checkpoint.size;
        let stored = match self.checkpoints.get(size).await? {
            Some(note) => Some(note),
            None => {
                let signatures = self.signer.sign(&self.origin, &checkpoint.text()).await?;
                let note = checkpoint.signed(&signatures);
                if self.checkpoints.create(size, &note).await? {
                    return Ok(note);
                }
                self.checkpoints.get(size).await?
            }
        };
        let fits = |note: &String| Checkpoint::restore(note).as_ref() == Some(checkpoint);
        stored.filter(fits).ok_or_else(|| LogError::Corrupt {
            name: format!("checkpoints/{size}"),
            reason: "is of another tree",
        })
    }
}

/// Whether a commit follows the sealed head, and has the hash of its content there.
fn continues(commit: &Commit, sealed: Version, previous: Option<CommitHash>) -> bool {
    commit.from() == sealed.next() && CommitHash::of(commit, previous) == commit.hash()
}
