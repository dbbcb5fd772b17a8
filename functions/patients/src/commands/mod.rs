//! The commands of a patient, one file each: the body with its bounds, the path, the refusals, an example and the
//! decision. Routes, checks and the OpenAPI document follow from these files.
//!
//! The library adds the commands of an erasure and of legal holds; [`Patients`] names the
//! events of an erasure.

mod add_record;
mod amend_record;
mod give_consent;
mod register_patient;
mod retract_record;
mod start_emergency_access;
mod withdraw_consent;

use ledgerfold::{Timestamp, commands};
use ledgerfold_lambda::http::Api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::Patients;

pub use add_record::{AddRecord, RecordText};
pub use amend_record::AmendRecord;
pub use give_consent::{GiveConsent, Kinds};
pub use register_patient::{BirthDate, Name, RegisterPatient};
pub use retract_record::RetractRecord;
pub use start_emergency_access::{EMERGENCY_ACCESS, StartEmergencyAccess};
pub use withdraw_consent::WithdrawConsent;

commands! {
    /// A command to a patient.
    pub enum PatientCommand of Patients, sealing {
        RegisterPatient,
        AddRecord,
        AmendRecord,
        RetractRecord,
        GiveConsent,
        WithdrawConsent,
        StartEmergencyAccess,
    }
}

/// Adds the commands that HTTP offers.
pub(crate) fn add_to(api: Api) -> Api {
    api.sealing_command::<RegisterPatient>()
        .sealing_command::<AddRecord>()
        .sealing_command::<AmendRecord>()
        .sealing_command::<RetractRecord>()
        .sealing_command::<GiveConsent>()
        .sealing_command::<WithdrawConsent>()
        .sealing_command::<StartEmergencyAccess>()
        .erasing::<Patients>()
}

/// An instant in UTC, in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    inline,
    extend(
        "pattern" = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$",
        "x-rule" = "an RFC 3339 instant in UTC, for example 2026-11-23T09:00:00Z"
    )
)]
pub struct At(pub Timestamp);
