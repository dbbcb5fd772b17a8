//! The rules of the joint decisions, as examples.

use devices::domain::{
    BeginFirstMonth, BeginMonth, Device, DeviceCommand, Devices, DevicesRejection, Intake,
    RecordReadings, Sent, StopIntake, Telemetry, TelemetryState,
};
use devices_events::{
    DeviceDecommissioned, DeviceRegistered, IntakeStopped, Month, MonthBegun, MonthClosed,
    MonthOpened, Window,
};
use ledgerfold::{
    Caller, DecisionContext, EntityId, Granted, Role, Subject, Timestamp, command::JointDecider,
};
use ledgerfold_testkit::Given;

fn month(text: &str) -> Month {
    text.parse().expect("a month")
}

fn id() -> EntityId {
    EntityId::new("d-1").expect("an id")
}

fn caller(subject: &str, role: &'static str) -> Caller {
    let subject = Subject::new(subject).expect("a subject");
    Caller { subject, roles: Granted::only([Role::from_static(role)]), ..Caller::anonymous() }
}

fn registered() -> DeviceRegistered {
    DeviceRegistered { model: "m".to_owned(), site: "s".to_owned() }
}

fn opened() -> MonthOpened {
    MonthOpened { previous: None, base: 1, windows: Vec::new(), closed_through: None }
}

fn batch(device: &str) -> RecordReadings {
    let at = Timestamp::UNIX_EPOCH;
    let (metric, value) = ("t".to_owned(), "1".to_owned());
    let device = EntityId::new(device).expect("an id");
    RecordReadings {
        device,
        epoch: 1,
        readings: vec![Sent { seq: 1, at, metric, value }],
        expected: None,
    }
}

fn decide<J: JointDecider<Command = J>>(
    states: <J::Parts as ledgerfold::command::Parts>::States<'_>,
    command: &J,
) -> Result<<J::Parts as ledgerfold::command::Parts>::Events, J::Rejection> {
    let caller = Caller::anonymous();
    J::decide(states, command, &DecisionContext { at: Timestamp::UNIX_EPOCH, caller: &caller })
}

#[test]
fn a_device_is_registered_once_and_ends_once() {
    let register = || DeviceCommand::Register { model: "m".to_owned(), site: "s".to_owned() };
    let end = || DeviceCommand::Decommission { reason: "r".to_owned() };
    Given::<Devices>::nothing().when(register()).then([registered().into()]);
    Given::<Devices>::events([registered().into()])
        .when(register())
        .then_refused(DevicesRejection::DeviceExists);
    let ended = DeviceDecommissioned { reason: "r".to_owned() };
    Given::<Devices>::events([registered().into()]).when(end()).then([ended.clone().into()]);
    Given::<Devices>::nothing().when(end()).then_refused(DevicesRejection::NoDevice);
    Given::<Devices>::events([registered().into(), ended.into()])
        .when(end())
        .then_refused(DevicesRejection::DeviceDecommissioned);
    let begun = MonthBegun { month: month("2026-11") };
    Given::<Devices>::events([registered().into(), begun.into()])
        .when(end())
        .then_refused(DevicesRejection::OtherMonth);
    Given::<Devices>::nothing().by(caller("d-1", "device")).when(register()).then_forbidden();
}

#[test]
fn readings_are_the_device_s_own() {
    let given = || Given::<Telemetry>::events([opened().into()]);
    given().by(caller("d-2", "device")).when(batch("d-1")).then_hidden();
    given().by(caller("d-1", "other")).when(batch("d-1")).then_forbidden();
    let next = month("2026-12");
    let closed = MonthClosed { next };
    Given::<Telemetry>::events([opened().into(), closed.into()])
        .by(caller("d-1", "device"))
        .when(batch("d-1"))
        .then_refused(DevicesRejection::MonthClosed { next });
    Given::<Telemetry>::nothing().when(batch("d-1")).then_refused(DevicesRejection::MonthNotBegun);
    let stopped = IntakeStopped { reason: "r".to_owned() };
    Given::<Telemetry>::events([opened().into(), stopped.into()])
        .when(batch("d-1"))
        .then_refused(DevicesRejection::DeviceDecommissioned);
}

#[test]
fn a_month_is_begun_once_and_carries_the_window_over() {
    let november = month("2026-11");
    let december = month("2026-12");
    let new = TelemetryState::default();
    let first = BeginFirstMonth { device: id(), month: november };
    let begun = (vec![MonthBegun { month: november }.into()], vec![opened().into()]);
    assert_eq!(decide(((&Some(Device::default())), &new), &first), Ok(begun));
    assert_eq!(decide((&None, &new), &first), Err(DevicesRejection::NoDevice));
    let device = Some(Device { month: Some(november), decommissioned: false });
    assert_eq!(decide((&device, &new), &first), Ok((Vec::new(), Vec::new())));

    let windows = vec![Window { epoch: 3, highest: 9, missing: vec![[4, 5]], forgotten: 2 }];
    let old = TelemetryState {
        intake: Intake::Open,
        version: 7,
        windows: windows.clone(),
        closed_through: Some(1),
    };
    let begin = BeginMonth { device: id(), previous: november, month: december };
    let carried =
        MonthOpened { previous: Some(november), base: 7, windows, closed_through: Some(1) };
    let expected = (
        vec![MonthBegun { month: december }.into()],
        vec![MonthClosed { next: december }.into()],
        vec![carried.into()],
    );
    assert_eq!(decide((&device, &old, &new), &begin), Ok(expected));
    let elsewhere = Some(Device { month: Some(december), decommissioned: false });
    let nothing = Ok((Vec::new(), Vec::new(), Vec::new()));
    assert_eq!(decide((&elsewhere, &old, &new), &begin), nothing);
    let ended = Some(Device { month: Some(november), decommissioned: true });
    let refused = Err(DevicesRejection::DeviceDecommissioned);
    assert_eq!(decide((&ended, &old, &new), &begin), refused);
}

#[test]
fn the_end_stops_the_intake_of_the_device_s_month_only() {
    let november = month("2026-11");
    let open = TelemetryState { intake: Intake::Open, version: 4, ..TelemetryState::default() };
    let device = Some(Device { month: Some(november), decommissioned: false });
    let end = |month| StopIntake { month, reason: "r".to_owned(), expected: None };
    let reason = || "r".to_owned();
    let expected = (
        vec![DeviceDecommissioned { reason: reason() }.into()],
        vec![IntakeStopped { reason: reason() }.into()],
    );
    assert_eq!(decide((&device, &open), &end(november)), Ok(expected));
    let other = decide((&device, &open), &end(month("2026-10")));
    assert_eq!(other, Err(DevicesRejection::OtherMonth));
}
