//! The patients.

use std::collections::BTreeMap;

use ledgerfold::{
    Decider, EntityId, Recorded, Timestamp, Version, project::Projection, sealed::Sealed,
};
use patients_events::{Demographics, PatientEvent};
use serde::{Deserialize, Serialize};

use crate::domain::{Patient, Patients};

/// The patients, one row each. The rule of [`reading`](crate::domain::reading) decides on reads of a row.
#[derive(Clone, Copy, Debug)]
pub struct PatientViews;

/// A patient, with the places of its records in its stream. The contents of records stay in the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PatientRow {
    /// The state.
    pub patient: Patient,
    /// The demographics.
    pub demographics: Sealed<Demographics>,
    /// Where each record is.
    pub places: BTreeMap<EntityId, Place>,
    /// When the patient was registered.
    pub registered_at: Timestamp,
}

/// Where a record is in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The version of the event that added it.
    pub added: Version,
    /// The version of the event with its newest content.
    pub latest: Version,
}

impl Projection for PatientViews {
    type Event = PatientEvent;
    type Row = PatientRow;

    fn evolve(
        row: Option<PatientRow>,
        recorded: &Recorded<PatientEvent>,
    ) -> Result<Option<PatientRow>, String> {
        let event = &recorded.event;
        let row = match (row, event) {
            (Some(row), _) => row,
            (None, PatientEvent::PatientRegistered(it)) => PatientRow {
                patient: Patients::evolve(None, event).ok_or_else(not_begun)?,
                demographics: it.demographics.clone(),
                places: BTreeMap::new(),
                registered_at: recorded.recorded_at,
            },
            (None, _) => return Err(not_begun()),
        };
        let version = recorded.version;
        let mut places = row.places;
        match event {
            PatientEvent::RecordAdded(it) => {
                places.insert(it.record.clone(), Place { added: version, latest: version });
            }
            PatientEvent::RecordAmended(it) => {
                if let Some(place) = places.get_mut(&it.record) {
                    place.latest = version;
                }
            }
            _ => {}
        }
        let patient = Patients::evolve(Some(row.patient), event).ok_or_else(not_begun)?;
        Ok(Some(PatientRow { patient, places, ..row }))
    }
}

/// A fold found an event before the one that begins its stream.
fn not_begun() -> String {
    "the stream does not begin with its first event".to_owned()
}
