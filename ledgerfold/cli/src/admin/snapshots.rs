//! `audit --snapshots`: compares the snapshots of streams with the fold of their events.

use ledgerfold::{
    StreamId, Version,
    command::{SnapshotFault, SnapshotFinding},
};
use serde::Serialize;

use super::Context;
use crate::{error::CliError, output::table};

/// A snapshot that is not the fold of its events, or a stream that cannot be folded.
#[derive(Clone, Debug, Serialize)]
pub(super) struct WrongSnapshot {
    stream: StreamId,
    version: Version,
    fault: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<SnapshotFinding> for WrongSnapshot {
    fn from(SnapshotFinding { stream, version, fault }: SnapshotFinding) -> Self {
        let name = fault.name();
        let reason = match fault {
            SnapshotFault::Unreadable(reason) => Some(reason),
            SnapshotFault::State | SnapshotFault::Commands => None,
        };
        Self { stream, version, fault: name, reason }
    }
}

impl WrongSnapshot {
    /// The findings as text, which is empty without any.
    pub(super) fn table(wrong: &[Self]) -> String {
        if wrong.is_empty() {
            return String::new();
        }
        let rows = wrong.iter().map(|Self { stream, version, fault, reason }| {
            let reason = reason.clone().unwrap_or_default();
            [stream.to_string(), version.to_string(), (*fault).to_owned(), reason]
        });
        table(["stream", "snapshot at", "fault", "reason"], rows)
    }
}

/// The wrong snapshots of these streams.
pub(super) async fn examine(
    context: &Context,
    streams: &[StreamId],
) -> Result<Vec<WrongSnapshot>, CliError> {
    let checks = context.declaration.snapshot_checks();
    let mut wrong = Vec::new();
    for stream in streams {
        let found = checks.examine(&*context.log, stream).await?;
        wrong.extend(found.into_iter().map(WrongSnapshot::from));
    }
    Ok(wrong)
}
