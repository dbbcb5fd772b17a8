//! The queries of the service, one file each: the path, the parameters, the answer, and how it is found. Routes, checks
//! and the OpenAPI document follow from these files.
//!
//! Every query names its purpose and is recorded, also if it is refused: `chart` does both in one place.

mod chart;
mod get_accesses;
mod get_erasure;
mod get_history;
mod get_patient;
mod get_records;

use ledgerfold::EntityId;
use ledgerfold_lambda::http::{Api, Problem};

pub use get_accesses::{AccessItem, GetAccesses};
pub use get_erasure::GetErasure;
pub(crate) use get_history::Past;
pub use get_history::{GetHistory, HistoryAnswer, HistoryBody, HistoryItem};
pub use get_patient::{GetPatient, PatientAnswer, PatientContact};
pub use get_records::{GetRecords, RecordItem, RecordStatus};

/// Adds all queries.
pub(crate) fn add_to(api: Api) -> Api {
    api.query::<GetPatient>()
        .query::<GetRecords>()
        .query::<GetHistory>()
        .query::<GetAccesses>()
        .query::<GetErasure>()
}

fn no_such_patient() -> Problem {
    Problem::not_found("The patient does not exist, or it did not exist at that time.")
}

fn erased() -> Problem {
    Problem::erased("The patient's data was erased.")
}

/// The patient in the examples.
fn example_patient() -> EntityId {
    EntityId::new("p-1").expect("p-1 is an id")
}
