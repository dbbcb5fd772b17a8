//! Registration, and the erasure's part of the domain.

use ledgerfold::{
    Claim, Decider, DecisionContext,
    erasure::{EraseSubject, Erasing},
    sealed::Plain,
};
use ledgerfold_lambda::http::HttpCommand;
use ledgerfold_testkit::{Given, erased_keys_of};
use patients::{
    commands::{BirthDate, Name, RegisterPatient},
    domain::{PatientRejection, Patients},
};
use patients_events::PatientErased;

use crate::setup::{
    MORNING, ada, add, at, caller, doctor, identifier, keys, patient, registered, registrar,
};

fn register(values: &[&str]) -> RegisterPatient {
    RegisterPatient {
        name: Plain::new(Name("Ada".to_owned())),
        birth_date: Plain::new(BirthDate("1815-12-10".parse().expect("a date"))),
        identifiers: Plain::new(values.iter().map(|it| identifier(it)).collect()),
        contact: None,
    }
}

#[test]
fn a_registrar_registers_a_patient_once() {
    let nothing = || Given::<Patients>::nothing().by(registrar()).at(MORNING);
    nothing().when_keyed(&keys(), register(&["A1"])).then([registered()]);
    patient([], registrar())
        .when_keyed(&keys(), register(&["A1"]))
        .then_refused(PatientRejection::AlreadyRegistered);
}

#[test]
fn nobody_else_registers() {
    for by in [doctor(), ada(), caller("po-1", &["privacy-officer"])] {
        Given::<Patients>::nothing().by(by).when_keyed(&keys(), register(&["A1"])).then_forbidden();
    }
}

#[test]
fn an_identifier_is_the_same_in_upper_and_lower_case_and_its_key_is_a_keyed_hash() {
    let claims = |values: &[&str]| {
        let context = DecisionContext { at: at(MORNING), caller: &registrar() };
        let command = ledgerfold::sealed::Keyed::new(register(values).into(), keys());
        let events = Patients::decide(&None, &command, &context).expect("it is registered");
        events.iter().flat_map(Patients::claims).collect::<Vec<_>>()
    };
    assert_eq!(claims(&["A1"]), claims(&["a1 "]));
    assert_ne!(claims(&["A1"]), claims(&["A2"]));
    assert!(!format!("{:?}", claims(&["A1"])).contains("a1"));
    // The same identifier twice in one request.
    assert_eq!(register(&["A1", "a1"]).check().len(), 1);
    assert!(register(&["A1", "A2"]).check().is_empty());
}

/// A key that was erased while the command was on its way.
#[test]
fn nothing_is_sealed_for_an_erased_person() {
    Given::<Patients>::nothing()
        .by(registrar())
        .when_keyed(&erased_keys_of(&["p-1"]), register(&["A1"]))
        .then_refused(PatientRejection::Erased);
}

fn erased() -> PatientErased {
    let hash = keys().hash(&patients::domain::IDENTIFIER, "9:insurance:a1");
    PatientErased { identifiers: vec![hash] }
}

#[test]
fn an_erasure_releases_the_identifiers_and_refuses_every_command() {
    let erase = || EraseSubject { basis: "x".to_owned(), requested_by: "y".to_owned() };
    let officer = || caller("po-1", &["privacy-officer"]);
    let given = || Given::<Erasing<Patients>>::events([registered()]);
    given().by(officer()).when(erase()).then([erased().into()]);
    for by in [doctor(), ada(), registrar()] {
        given().by(by).when(erase()).then_forbidden();
    }
    given().by(caller("p-2", &["patient"])).when(erase()).then_hidden();
    Given::<Erasing<Patients>>::nothing()
        .by(officer())
        .when(erase())
        .then_refused(PatientRejection::NotFound);
    Given::<Erasing<Patients>>::events([registered(), erased().into()])
        .by(officer())
        .when(erase())
        .then_refused(PatientRejection::Erased);

    let released = Patients::claims(&erased().into());
    let reserved = Patients::claims(&registered());
    let [Claim::Reserve(key)] = &reserved[..] else { unreachable!("{reserved:?}") };
    assert_eq!(released, [Claim::Release(key.clone())]);
    patient([erased().into()], doctor())
        .when_keyed(&erased_keys_of(&["p-1"]), add("r-1", "38 °C"))
        .then_refused(PatientRejection::Erased);
}
