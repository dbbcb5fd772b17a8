//! Consents and their withdrawal.

use patients::{
    commands::{GiveConsent, Kinds, WithdrawConsent},
    domain::{MAX_CONSENTS, PatientRejection},
};
use patients_events::{ConsentWithdrawn, Purpose, RecordKind};

use crate::setup::{ada, caller, doctor, given, id, keys, patient, registrar, subject};

fn give() -> GiveConsent {
    GiveConsent {
        consent: id("c-1"),
        grantee: subject("dr-1"),
        kinds: Some(Kinds(vec![RecordKind::Note, RecordKind::Observation])),
        purposes: vec![Purpose::Treatment, Purpose::Treatment],
        until: None,
    }
}

fn withdraw(consent: &str) -> WithdrawConsent {
    WithdrawConsent { consent: id(consent) }
}

#[test]
fn the_patient_and_registrars_give_consents() {
    let kinds = [RecordKind::Observation, RecordKind::Note];
    let expected = given("c-1", "dr-1", Some(&kinds), &[Purpose::Treatment]);
    for by in [ada(), registrar()] {
        patient([], by).when_keyed(&keys(), give()).then([expected.clone().into()]);
    }
    patient([], doctor()).when_keyed(&keys(), give()).then_forbidden();
    patient([], caller("p-2", &["patient"])).when_keyed(&keys(), give()).then_hidden();
    // A clinician with the name of the patient.
    patient([], caller("p-1", &["clinician"])).when_keyed(&keys(), give()).then_forbidden();
}

#[test]
fn a_consent_is_withdrawn_once() {
    let consent = || given("c-1", "dr-1", None, &[Purpose::Treatment]).into();
    let withdrawn = || ConsentWithdrawn { consent: id("c-1") };
    patient([consent()], ada()).when_keyed(&keys(), withdraw("c-1")).then([withdrawn().into()]);
    patient([consent(), withdrawn().into()], ada())
        .when_keyed(&keys(), withdraw("c-1"))
        .then_refused(PatientRejection::ConsentWithdrawn);
    patient([consent()], ada())
        .when_keyed(&keys(), withdraw("c-2"))
        .then_refused(PatientRejection::NoSuchConsent);
}

#[test]
fn the_number_of_consents_is_bounded() {
    let consent = |at| given(&format!("c-{at}"), "dr-1", None, &[Purpose::Treatment]).into();
    patient((0..MAX_CONSENTS).map(consent), ada())
        .when_keyed(&keys(), give())
        .then_refused(PatientRejection::TooManyConsents);
}
