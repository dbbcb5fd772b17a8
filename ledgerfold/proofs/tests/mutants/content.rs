//! Stores that return other data than they have stored. A name in a comment is a library with this defect.

use async_trait::async_trait;
use ledgerfold::{
    CommandId, CorrelationId, Payload, SchemaVersion, StreamId, Timestamp, Traceparent, Version,
    ports::{EventReader, EventStore, Span},
    vocabulary::{
        CommandStamp, Commit, CommitEvent, Fingerprint, Metadata, NewCommit, RecentCommands,
        Snapshot,
    },
};
use ledgerfold_proofs::conformance::history::ModelStore;

use crate::wrong::{Defect, Read, Write, restored, stamped};

fn with_metadata(commit: &Commit, change: impl FnOnce(Metadata) -> Metadata) -> Commit {
    stamped(commit, commit.command().clone(), change(commit.metadata().clone()))
}

fn with_events(commit: &Commit, change: impl Fn(CommitEvent) -> CommitEvent) -> Commit {
    let events = commit.events().map(|(_, event)| change(event.clone())).collect();
    restored(commit, commit.from(), events)
}

/// Loses the trace, a field of the metadata that was added later.
#[derive(Default)]
pub(crate) struct LosesTheTrace;

impl Defect for LosesTheTrace {
    fn show(&self, commit: Commit) -> Commit {
        with_metadata(&commit, |metadata| Metadata { traceparent: None, ..metadata })
    }
}

/// Stores times in seconds.
#[derive(Default)]
pub(crate) struct RoundsTime;

impl Defect for RoundsTime {
    fn show(&self, commit: Commit) -> Commit {
        with_metadata(&commit, |metadata| {
            let recorded_at = Timestamp::from_second(metadata.recorded_at.as_second());
            Metadata { recorded_at: recorded_at.expect("a valid time"), ..metadata }
        })
    }
}

/// Returns a trace for a commit without one.
#[derive(Default)]
pub(crate) struct MakesUpATrace;

impl Defect for MakesUpATrace {
    fn show(&self, commit: Commit) -> Commit {
        with_metadata(&commit, |metadata| {
            let made_up = "00-00000000000000000000000000000001-0000000000000001-00";
            let made_up = || Traceparent::new(made_up).expect("a valid traceparent");
            let traceparent = Some(metadata.traceparent.unwrap_or_else(made_up));
            Metadata { traceparent, ..metadata }
        })
    }
}

/// Does not store a correlation id that equals the command id, and cannot restore it.
#[derive(Default)]
pub(crate) struct LosesTheOwnCorrelation;

impl Defect for LosesTheOwnCorrelation {
    fn show(&self, commit: Commit) -> Commit {
        let own = commit.metadata().correlation_id.as_str() == commit.command().id.as_str();
        with_metadata(&commit, |metadata| {
            let lost = CorrelationId::new("none").expect("visible ASCII");
            let correlation_id = if own { lost } else { metadata.correlation_id };
            Metadata { correlation_id, ..metadata }
        })
    }
}

/// Parses and rewrites the content, like a JSONB column: numbers lose digits, and fields change their order.
#[derive(Default)]
pub(crate) struct RewritesContent;

impl Defect for RewritesContent {
    fn show(&self, commit: Commit) -> Commit {
        with_events(&commit, |event| {
            let tree: serde_json::Value = event.data.decode().expect("a payload is JSON");
            CommitEvent { data: Payload::encode(&tree).expect("a value is JSON"), ..event }
        })
    }
}

/// Returns every event with schema version 1.
#[derive(Default)]
pub(crate) struct ForgetsTheSchema;

impl Defect for ForgetsTheSchema {
    fn show(&self, commit: Commit) -> Commit {
        with_events(&commit, |event| CommitEvent { schema_version: SchemaVersion::new(1), ..event })
    }
}

/// Returns the events of a commit in reverse order.
#[derive(Default)]
pub(crate) struct TurnsEventsRound;

impl Defect for TurnsEventsRound {
    fn show(&self, commit: Commit) -> Commit {
        let mut events: Vec<_> = commit.events().map(|(_, event)| event.clone()).collect();
        events.reverse();
        restored(&commit, commit.from(), events)
    }
}

/// Does not store the command, so a repeated command is stored twice. dynamo-es and event-store-adapter do this.
#[derive(Default)]
pub(crate) struct LosesTheCommand;

impl Defect for LosesTheCommand {
    fn show(&self, commit: Commit) -> Commit {
        let id = CommandId::new("unknown").expect("visible ASCII");
        let stamp = CommandStamp { id, ..commit.command().clone() };
        stamped(&commit, stamp, commit.metadata().clone())
    }
}

/// Stores the id of a command without its fingerprint.
#[derive(Default)]
pub(crate) struct LosesTheFingerprint;

impl Defect for LosesTheFingerprint {
    fn show(&self, commit: Commit) -> Commit {
        let fingerprint = Fingerprint::restore("1");
        let stamp = CommandStamp { fingerprint, ..commit.command().clone() };
        stamped(&commit, stamp, commit.metadata().clone())
    }
}

/// Does not store the siblings of a commit.
#[derive(Default)]
pub(crate) struct LosesTheOtherCommits;

impl Defect for LosesTheOtherCommits {
    fn show(&self, commit: Commit) -> Commit {
        let stamp = CommandStamp { siblings: Vec::new(), ..commit.command().clone() };
        stamped(&commit, stamp, commit.metadata().clone())
    }
}

/// Does not store snapshots.
#[derive(Default)]
pub(crate) struct LosesSnapshots;

impl Defect for LosesSnapshots {
    fn show(&self, commit: Commit) -> Commit {
        commit.with_snapshot(None)
    }
}

/// Stores a snapshot without the ids of earlier commands.
#[derive(Default)]
pub(crate) struct LosesRecentCommands;

impl Defect for LosesRecentCommands {
    fn show(&self, commit: Commit) -> Commit {
        let snapshot = commit
            .snapshot()
            .cloned()
            .map(|snapshot| Snapshot { recent: RecentCommands::default(), ..snapshot });
        commit.with_snapshot(snapshot)
    }
}

/// Stores a snapshot at the version before, so an event is applied twice. cqrs-es 0.5 does this: after ten commands the
/// state has eleven events.
#[derive(Default)]
pub(crate) struct CountsAnEventTwice;

#[async_trait]
impl Defect for CountsAnEventTwice {
    async fn read_back(
        &self,
        log: &ModelStore,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Read {
        let mut page = log.read_back(stream, span, commits).await?;
        for at in 1..page.commits.len() {
            let snapshot = page.commits[at - 1].snapshot().cloned();
            if snapshot.is_some() {
                page.commits[at - 1] = page.commits[at - 1].clone().with_snapshot(None);
                page.commits[at] = page.commits[at].clone().with_snapshot(snapshot);
            }
        }
        Ok(page)
    }
}

/// Returns a snapshot as one more event of the stream.
#[derive(Default)]
pub(crate) struct TakesSnapshotsForEvents;

#[async_trait]
impl Defect for TakesSnapshotsForEvents {
    async fn read(&self, log: &ModelStore, stream: &StreamId, after: Version) -> Read {
        let mut page = log.read(stream, after).await?;
        if after == Version::NONE
            && page.commits.len() > 2
            && let Some(last) = page.commits.pop()
        {
            let mut events: Vec<_> = last.events().map(|(_, event)| event.clone()).collect();
            if let Some(snapshot) = last.snapshot() {
                events.push(CommitEvent { data: snapshot.state.clone(), ..events[0].clone() });
            }
            page.commits.push(restored(&last, last.from(), events));
        }
        Ok(page)
    }
}

/// Loses the snapshots of commits in a transaction.
#[derive(Default)]
pub(crate) struct LosesSnapshotsOfTransactions;

#[async_trait]
impl Defect for LosesSnapshotsOfTransactions {
    async fn append(&self, log: &ModelStore, new: &NewCommit) -> Write {
        log.append(new).await
    }

    async fn transact(
        &self,
        log: &ModelStore,
        transaction: &ledgerfold::ports::Transaction,
    ) -> Write {
        log.transact(transaction).await?;
        let mut model = log.lock();
        for new in transaction.commits() {
            let new = new.as_commit();
            for commit in &mut model.commits {
                if (commit.stream(), commit.from()) == (new.stream(), new.from()) {
                    *commit = commit.clone().with_snapshot(None);
                }
            }
        }
        Ok(())
    }
}
