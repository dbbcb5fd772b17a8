//! Checks the event types against their contract: the JSON Schemas, the golden files of each version, and the
//! AsyncAPI document. And the columns: they give back what was put into them.

use std::collections::BTreeMap;

use devices_events::{
    Column, Damaged, DeviceDecommissioned, DeviceEvent, DeviceRegistered, Gaps, IntakeStopped,
    Month, MonthBegun, MonthClosed, MonthOpened, Reading, ReadingsRecorded, Rejected, Rule, Run,
    TelemetryEvent, Times, Unit, Value, Window,
};
use ledgerfold::{Payload, Timestamp};
use ledgerfold_testkit::schemas::{About, check};

fn month(text: &str) -> Month {
    text.parse().expect("a month")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn reading(seq: u64, time: &str, value: &str) -> Reading {
    Reading { seq, at: at(time), value: Value::parse(value).expect("a value") }
}

fn device_events() -> [DeviceEvent; 3] {
    [
        DeviceRegistered { model: "Thermo 7".to_owned(), site: "s-1".to_owned() }.into(),
        MonthBegun { month: month("2026-11") }.into(),
        DeviceDecommissioned { reason: "Replaced".to_owned() }.into(),
    ]
}

fn telemetry_events() -> [TelemetryEvent; 4] {
    let window = Window { epoch: 1, highest: 106, missing: vec![[101, 105]], forgotten: 7 };
    let opened = MonthOpened {
        previous: Some(month("2026-10")),
        base: 12,
        windows: vec![window],
        closed_through: Some(0),
    };
    let readings = [
        reading(4, "2026-11-29T08:00:00Z", "21.5"),
        reading(5, "2026-11-29T08:00:01Z", "21.5"),
        reading(6, "2026-11-29T08:00:02Z", "21.5"),
        reading(8, "2026-11-29T08:00:04.5Z", "21.50"),
    ];
    let recorded = ReadingsRecorded {
        epoch: 1,
        outdated: true,
        metrics: BTreeMap::from([("temperature".to_owned(), Column::of(&readings))]),
        duplicates: vec![[2, 3]],
        rejected: vec![Rejected { seq: 7, rule: Rule::ValueNotFinite }],
        gaps: Gaps { opened: vec![[7, 7]], closed: vec![[4, 5]], abandoned: vec![[0, 1, 9]] },
        closed_through: Some(0),
    };
    [
        opened.into(),
        recorded.into(),
        IntakeStopped { reason: "Replaced".to_owned() }.into(),
        MonthClosed { next: month("2026-12") }.into(),
    ]
}

const fn about(description: &'static str) -> About<'static> {
    About { context: "devices", version: env!("CARGO_PKG_VERSION"), description }
}

// Guards: every-event-can-be-read
#[test]
fn the_events_of_devices_match_their_contract() {
    let about = about("The events of devices.");
    check(&about, concat!(env!("CARGO_MANIFEST_DIR"), "/device"), &device_events());
}

// Guards: every-event-can-be-read
#[test]
fn the_events_of_readings_match_their_contract() {
    let about = about("The events of devices' readings.");
    check(&about, concat!(env!("CARGO_MANIFEST_DIR"), "/telemetry"), &telemetry_events());
}

fn columns(readings: &[Reading]) -> Column {
    let column = Column::of(readings);
    let text = Payload::encode(&column).expect("columns can be written and read back");
    assert_eq!(text.decode::<Column>().expect("columns"), column);
    column
}

// Guards: a-value-keeps-its-notation
#[test]
fn columns_give_back_what_was_put_into_them() {
    let times = [
        "2026-11-29T08:00:00Z",
        "2026-11-29T08:00:00.000000001Z",
        "1970-01-01T00:00:00.5Z",
        "0001-01-01T00:00:00Z",
        "9999-12-30T22:00:00.999999999Z",
        "2026-11-29T08:00:00Z",
        "2026-11-29T08:00:00Z",
        "2026-11-29T08:00:00Z",
    ];
    let values = ["1", "1", "1", "-0", "1.50", "1e300", "18446744073709551615", "0.1"];
    let seqs = [1, 2, 3, 7, 8, 9_007_199_254_740_990, 9_007_199_254_740_991, u64::MAX];
    for length in 0..=seqs.len() {
        let readings = seqs.iter().zip(times).zip(values).take(length);
        let readings: Vec<_> =
            readings.map(|((seq, time), value)| reading(*seq, time, value)).collect();
        if !readings.is_empty() {
            assert_eq!(columns(&readings).readings(), Ok(readings), "{length}");
        }
    }
}

#[test]
fn equal_steps_and_values_are_one_run() {
    let readings: Vec<_> = (0..100)
        .map(|second| {
            let time = at("2026-11-29T08:00:00Z") + jiff::SignedDuration::from_secs(second);
            let seq = second.unsigned_abs() * 2 + 1;
            Reading { seq, at: time, value: Value::parse("21.5").expect("a value") }
        })
        .collect();
    let column = columns(&readings);
    assert_eq!(column.seqs.steps, [Run::Many(2, 99)]);
    let times = Times { from: readings[0].at, unit: Unit::Second, steps: vec![Run::Many(1, 99)] };
    assert_eq!(column.times, [times]);
    assert_eq!(column.values, [Run::Many(readings[0].value.clone(), 100)]);
}

#[test]
fn damaged_columns_are_refused_in_bounded_memory() {
    let good = columns(&[
        reading(1, "2026-11-29T08:00:00Z", "1"),
        reading(2, "2026-11-29T08:00:01Z", "2"),
    ]);
    let huge = || Run::Many(Value::parse("1").expect("a value"), u32::MAX);
    let mut damaged = vec![good.clone(), good.clone(), good.clone(), good.clone()];
    damaged[0].values.push(huge());
    damaged[1].values.pop();
    damaged[2].seqs.steps = vec![Run::One(u64::MAX)];
    damaged[3].times[0].steps = vec![Run::One(i64::MAX)];
    for column in damaged {
        assert_eq!(column.readings(), Err(Damaged), "{column:?}");
    }
    assert!(good.readings().is_ok());
}
