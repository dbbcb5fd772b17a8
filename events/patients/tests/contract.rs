//! Checks the event types against their contract: the JSON Schemas, the golden files of each version, and the
//! AsyncAPI document.

use std::collections::BTreeSet;

use ledgerfold::{
    EntityId, Subject, Timestamp,
    sealed::{Plain, SealingKeys},
};
use ledgerfold_testkit::{
    keys_of,
    schemas::{About, check},
};
use patients_events::{
    AccessEvent, Code, ConsentGiven, ConsentWithdrawn, Contact, DataRead, Demographics,
    EmergencyAccessEnded, EmergencyAccessStarted, Identifier, PatientErased, PatientEvent,
    PatientRegistered, Purpose, Reason, RecordAdded, RecordAmended, RecordContent, RecordKind,
    RecordRetracted,
};

fn id(text: &str) -> EntityId {
    EntityId::new(text).expect("an id")
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn seal<T: ledgerfold::sealed::Personal>(
    keys: &SealingKeys,
    content: T,
) -> ledgerfold::sealed::Sealed<T> {
    keys.seal(&keys.subjects()[0], &Plain::new(content)).expect("it is sealed")
}

fn content() -> RecordContent {
    let text = |text: &str| text.to_owned();
    RecordContent {
        code: Code {
            system: text("http://loinc.org"),
            code: text("8310-5"),
            display: text("Body temperature"),
        },
        text: text("38.2 °C"),
        effective_at: time("2026-11-23T09:00:00Z"),
    }
}

/// One event of each type, in its current version.
fn samples() -> [PatientEvent; 9] {
    let keys = keys_of(&["p-1"]);
    let hash = keys.hash(&ledgerfold::Category::from_static("identifier"), "7:system:a1");
    let demographics = Demographics {
        name: "Ada".to_owned(),
        birth_date: "1815-12-10".parse().expect("a date"),
        identifiers: vec![Identifier { system: "system".to_owned(), value: "A1".to_owned() }],
        contact: Contact::default(),
    };
    let reason = || seal(&keys, Reason("typing error".to_owned()));
    let doctor = Subject::new("dr-1").expect("a subject");
    [
        PatientRegistered {
            patient: id("p-1"),
            demographics: seal(&keys, demographics),
            identifiers: vec![hash.clone()],
        }
        .into(),
        RecordAdded {
            record: id("r-1"),
            kind: RecordKind::Observation,
            content: seal(&keys, content()),
        }
        .into(),
        RecordAmended {
            record: id("r-1"),
            kind: RecordKind::Observation,
            content: seal(&keys, content()),
            reason: reason(),
        }
        .into(),
        RecordRetracted { record: id("r-1"), reason: reason() }.into(),
        ConsentGiven {
            consent: id("c-1"),
            grantee: doctor.clone(),
            kinds: Some(BTreeSet::from([RecordKind::Observation])),
            purposes: BTreeSet::from([Purpose::Treatment]),
            until: Some(time("2027-01-01T00:00:00Z")),
        }
        .into(),
        ConsentWithdrawn { consent: id("c-1") }.into(),
        EmergencyAccessStarted {
            access: id("e-1"),
            clinician: doctor,
            reason: reason(),
            until: time("2026-11-23T10:00:00Z"),
        }
        .into(),
        EmergencyAccessEnded { access: id("e-1") }.into(),
        PatientErased { identifiers: vec![hash] }.into(),
    ]
}

fn about(description: &'static str) -> About<'static> {
    About { context: "patients", version: env!("CARGO_PKG_VERSION"), description }
}

// Guards: every-event-can-be-read
#[test]
fn the_events_of_a_patient_match_their_contract() {
    let about = about("The events of patients: records, consents and emergency access.");
    check(&about, concat!(env!("CARGO_MANIFEST_DIR"), "/patient"), &samples());
}

// Guards: every-event-can-be-read
#[test]
fn the_events_of_an_access_log_match_their_contract() {
    let read = DataRead {
        subject: Subject::new("dr-1").expect("a subject"),
        role: "clinician".to_owned(),
        purpose: Purpose::Treatment,
        kinds: vec![RecordKind::Observation],
        allowed: true,
        emergency: false,
    };
    let about = about("Who read data of a patient.");
    check(&about, concat!(env!("CARGO_MANIFEST_DIR"), "/access"), &[AccessEvent::from(read)]);
}
