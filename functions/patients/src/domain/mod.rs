//! The domain of patients: the state that decisions need, how events change it, the rule of reads, and the reasons to refuse a
//! command. Pure functions without input or output. Each decision is in the file of its command, in
//! [`commands`](crate::commands).

pub mod access;
mod access_log;
mod emergencies;
mod patient;
pub mod reading;
mod rejection;

pub use access_log::{AccessLogs, RecordRead};
pub use emergencies::{Emergencies, EndEmergencyAccess};
pub use patient::{
    Consent, Decision, Emergency, IDENTIFIER, MAX_CONSENTS, MAX_RECORDS, Patient, PatientState,
    Patients, RecordEntry, registered,
};
pub use rejection::PatientRejection;
