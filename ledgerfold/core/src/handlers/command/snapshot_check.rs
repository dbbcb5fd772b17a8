use std::collections::BTreeMap;

use futures::future::BoxFuture;

use super::Loaded;
use crate::{
    Category, Decider, Payload, Snapshots, StreamId, Version,
    ports::{EventReader, StoreError},
    vocabulary::{Commit, IDEMPOTENCY_WINDOW, Snapshot, panics::guarded},
};

/// The comparison of stored snapshots with the fold of the events, for the domains of a context.
///
/// Loads begin at a snapshot, and the hash of a commit does not cover it. So an edited snapshot changes decisions, and
/// the hash chain does not show it. This comparison folds each stream from its first event without snapshots.
#[derive(Clone, Debug, Default)]
pub struct SnapshotChecks(BTreeMap<Category, Check>);

type Check = for<'a> fn(
    &'a dyn EventReader,
    StreamId,
) -> BoxFuture<'a, Result<Vec<SnapshotFinding>, StoreError>>;

/// A snapshot that is not the fold of its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotFinding {
    /// The stream.
    pub stream: StreamId,
    /// The version of the snapshot: that of the last event of its commit. For an unreadable stream, the first version
    /// that was not compared.
    pub version: Version,
    /// The fault.
    pub fault: SnapshotFault,
}

/// The fault of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotFault {
    /// Its state is not the fold of the events.
    State,
    /// Its list of recent commands is not that of the stream, so a repeated command could take effect twice.
    Commands,
    /// The rest of the stream cannot be folded, for this reason.
    Unreadable(String),
}

impl SnapshotFault {
    /// Its name in reports.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Commands => "commands",
            Self::Unreadable(_) => "unreadable",
        }
    }
}

impl SnapshotChecks {
    /// Adds this domain. It has no effect for a domain without snapshots.
    #[must_use]
    pub fn with<D: Decider>(mut self) -> Self {
        self.0.insert(D::CATEGORY, |log, stream| Box::pin(check::<D>(log, stream)));
        self
    }

    /// The wrong snapshots of a stream. Only snapshots of the domain's current schema are compared, because loads ignore
    /// all others. Reads the whole stream once.
    ///
    /// # Errors
    /// [`StoreError`], but not [`StoreError::Corrupt`], which is a finding.
    pub async fn examine(
        &self,
        log: &dyn EventReader,
        stream: &StreamId,
    ) -> Result<Vec<SnapshotFinding>, StoreError> {
        match self.0.get(stream.category()) {
            Some(check) => check(log, stream.clone()).await,
            None => Ok(Vec::new()),
        }
    }
}

async fn check<D: Decider>(
    log: &dyn EventReader,
    stream: StreamId,
) -> Result<Vec<SnapshotFinding>, StoreError> {
    let Some(snapshots) = D::snapshots() else { return Ok(Vec::new()) };
    let finding = |version, fault| SnapshotFinding { stream: stream.clone(), version, fault };
    let mut loaded = Loaded::<D>::unread(stream.clone());
    let mut findings = Vec::new();
    loop {
        let page = match log.read(&stream, loaded.version()).await {
            Ok(page) => page,
            Err(StoreError::Corrupt { reason, .. }) => {
                let next = loaded.version().next();
                findings.push(finding(next, SnapshotFault::Unreadable(reason)));
                return Ok(findings);
            }
            Err(error) => return Err(error),
        };
        for commit in &page.commits {
            if let Err(error) = loaded.fold(commit, None) {
                let fault = SnapshotFault::Unreadable(error.to_string());
                findings.push(finding(commit.from(), fault));
                return Ok(findings);
            }
            loaded.recent.keep(IDEMPOTENCY_WINDOW);
            let fault = fault_of(&snapshots, &loaded, commit);
            findings.extend(fault.map(|fault| finding(commit.to(), fault)));
        }
        if !page.more || page.commits.is_empty() {
            return Ok(findings);
        }
    }
}

fn fault_of<D: Decider>(
    snapshots: &Snapshots<D::State>,
    loaded: &Loaded<D>,
    commit: &Commit,
) -> Option<SnapshotFault> {
    let stored = commit.snapshot().filter(|stored| stored.schema == *snapshots.schema())?;
    match guarded(|| snapshots.take(loaded.state(), loaded.recent.clone())) {
        Ok(Ok(Some(right))) => difference(stored, &right),
        // A state that is too large gets no snapshot.
        Ok(Ok(None)) => Some(SnapshotFault::State),
        Ok(Err(error)) => Some(SnapshotFault::Unreadable(error.to_string())),
        Err(panicked) => Some(SnapshotFault::Unreadable(panicked.to_string())),
    }
}

fn difference(stored: &Snapshot, right: &Snapshot) -> Option<SnapshotFault> {
    if !is_same(&stored.state, &right.state) {
        Some(SnapshotFault::State)
    } else if stored.recent != right.recent {
        Some(SnapshotFault::Commands)
    } else {
        None
    }
}

/// Whether two texts are the same JSON. The order of an object's members has no meaning, and a hash map has no fixed
/// one.
fn is_same(one: &Payload, other: &Payload) -> bool {
    let value = |payload: &Payload| payload.decode::<serde_json::Value>().ok();
    one.as_str() == other.as_str() || value(one).is_some_and(|one| Some(one) == value(other))
}
