//! Values that many tests need.

use ledgerfold::{
    Caller, EntityId, Granted, Role, Subject, TenantId, Timestamp, Via,
    sealed::{Plain, SealingKeys},
};
use ledgerfold_testkit::{Given, keys_of};
use patients::{
    commands::{AddRecord, At, RecordText},
    domain::Patients,
};
use patients_events::{
    Code, ConsentGiven, Contact, Demographics, Identifier, PatientEvent, PatientRegistered,
    Purpose, RecordAdded, RecordContent, RecordKind,
};

pub(crate) const MORNING: &str = "2026-11-28T09:00:00Z";

pub(crate) fn id(text: &str) -> EntityId {
    EntityId::new(text).expect("an id")
}

pub(crate) fn subject(text: &str) -> Subject {
    Subject::new(text).expect("a subject")
}

pub(crate) fn at(time: &str) -> Timestamp {
    time.parse().expect("a time in RFC 3339")
}

/// A caller with these roles.
pub(crate) fn caller(name: &str, roles: &[&'static str]) -> Caller {
    Caller {
        tenant: TenantId::default_tenant(),
        subject: subject(name),
        roles: Granted::only(roles.iter().copied().map(Role::from_static)),
        scopes: Granted::none(),
        via: Via::Token,
    }
}

pub(crate) fn registrar() -> Caller {
    caller("reg-1", &["registrar"])
}

pub(crate) fn doctor() -> Caller {
    caller("dr-1", &["clinician"])
}

/// The patient `p-1` itself.
pub(crate) fn ada() -> Caller {
    caller("p-1", &["patient"])
}

/// The keys of the patient `p-1`.
pub(crate) fn keys() -> SealingKeys {
    keys_of(&["p-1"])
}

pub(crate) fn identifier(value: &str) -> Identifier {
    Identifier { system: "insurance".to_owned(), value: value.to_owned() }
}

/// The patient `p-1`.
pub(crate) fn registered() -> PatientEvent {
    let keys = keys();
    let demographics = Plain::new(Demographics {
        name: "Ada".to_owned(),
        birth_date: "1815-12-10".parse().expect("a date"),
        identifiers: vec![identifier("A1")],
        contact: Contact::default(),
    });
    PatientRegistered {
        patient: id("p-1"),
        demographics: keys.seal(&keys.subjects()[0], &demographics).expect("it is sealed"),
        identifiers: vec![keys.hash(&patients::domain::IDENTIFIER, "9:insurance:a1")],
    }
    .into()
}

pub(crate) fn code() -> Code {
    let text = |text: &str| text.to_owned();
    Code { system: text("http://loinc.org"), code: text("8310-5"), display: text("Temperature") }
}

pub(crate) fn add(record: &str, text: &str) -> AddRecord {
    AddRecord {
        record: id(record),
        kind: RecordKind::Observation,
        code: Plain::new(code()),
        text: Plain::new(RecordText(text.to_owned())),
        effective_at: Plain::new(At(at(MORNING))),
    }
}

pub(crate) fn content(text: &str) -> Plain<RecordContent> {
    Plain::new(RecordContent { code: code(), text: text.to_owned(), effective_at: at(MORNING) })
}

pub(crate) fn added(record: &str, text: &str) -> PatientEvent {
    let keys = keys();
    let content = keys.seal(&keys.subjects()[0], &content(text)).expect("it is sealed");
    RecordAdded { record: id(record), kind: RecordKind::Observation, content }.into()
}

/// A consent to this grantee.
pub(crate) fn given(
    consent: &str,
    grantee: &str,
    kinds: Option<&[RecordKind]>,
    purposes: &[Purpose],
) -> ConsentGiven {
    ConsentGiven {
        consent: id(consent),
        grantee: subject(grantee),
        kinds: kinds.map(|kinds| kinds.iter().copied().collect()),
        purposes: purposes.iter().copied().collect(),
        until: None,
    }
}

/// The patient `p-1` with these events after its registration, for a command of this caller.
pub(crate) fn patient(
    events: impl IntoIterator<Item = PatientEvent>,
    by: Caller,
) -> Given<Patients> {
    Given::events([registered()].into_iter().chain(events)).by(by).at(MORNING)
}
