//! Emergency access: its start, its exact end, and the deadline that makes the end visible.

use ledgerfold::{Decider, sealed::Plain};
use ledgerfold_testkit::Given;
use patients::{
    commands::StartEmergencyAccess,
    domain::{
        Emergencies, EndEmergencyAccess, Patients,
        reading::{Reading, may_read},
    },
};
use patients_events::{
    EmergencyAccessEnded, EmergencyAccessStarted, PatientEvent, Purpose, Reason, RecordKind,
};

use crate::setup::{
    MORNING, ada, at, caller, doctor, id, keys, patient, registered, registrar, subject,
};

const END: &str = "2026-11-28T10:00:00Z";

fn start() -> StartEmergencyAccess {
    let reason = Plain::new(Reason("unconscious".to_owned()));
    StartEmergencyAccess { access: id("e-1"), reason }
}

fn started() -> PatientEvent {
    let keys = keys();
    let reason = Plain::new(Reason("unconscious".to_owned()));
    EmergencyAccessStarted {
        access: id("e-1"),
        clinician: subject("dr-1"),
        reason: keys.seal(&keys.subjects()[0], &reason).expect("it is sealed"),
        until: at(END),
    }
    .into()
}

#[test]
fn a_clinician_takes_access_for_an_hour() {
    patient([], doctor()).when_keyed(&keys(), start()).then([started()]);
    for by in [ada(), registrar(), caller("po-1", &["privacy-officer"])] {
        patient([], by).when_keyed(&keys(), start()).then_forbidden();
    }
}

// Guards: an-emergency-access-ends-at-its-time
#[test]
fn it_ends_exactly_at_its_time_and_for_its_clinician_only() {
    let state = [registered(), started()].iter().fold(Patients::initial(), Patients::evolve);
    let ada = state.expect("she is registered");
    let emergency = Reading::Allowed { kinds: RecordKind::ALL.into(), emergency: true };
    let read = |by, purpose, time| may_read(&ada, &by, purpose, at(time));
    for (by, purpose, time, expected) in [
        (doctor(), Purpose::Emergency, MORNING, &emergency),
        (doctor(), Purpose::Treatment, MORNING, &emergency),
        (doctor(), Purpose::Emergency, "2026-11-28T09:59:59.999999999Z", &emergency),
        (doctor(), Purpose::Emergency, END, &Reading::NoConsent),
        (doctor(), Purpose::Research, MORNING, &Reading::NoConsent),
        (caller("dr-2", &["clinician"]), Purpose::Emergency, MORNING, &Reading::NoConsent),
        (caller("dr-1", &["registrar"]), Purpose::Emergency, MORNING, &Reading::NoConsent),
    ] {
        assert_eq!(read(by, purpose, time), *expected, "{purpose:?} at {time}");
    }
}

#[test]
fn the_deadline_records_the_end_and_not_before_its_time() {
    let end = || EndEmergencyAccess { access: id("e-1") };
    let given = || Given::<Emergencies>::events([registered(), started()]);
    given().at("2026-11-28T09:59:59Z").when(end()).then([]);
    given().at(END).when(end()).then([EmergencyAccessEnded { access: id("e-1") }.into()]);
    let other = EndEmergencyAccess { access: id("e-2") };
    given().at(END).when(other).then([]);
    let ended = EmergencyAccessEnded { access: id("e-1") };
    Given::<Emergencies>::events([registered(), started(), ended.into()])
        .at(END)
        .when(end())
        .then([]);
}
