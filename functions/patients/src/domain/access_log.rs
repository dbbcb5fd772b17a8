//! The access log of a patient: one event for each read, also for a refused one.

use ledgerfold::{
    Category, Command, CommandName, Decider, DecisionContext, SnapshotPolicy, Snapshots,
};
use patients_events::{AccessEvent, DataRead};
use serde::Serialize;

/// The access logs. The id of a stream is that of the patient.
#[derive(Clone, Copy, Debug)]
pub struct AccessLogs;

/// Record a read. Only queries send it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordRead(pub DataRead);

/// Nothing refuses a record of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("never")]
pub enum NeverRefused {}

impl ledgerfold::Rejection for NeverRefused {
    fn rule(&self) -> &'static str {
        match *self {}
    }
}

impl Command for RecordRead {
    fn name(&self) -> CommandName {
        CommandName::from_static("RecordRead")
    }
}

impl Decider for AccessLogs {
    type Command = RecordRead;
    type Event = AccessEvent;
    /// A decision depends on nothing.
    type State = ();
    type Rejection = NeverRefused;

    const CATEGORY: Category = Category::from_static("access");

    fn initial() {}

    fn evolve((): (), _: &AccessEvent) {}

    fn decide(
        (): &(),
        RecordRead(read): &RecordRead,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<AccessEvent>, NeverRefused> {
        Ok(vec![read.clone().into()])
    }

    /// So that a load of a long log is short.
    fn snapshots() -> Option<Snapshots<()>> {
        Some(Snapshots::of::<Self>(1).every(SnapshotPolicy { events: 20, bytes: 65_536 }))
    }
}
