//! Records with their amendments and retractions.

use ledgerfold::sealed::Plain;
use ledgerfold_testkit::Given;
use patients::{
    commands::{AmendRecord, At, RecordText, RetractRecord},
    domain::{MAX_RECORDS, PatientRejection, Patients},
};
use patients_events::{PatientEvent, Reason, RecordAmended, RecordKind, RecordRetracted};

use crate::setup::{
    MORNING, ada, add, added, at, caller, code, content, doctor, id, keys, patient, registrar,
};

fn amend(record: &str) -> AmendRecord {
    AmendRecord {
        record: id(record),
        kind: RecordKind::Condition,
        code: Plain::new(code()),
        text: Plain::new(RecordText("39 °C".to_owned())),
        effective_at: Plain::new(At(at(MORNING))),
        reason: Plain::new(Reason("typing error".to_owned())),
    }
}

fn retract(record: &str) -> RetractRecord {
    RetractRecord { record: id(record), reason: Plain::new(Reason("in error".to_owned())) }
}

fn retracted(record: &str) -> PatientEvent {
    let keys = keys();
    let reason = keys.seal(&keys.subjects()[0], &Plain::new(Reason("in error".to_owned())));
    RecordRetracted { record: id(record), reason: reason.expect("it is sealed") }.into()
}

#[test]
fn a_clinician_adds_a_record() {
    patient([], doctor()).when_keyed(&keys(), add("r-1", "38 °C")).then([added("r-1", "38 °C")]);
    Given::<Patients>::nothing()
        .by(doctor())
        .when_keyed(&keys(), add("r-1", "38 °C"))
        .then_refused(PatientRejection::NotFound);
}

#[test]
fn nobody_else_writes_records() {
    for by in [ada(), registrar(), caller("po-1", &["privacy-officer"])] {
        patient([], by).when_keyed(&keys(), add("r-1", "38 °C")).then_forbidden();
    }
    // Another patient does not learn that this one exists.
    patient([], caller("p-2", &["patient"])).when_keyed(&keys(), add("r-1", "x")).then_hidden();
}

#[test]
fn an_amendment_has_the_new_content_and_the_reason() {
    let keys = keys();
    let ada = &keys.subjects()[0];
    let reason = Plain::new(Reason("typing error".to_owned()));
    let amended = RecordAmended {
        record: id("r-1"),
        kind: RecordKind::Condition,
        content: keys.seal(ada, &content("39 °C")).expect("it is sealed"),
        reason: keys.seal(ada, &reason).expect("it is sealed"),
    };
    patient([added("r-1", "38 °C")], doctor())
        .when_keyed(&keys, amend("r-1"))
        .then([amended.into()]);
    patient([], doctor())
        .when_keyed(&keys, amend("r-1"))
        .then_refused(PatientRejection::NoSuchRecord);
}

#[test]
fn a_retracted_record_cannot_be_changed() {
    let given = || patient([added("r-1", "38 °C")], doctor());
    given().when_keyed(&keys(), retract("r-1")).then([retracted("r-1")]);
    let given = || patient([added("r-1", "38 °C"), retracted("r-1")], doctor());
    given().when_keyed(&keys(), retract("r-1")).then_refused(PatientRejection::RecordRetracted);
    given().when_keyed(&keys(), amend("r-1")).then_refused(PatientRejection::RecordRetracted);
}

#[test]
fn the_number_of_records_is_bounded() {
    let full: Vec<_> = (0..MAX_RECORDS).map(|at| added(&format!("r-{at}"), "x")).collect();
    patient(full, doctor())
        .when_keyed(&keys(), add("one-more", "x"))
        .then_refused(PatientRejection::TooManyRecords);
}
