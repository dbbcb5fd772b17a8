//! An event log and its transparency log in memory.

use std::sync::Arc;

use async_trait::async_trait;
use ledgerfold::{
    CommandId, StreamId, Timestamp, command::Loaded, ports::EventStore, vocabulary::Commit,
};
use ledgerfold_proofs::conformance::requests::{commit, fresh};
use ledgerfold_testkit::{ManualClock, MemoryEventStore};
use ledgerfold_transparency::{
    CheckpointStore, HeadStore, ObjectStore, Sealed, Sealer, Signer as _,
    memory::{LocalSigner, MemoryLog},
};
use ledgerfold_verifier::{
    Checkpoint, Comparison, Digest, Finding, LogSource, PublicKey, SealedLog, Sibling, SourceError,
    Stored, StoredCommit, StoredEvent, Window,
};

pub(crate) const ORIGIN: &str = "ledgerfold.example/tests";
/// The time of the sealer and of the commits.
pub(crate) const NOW: i64 = 1_700_000_000;

pub(crate) struct World {
    pub(crate) log: Arc<MemoryEventStore>,
    pub(crate) sealed: Arc<MemoryLog>,
    pub(crate) signer: Arc<LocalSigner>,
}

/// A port of the log, which all three kinds of stores are.
pub(crate) trait Ports: ObjectStore + CheckpointStore + HeadStore + 'static {}
impl<T: ObjectStore + CheckpointStore + HeadStore + 'static> Ports for T {}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            log: Arc::new(MemoryEventStore::with_pages_of(2)),
            sealed: Arc::default(),
            signer: Arc::new(LocalSigner::generate().expect("random numbers")),
        }
    }

    pub(crate) fn sealer(&self) -> Sealer {
        self.sealer_over(self.sealed.clone())
    }

    pub(crate) fn sealer_over<P: Ports>(&self, ports: Arc<P>) -> Sealer {
        let now = Timestamp::from_second(NOW).expect("a time");
        let clock = Arc::new(ManualClock::at(now));
        Sealer::new(
            ORIGIN,
            (self.log.clone(), clock),
            (ports.clone(), ports.clone()),
            (self.signer.clone(), ports),
        )
    }

    /// Appends this many commits of one or two events to a new stream.
    pub(crate) async fn stream(&self, commits: usize) -> StreamId {
        let stream = fresh();
        self.append(&stream, commits).await;
        stream
    }

    pub(crate) async fn append(&self, stream: &StreamId, commits: usize) {
        let mut loaded = Loaded::unread(stream.clone());
        let nobody = CommandId::new("nobody").expect("visible ASCII");
        for _ in 0..commits {
            loaded.read_on(&*self.log, &nobody).await.expect("it can be read");
            while self
                .log
                .commits()
                .iter()
                .any(|it| it.stream() == stream && it.to() > loaded.version())
            {
                loaded.read_on(&*self.log, &nobody).await.expect("it can be read");
            }
            let version = loaded.version().get();
            let notes: &[&str] = if version % 3 == 0 { &["one"] } else { &["one", "two"] };
            let attempt = format!("{}-{version}", stream.id());
            self.log.append(&commit(&loaded, &attempt, notes, NOW)).await.expect("appended");
        }
    }

    pub(crate) async fn seal(&self, streams: &[StreamId]) -> Sealed {
        self.sealer().seal(streams).await.expect("sealed")
    }

    pub(crate) async fn keys(&self) -> Vec<PublicKey> {
        let keys = self.signer.keys().await.expect("keys");
        let parse = |key: String| PublicKey::parse(&key).expect("a key");
        keys.iter().map(|key| parse(key.verifier_key(ORIGIN))).collect()
    }

    /// All checkpoints, verified.
    pub(crate) async fn checkpoints(&self) -> Vec<Checkpoint> {
        let keys = self.keys().await;
        let notes = self.sealed.checkpoints().into_values();
        notes.map(|note| Checkpoint::verify(&note, &keys).expect("signed")).collect()
    }

    /// The log, read by the verifier and compared with all checkpoints.
    pub(crate) async fn read(&self) -> SealedLog {
        let checkpoints = self.checkpoints().await;
        SealedLog::read(&Copy(&self.sealed), &checkpoints).await.expect("it can be read")
    }

    pub(crate) fn stored(&self) -> Vec<StoredCommit> {
        self.log.commits().iter().map(stored).collect()
    }

    /// The findings of a verification of these commits.
    pub(crate) async fn verify(&self, commits: &[StoredCommit]) -> Vec<Finding> {
        let log = self.read().await;
        assert_eq!(log.faults(), []);
        verify(&log, commits)
    }
}

pub(crate) fn window() -> Window {
    let now = Timestamp::from_second(NOW).expect("a time");
    Window { now, allowed: jiff::SignedDuration::from_secs(60) }
}

/// Compares commits, in any order, with a log.
pub(crate) fn verify(log: &SealedLog, commits: &[StoredCommit]) -> Vec<Finding> {
    let mut streams: std::collections::BTreeMap<&str, Vec<Stored>> = Default::default();
    for commit in commits {
        let stored = Stored::Commit(Box::new(commit.clone()));
        streams.entry(&commit.stream).or_default().push(stored);
    }
    let mut comparison = Comparison::new(log, window());
    let mut findings = Vec::new();
    for (stream, commits) in streams {
        findings.extend(comparison.stream(stream, &commits));
    }
    findings.extend(comparison.end());
    findings
}

/// The objects of a log as a verifier reads them.
pub(crate) struct Copy<'a>(pub(crate) &'a MemoryLog);

#[async_trait]
impl LogSource for Copy<'_> {
    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.0.objects().get(name).cloned())
    }
}

/// A commit as texts.
pub(crate) fn stored(commit: &Commit) -> StoredCommit {
    let command = commit.command();
    let metadata = commit.metadata();
    StoredCommit {
        stream: commit.stream().to_string(),
        from: commit.from().get(),
        to: commit.to().get(),
        events: commit
            .events()
            .map(|(_, event)| StoredEvent {
                id: event.id.to_string(),
                event_type: event.event_type.as_str().to_owned(),
                schema_version: event.schema_version.get().into(),
                data: event.data.as_str().to_owned(),
            })
            .collect(),
        command_id: command.id.to_string(),
        command_name: command.name.to_string(),
        fingerprint: command.fingerprint.as_str().to_owned(),
        siblings: command
            .siblings
            .iter()
            .map(|place| Sibling { stream: place.stream.to_string(), from: place.from.get() })
            .collect(),
        recorded_at: metadata.recorded_at.to_string(),
        correlation_id: metadata.correlation_id.to_string(),
        causation_id: metadata.causation_id.to_string(),
        actor: metadata.actor.to_string(),
        traceparent: metadata.traceparent.as_ref().map_or("", |it| it.as_str()).to_owned(),
        hash: Digest(*commit.hash().as_bytes()),
    }
}
