//! The log's change stream: shards that keep their records for a day. The mapping that reads it belongs to the actors.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ledgerfold::{ports::Clock, relay::StreamRecord, vocabulary::Commit};

use crate::{
    domain::observations::Observations,
    network::scheduler::{Scheduler, Signal},
    plan::schedule::StreamShape,
};

/// How long a record is kept, read or not.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>
const KEPT: Duration = Duration::from_secs(24 * 3_600);
/// How late a record may be behind its commit.
const LATE: Duration = Duration::from_secs(1);

/// A record, and when it was written.
#[derive(Clone)]
pub(crate) struct Record {
    /// Text, as in DynamoDB Streams. Unique in the stream.
    pub(crate) sequence_number: String,
    /// The item that was written.
    pub(crate) commit: Commit,
    /// Its age decides when it is trimmed. Retries do not change it.
    written: Duration,
}

impl Record {
    pub(crate) fn to_relay(&self) -> StreamRecord {
        let name = format!("{} at {}", self.commit.stream(), self.commit.from());
        let sequence_number = self.sequence_number.clone();
        let commit = Ok(self.commit.clone());
        StreamRecord { sequence_number, name, commit }
    }
}

/// All shards, each with one lane per concurrent batch. A stream has its shard, and an item its lane. There is no other
/// order: a commit is an item of its own, so two commits of one stream have none.
pub(crate) struct ChangeStream {
    scheduler: Scheduler,
    observations: Arc<Observations>,
    pub(crate) shape: StreamShape,
    /// All lanes, shard by shard. Each is shared with the mapping that reads it.
    lanes: Vec<Arc<Lane>>,
    /// The last sequence number. Atomic, because `insert` takes a shared reference.
    serial: AtomicUsize,
    /// How many records are neither published, failed nor trimmed. Atomic, because `done` takes a shared reference.
    open: AtomicUsize,
    /// Records that the mapping gave up on. `redrive` takes them out.
    failed: Mutex<Vec<Commit>>,
    /// Records that became too old. They never return.
    trimmed: Mutex<Vec<Commit>>,
}

/// A part of a shard whose batches follow each other.
pub(crate) struct Lane {
    /// Waiting records. A deque, because writers append and the mapping takes from the front.
    records: Mutex<VecDeque<Record>>,
    /// Wakes the mapping when a record comes.
    arrival: Signal,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// FNV-1a. The schedule of a seed follows from it, so it must not change.
fn hash(text: &str) -> usize {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from(hash >> 33).unwrap_or(0)
}

impl ChangeStream {
    pub(crate) fn new(
        scheduler: &Scheduler,
        shape: StreamShape,
        observations: Arc<Observations>,
    ) -> Self {
        let lane = |_| Arc::new(Lane { records: Mutex::default(), arrival: scheduler.signal() });
        Self {
            scheduler: scheduler.clone(),
            observations,
            shape,
            lanes: (0..shape.shards * shape.factor).map(lane).collect(),
            serial: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            failed: Mutex::default(),
            trimmed: Mutex::default(),
        }
    }

    pub(crate) fn lanes(&self) -> &[Arc<Lane>] {
        &self.lanes
    }

    /// Adds a record for a commit. Readers see it a moment later.
    pub(crate) fn insert(&self, commit: Commit) {
        let stream = commit.stream().to_string();
        let item = format!("{stream}#{}", commit.from());
        let shard = hash(&stream) % self.shape.shards;
        let lane = shard * self.shape.factor + hash(&item) % self.shape.factor;
        let lane = self.lanes[lane].clone();
        let sequence_number = self.serial.fetch_add(1, Ordering::SeqCst).to_string();
        let record = Record { sequence_number, commit, written: self.scheduler.elapsed() };
        self.open.fetch_add(1, Ordering::SeqCst);
        let scheduler = self.scheduler.clone();
        let late = self.scheduler.within(LATE);
        self.scheduler.spawn(async move {
            scheduler.sleep(late).await;
            lock(&lane.records).push_back(record);
            lane.arrival.notify();
        });
    }

    /// Trims old records, and returns the others.
    pub(crate) fn trim(&self, records: Vec<Record>) -> Vec<Record> {
        let oldest = self.scheduler.elapsed().saturating_sub(KEPT);
        let (kept, gone): (Vec<_>, Vec<_>) =
            records.into_iter().partition(|record| record.written >= oldest);
        self.observations.count(|report| report.trimmed += gone.len());
        self.done(gone.len());
        lock(&self.trimmed).extend(gone.into_iter().map(|record| record.commit));
        kept
    }

    /// Moves records to the failed ones.
    pub(crate) fn fail(&self, records: Vec<Record>) {
        self.observations.count(|report| report.failed_records += records.len());
        self.done(records.len());
        lock(&self.failed).extend(records.into_iter().map(|record| record.commit));
    }

    /// Marks this many records as done.
    pub(crate) fn done(&self, records: usize) {
        self.open.fetch_sub(records, Ordering::SeqCst);
    }

    /// Whether all records are published, failed or trimmed.
    pub(crate) fn is_idle(&self) -> bool {
        self.open.load(Ordering::SeqCst) == 0
    }

    /// Puts the failed records back into the stream.
    pub(crate) fn redrive(&self) {
        let commits = std::mem::take(&mut *lock(&self.failed));
        for commit in commits {
            self.insert(commit);
        }
    }

    /// The commits of failed and trimmed records.
    pub(crate) fn missed(&self) -> Vec<Commit> {
        let trimmed = lock(&self.trimmed).clone();
        lock(&self.failed).iter().cloned().chain(trimmed).collect()
    }
}

impl Lane {
    /// Waits until there are records.
    pub(crate) async fn arrived(&self) {
        while lock(&self.records).is_empty() {
            self.arrival.wait().await;
        }
    }

    /// The next records.
    pub(crate) fn read(&self, most: usize) -> Vec<Record> {
        let mut records = lock(&self.records);
        let most = records.len().min(most);
        records.drain(..most).collect()
    }
}
