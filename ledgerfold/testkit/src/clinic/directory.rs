use ledgerfold::{Recorded, project::Projection, sealed::Sealed};
use serde::{Deserialize, Serialize};

use super::{PatientEvent, PatientName};

/// The patients, one row each.
pub struct Directory;

/// A patient in the directory. The row has the name as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The name.
    pub name: Sealed<PatientName>,
    /// How often it was changed.
    pub changes: u32,
}

impl Projection for Directory {
    type Event = PatientEvent;
    type Row = Entry;

    fn evolve(row: Option<Entry>, event: &Recorded<PatientEvent>) -> Result<Option<Entry>, String> {
        Ok(Some(match &event.event {
            PatientEvent::Registered(it) => Entry { name: it.name.clone(), changes: 0 },
            PatientEvent::Renamed(it) => {
                let changes = row.map_or(0, |row| row.changes) + 1;
                Entry { name: it.name.clone(), changes }
            }
        }))
    }
}
