//! Patients: records, consents and emergency access on Ledgerfold. The history cannot be altered, and a person can be
//! forgotten.
//!
//! | module | content |
//! | --- | --- |
//! | [`domain`] | the state of a patient, the rule of reads, and the reasons to refuse a command; pure |
//! | [`commands`] | one file for each command: its body, its path and its decision |
//! | [`queries`] | one file for each query: its parameters, its path and its answer |
//! | [`read_models`] | folds of events for queries; pure |
//! | [`process`] | reactions to events and deadlines; pure |
//! | [`fhir`] | the history as resources of FHIR R4; pure |
//!
//! [`context`] and [`api`] declare all of them. The program of the functions, `patients-admin` and the OpenAPI document
//! derive their parts from these declarations.

pub mod commands;
pub mod domain;
pub mod fhir;
pub mod process;
pub mod queries;
pub mod read_models;

use ledgerfold::{Role, context::Context};
use ledgerfold_lambda::{
    http::{Api, ErasurePaths},
    service::Service,
};

use domain::{AccessLogs, Patients};
use process::EmergencyEnd;
use read_models::PatientViews;

/// The declaration of patients.
pub fn context() -> Context {
    Context::new("patients")
        .decider_with_claims::<Patients>()
        .erasing::<Patients>()
        .records_reads_in::<AccessLogs>()
        .rows::<PatientViews>("patient-view")
        .of_decider::<Patients>()
        .process_with::<EmergencyEnd>(())
}

impl ErasurePaths for Patients {
    const ERASURE: &'static str = "/patients/{id}/erasure";
    const LEGAL_HOLD: &'static str = "/patients/{id}/legal-hold";
    const LIFT: &'static str = "/patients/{id}/legal-hold/lift";
}

/// The HTTP operations of patients. `openapi.json` in this package describes them for other programs.
pub fn api() -> Api {
    let api = Api::new("Patients", "1.0.0")
        .described(
            "Personal data is sealed with a key of its subject. Every query names its purpose and is recorded.",
        )
        .licensed("Apache-2.0 OR MIT")
        .tried_as(["registrar", "clinician", "privacy-officer"].map(Role::from_static));
    queries::add_to(commands::add_to(api))
}

/// The declaration with the HTTP operations.
pub fn service() -> Service {
    Service::new(context(), api())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_declaration_does_not_contradict_itself() {
        assert_eq!(super::context().check(), Ok(()));
    }
}
