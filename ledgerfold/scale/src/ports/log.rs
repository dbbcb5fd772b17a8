//! The event table and its change stream.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use ledgerfold::{
    CommandId, StreamId, Version,
    ports::{
        AppendError, CommandRecord, CommitPage, EventReader, EventStore, PortError, Span,
        StoreError, Transaction,
    },
    vocabulary::{Commit, IDEMPOTENCY_WINDOW, NewCommit, Snapshot},
};

use crate::{
    assumptions::RECORD,
    cloud::{Cloud, Part, Throttled, read_units, write_units},
    domain::Existing,
    mailbox::Mailbox,
};

/// The name of the table.
const LOG: &str = "event table";

/// The size of a commit without its events: keys, ids, names and times. `make costs` measures commits of up to 1 KB as
/// one write unit.
const OVERHEAD: usize = 350;

/// A record of the change stream.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) sequence_number: String,
    pub(crate) commit: Commit,
}

/// The event table. It keeps only the commits of the run.
pub(crate) struct GrowingLog {
    cloud: Arc<Cloud>,
    existing: Arc<Existing>,
    /// A mutex, because commands append concurrently.
    written: Mutex<HashMap<StreamId, Vec<Commit>>>,
    /// The lanes of the change stream, shard by shard.
    lanes: Vec<Arc<Mailbox<Record>>>,
    lanes_per_shard: usize,
}

impl GrowingLog {
    pub(crate) fn new(
        cloud: Arc<Cloud>,
        existing: Arc<Existing>,
        (shards, lanes_per_shard): (usize, usize),
    ) -> Self {
        let lanes = (0..shards * lanes_per_shard).map(|_| Arc::default()).collect();
        Self { cloud, existing, written: Mutex::default(), lanes, lanes_per_shard }
    }

    pub(crate) fn lanes(&self) -> &[Arc<Mailbox<Record>>] {
        &self.lanes
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StreamId, Vec<Commit>>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the commit is stored, or the one that has its place.
    fn store(&self, commit: &Commit) -> Result<(), Box<Commit>> {
        let mut written = self.lock();
        let following = written.entry(commit.stream().clone()).or_default();
        if let Some(winner) = following.iter().find(|stored| stored.from() == commit.from()) {
            return Err(Box::new(winner.clone()));
        }
        if commit.from() <= self.existing.version(commit.stream()) {
            let mut before = self.existing.commits(commit.stream());
            if let Some(winner) = before.find(|stored| stored.from() == commit.from()) {
                return Err(Box::new(winner));
            }
        }
        following.push(commit.clone());
        Ok(())
    }

    /// Puts the commit into the lane of its item. A shard has the streams of one partition.
    fn publish(&self, commit: Commit) {
        let shard =
            spread(&commit.stream().to_string()) % (self.lanes.len() / self.lanes_per_shard);
        let item = format!("{}#{}", commit.stream(), commit.from());
        let lane = shard * self.lanes_per_shard + spread(&item) % self.lanes_per_shard;
        let lane = self.lanes[lane].clone();
        let time = &self.cloud.time;
        let at = time.elapsed() + time.latency(RECORD);
        time.call_at(at, move || lane.put(Record { sequence_number: item, commit }));
    }

    fn page(&self, commits: Vec<Commit>, more: bool) -> (CommitPage, u64) {
        let bytes = commits.iter().map(size).sum();
        (CommitPage { commits, more }.bounded(), read_units(bytes))
    }
}

/// Spreads keys evenly, also if they differ only in their last digits: FNV-1a, and the end of SplitMix64.
pub(super) fn spread(text: &str) -> usize {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    usize::try_from((hash ^ (hash >> 31)) >> 1).unwrap_or(0)
}

fn size(commit: &Commit) -> usize {
    let snapshot = commit.snapshot().map(|snapshot| snapshot_bytes(commit, snapshot));
    commit.payload_bytes() + snapshot.unwrap_or_default() + OVERHEAD
}

/// The state, and the name and place of each command that the snapshot remembers.
fn snapshot_bytes(commit: &Commit, snapshot: &Snapshot) -> usize {
    let remembered = usize::try_from(commit.to().get()).unwrap_or(usize::MAX);
    snapshot.state.as_str().len() + remembered.min(IDEMPOTENCY_WINDOW) * 24
}

fn store_error(Throttled: Throttled) -> StoreError {
    StoreError::Port(PortError::Throttled)
}

#[async_trait]
impl EventReader for GrowingLog {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError> {
        let read = || {
            let written = self.lock();
            let new = written.get(stream).map(Vec::as_slice).unwrap_or_default();
            let before =
                (after < self.existing.version(stream)).then(|| self.existing.commits(stream));
            let all = before.into_iter().flatten().chain(new.iter().cloned());
            self.page(all.filter(|commit| commit.from() > after).collect(), false)
        };
        self.cloud.read("Query", (LOG, &stream.to_string()), read).await.map_err(store_error)
    }

    async fn read_back(
        &self,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        let read = || {
            let written = self.lock();
            let new = written.get(stream).map(Vec::as_slice).unwrap_or_default();
            let all = new.iter().rev().cloned().chain(self.existing.commits(stream).rev());
            let mut all = all.filter(|commit| span.contains(commit.from()));
            let newest: Vec<_> = all.by_ref().take(commits).collect();
            let more = newest.len() == commits;
            self.page(newest, more)
        };
        self.cloud.read("Query", (LOG, &stream.to_string()), read).await.map_err(store_error)
    }
}

#[async_trait]
impl EventStore for GrowingLog {
    async fn append(&self, new: &NewCommit) -> Result<(), AppendError> {
        let commit = new.as_commit();
        let key = commit.stream().to_string();
        let item = commit.from().to_string();
        let parts = [Part { table: LOG, key, item, units: write_units(size(commit)) }];
        let stored = self.cloud.write(&parts, || {
            let stored = self.store(commit);
            if stored.is_ok() {
                self.publish(commit.clone());
            }
            stored
        });
        match stored.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(winner)) => {
                self.cloud.count(|counts| counts.conflicts += 1);
                Err(AppendError::Conflict { winner })
            }
            Err(throttled) => Err(store_error(throttled).into()),
        }
    }

    /// No command of the model needs a transaction in the log.
    async fn transact(&self, _: &Transaction) -> Result<(), AppendError> {
        let reason = "the model of growth has no transactions in the log".into();
        Err(StoreError::Port(PortError::Refused(reason)).into())
    }

    async fn record(&self, _: &CommandId) -> Result<Option<CommandRecord>, StoreError> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn streams_with_similar_names_are_in_different_shards() {
        let mut shards = [0; 8];
        for number in 0..1_000 {
            shards[spread(&format!("account#s{number}")) % shards.len()] += 1;
        }
        assert!(shards.iter().all(|streams| (90..160).contains(streams)), "{shards:?}");
    }
}
