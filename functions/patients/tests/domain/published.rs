//! The examples of IHE and HL7 for consents, in words of our own.
//!
//! Sources: HL7 FHIR R4, Consent, the examples "withhold or withdraw", "by purpose of use", "by kind", "for one
//! organization", "grantor", and "until a date" (<https://hl7.org/fhir/R4/consent-examples.html>); IHE Privacy Consent on
//! FHIR, "deny all but break-glass" (<https://profiles.ihe.net/ITI/PCF/>).

use ledgerfold::{Caller, Decider};
use patients::domain::{
    Patient, Patients,
    reading::{Reading, may_read},
};
use patients_events::{
    ConsentGiven, ConsentWithdrawn, EmergencyAccessStarted, PatientErased, PatientEvent, Purpose,
    Reason, RecordKind,
};

use crate::setup::{ada, at, caller, doctor, given, id, keys, registered, registrar, subject};

const MORNING: &str = crate::setup::MORNING;
const NOON: &str = "2026-11-28T12:00:00Z";

fn after(events: &[PatientEvent]) -> Patient {
    let state = Patients::evolve(Patients::initial(), &registered());
    events.iter().fold(state, Patients::evolve).expect("the patient is registered")
}

fn emergency_of(clinician: &str) -> PatientEvent {
    let keys = keys();
    let reason = ledgerfold::sealed::Plain::new(Reason("accident".to_owned()));
    EmergencyAccessStarted {
        access: id("e-1"),
        clinician: subject(clinician),
        reason: keys.seal(&keys.subjects()[0], &reason).expect("it is sealed"),
        until: at("2026-11-28T10:00:00Z"),
    }
    .into()
}

/// The answer to a caller.
#[derive(Clone, Copy, Debug)]
enum Gets<'a> {
    Nothing,
    Kinds(&'a [RecordKind]),
    ByEmergency,
}

use Gets::{ByEmergency, Kinds, Nothing};
use Purpose::{Emergency, Operations, PatientRequest, Payment, Research, Treatment};
use RecordKind::{Condition, Medication, Note, Observation};

type Attempt<'a> = (Caller, Purpose, &'static str, Gets<'a>);

fn check(example: &str, events: &[PatientEvent], attempts: &[Attempt<'_>]) {
    let patient = after(events);
    for (by, purpose, time, gets) in attempts {
        let expected = match gets {
            Nothing => Reading::NoConsent,
            Kinds(kinds) => {
                Reading::Allowed { kinds: kinds.iter().copied().collect(), emergency: false }
            }
            ByEmergency => Reading::Allowed { kinds: RecordKind::ALL.into(), emergency: true },
        };
        let got = may_read(&patient, by, *purpose, at(time));
        assert_eq!(got, expected, "{example}: {} for {purpose:?} at {time}", by.subject);
    }
}

fn other_doctor() -> Caller {
    caller("dr-2", &["clinician"])
}

const EVERYTHING: Gets<'static> = Kinds(&RecordKind::ALL);

#[test]
fn without_a_consent_everything_is_denied_except_emergencies() {
    let denied = [
        (doctor(), Treatment, MORNING, Nothing),
        (doctor(), Emergency, MORNING, Nothing),
        (registrar(), Operations, MORNING, Nothing),
        (caller("po-1", &["privacy-officer"]), Operations, MORNING, Nothing),
        (ada(), PatientRequest, MORNING, EVERYTHING),
    ];
    check("deny all", &[], &denied);
    let broken = [
        (doctor(), Emergency, MORNING, ByEmergency),
        (other_doctor(), Emergency, MORNING, Nothing),
        (doctor(), Research, MORNING, Nothing),
        (doctor(), Emergency, NOON, Nothing),
    ];
    check("deny all but break-glass", &[emergency_of("dr-1")], &broken);
}

#[test]
fn a_consent_counts_for_its_purposes_only() {
    let consent = given("c-1", "dr-1", None, &[Treatment, Payment]).into();
    let attempts = [
        (doctor(), Treatment, MORNING, EVERYTHING),
        (doctor(), Payment, MORNING, EVERYTHING),
        (doctor(), Research, MORNING, Nothing),
        (doctor(), Operations, MORNING, Nothing),
        (doctor(), Emergency, MORNING, Nothing),
        (other_doctor(), Treatment, MORNING, Nothing),
    ];
    check("by purpose of use", &[consent], &attempts);
}

#[test]
fn a_consent_to_research_is_none_to_treatment() {
    let consent = given("c-1", "clinician", Some(&[Condition]), &[Research]).into();
    let attempts = [
        (doctor(), Research, MORNING, Kinds(&[Condition])),
        (doctor(), Treatment, MORNING, Nothing),
    ];
    check("research only", &[consent], &attempts);
}

#[test]
fn a_consent_counts_for_its_kinds_only() {
    let consents = [
        given("c-1", "dr-1", Some(&[Observation, Medication]), &[Treatment]).into(),
        given("c-2", "dr-1", Some(&[Condition]), &[Payment]).into(),
        given("c-3", "dr-2", Some(&[Note]), &[Treatment]).into(),
    ];
    let attempts = [
        (doctor(), Treatment, MORNING, Kinds(&[Observation, Medication])),
        (doctor(), Payment, MORNING, Kinds(&[Condition])),
        (other_doctor(), Treatment, MORNING, Kinds(&[Note])),
    ];
    check("by kind", &consents, &attempts);
    // An emergency shows more than the consent does, and the record says so.
    let with_emergency = [consents.as_slice(), &[emergency_of("dr-1")]].concat();
    let attempts = [
        (doctor(), Treatment, MORNING, ByEmergency),
        (doctor(), Treatment, NOON, Kinds(&[Observation, Medication])),
    ];
    check("by kind, in an emergency", &with_emergency, &attempts);
}

#[test]
fn consents_add_up() {
    let consents = [
        given("c-1", "dr-1", Some(&[Observation]), &[Treatment]).into(),
        given("c-2", "clinician", Some(&[Note]), &[Treatment]).into(),
    ];
    let attempts = [
        (doctor(), Treatment, MORNING, Kinds(&[Observation, Note])),
        (other_doctor(), Treatment, MORNING, Kinds(&[Note])),
    ];
    check("several consents", &consents, &attempts);
}

#[test]
fn a_consent_to_a_role_counts_for_everybody_with_the_role() {
    let consent = given("c-1", "clinician", None, &[Treatment]).into();
    let attempts = [
        (doctor(), Treatment, MORNING, EVERYTHING),
        (other_doctor(), Treatment, MORNING, EVERYTHING),
        (registrar(), Treatment, MORNING, Nothing),
        // A patient with the name of the role has no rights of it.
        (caller("clinician", &["patient"]), Treatment, MORNING, Nothing),
    ];
    check("for one organization", &[consent], &attempts);
}

#[test]
fn a_consent_ends_exactly_at_its_time() {
    let until = Some(at(NOON));
    let consent = ConsentGiven { until, ..given("c-1", "dr-1", None, &[Treatment]) };
    let attempts = [
        (doctor(), Treatment, "2026-11-28T11:59:59.999999999Z", EVERYTHING),
        (doctor(), Treatment, NOON, Nothing),
    ];
    check("until a date", &[consent.into()], &attempts);
}

#[test]
fn a_withdrawn_consent_counts_no_more_and_another_one_stays() {
    let consents = [
        given("c-1", "dr-1", None, &[Treatment]).into(),
        given("c-2", "dr-1", Some(&[Note]), &[Treatment]).into(),
        ConsentWithdrawn { consent: id("c-1") }.into(),
    ];
    let attempts = [(doctor(), Treatment, MORNING, Kinds(&[Note]))];
    check("withdraw", &consents, &attempts);
}

#[test]
fn a_consent_to_everybody_does_not_exist_and_another_patient_reads_nothing() {
    let consent = given("c-1", "p-2", None, &[Treatment]).into();
    let attempts = [
        (caller("p-2", &["patient"]), Treatment, MORNING, Nothing),
        (caller("p-1", &["registrar"]), Treatment, MORNING, Nothing),
    ];
    check("only clinicians", &[consent], &attempts);
}

#[test]
fn an_erasure_ends_consents_and_emergencies() {
    let events = [
        given("c-1", "dr-1", None, &[Treatment]).into(),
        emergency_of("dr-1"),
        PatientErased { identifiers: Vec::new() }.into(),
    ];
    let attempts =
        [(doctor(), Treatment, MORNING, Nothing), (doctor(), Emergency, MORNING, Nothing)];
    check("after an erasure", &events, &attempts);
}
