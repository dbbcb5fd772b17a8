//! The process that records the end of emergency accesses.

use ledgerfold::{
    DeadlineName, ProcessName, Recorded,
    ports::DeadlineKey,
    process::{OnRefusal, ProcessManager, Reaction},
};
use patients_events::{EmergencyAccessStarted, PatientEvent};

use crate::domain::{Emergencies, EndEmergencyAccess};

/// Records the end of an emergency access after its time, so that other systems learn of it.
///
/// No decision depends on it: a read compares the time of the access with the clock.
#[derive(Clone, Copy, Debug)]
pub struct EmergencyEnd;

impl ProcessManager for EmergencyEnd {
    type Event = PatientEvent;
    type Target = Emergencies;
    type Settings = ();

    const NAME: ProcessName = ProcessName::from_static("emergency-end");
    const ON_REFUSAL: OnRefusal = OnRefusal::Ignore;
    const REACTS_TO: &'static [&'static str] = &["EmergencyAccessStarted"];
    const ONLY_SCHEDULES: bool = true;

    fn react(event: &Recorded<PatientEvent>, (): &()) -> Vec<Reaction<EndEmergencyAccess>> {
        let PatientEvent::EmergencyAccessStarted(EmergencyAccessStarted { access, until, .. }) =
            &event.event
        else {
            return Vec::new();
        };
        // The service chooses the ids of accesses, and each of them is the name of a deadline.
        let name = DeadlineName::new(access.as_str()).into_iter();
        let stream = || event.stream.clone();
        name.map(|name| Reaction::Schedule { stream: stream(), name, due: *until }).collect()
    }

    fn expire(deadline: &DeadlineKey) -> Option<EndEmergencyAccess> {
        let access = ledgerfold::EntityId::new(deadline.name.as_str()).ok()?;
        Some(EndEmergencyAccess { access })
    }
}
