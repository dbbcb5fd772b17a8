//! The requests that a batch costs, and the bytes that it stores.

use devices_events::TelemetryEvent;
use ledgerfold::Event;
use serde_json::{Value, json};

use crate::world::World;

const NOON: &str = "2026-11-15T12:00:00Z";

/// A hundred readings of a slowly changing metric, one a second.
fn batch(number: u64) -> Vec<Value> {
    let reading = |at: u64| {
        let seq = number * 100 + at + 1;
        let second = number * 100 + at;
        let time = format!(
            "2026-11-15T{:02}:{:02}:{:02}Z",
            second / 3_600 % 24,
            second / 60 % 60,
            second % 60
        );
        let tenths = 215 + (at / 7 + number) % 5;
        let value = f64::from(u32::try_from(tenths).expect("it is small")) / 10.0;
        json!({"seq": seq, "at": time, "metric": "temperature", "value": value})
    };
    (0..100).map(reading).collect()
}

// Guards: a-batch-costs-the-same-for-ever
#[tokio::test]
async fn a_batch_of_an_old_device_costs_what_its_first_did() {
    let mut world = World::with_device(NOON).await;
    let (first, _) = world.log.during(world.send(1, &batch(0))).await;
    assert_eq!(first, ["read telemetry", "append telemetry"]);
    let (second, _) = world.log.during(world.send(1, &batch(1))).await;
    assert_eq!(second, ["append telemetry"], "the state is cached");
    for number in 2..300 {
        assert_eq!(world.send(1, &batch(number)).await.status, 200);
    }
    let (later, _) = world.log.during(world.send(1, &batch(300))).await;
    assert_eq!(later, second);
    world.restart();
    let (cold, answer) = world.log.during(world.send(1, &batch(301))).await;
    assert_eq!(cold, first);
    assert_eq!(answer.json()["accepted"], 100);
}

// Guards: a-batch-costs-the-same-for-ever
#[tokio::test]
async fn a_hundred_readings_fit_into_one_write_unit() {
    let world = World::with_device(NOON).await;
    for number in 0..30 {
        assert_eq!(world.send(1, &batch(number)).await.status, 200);
    }
    let commits = world.log.log.commits();
    let of_readings = |commit: &&ledgerfold::vocabulary::Commit| {
        commit.events().any(|(_, event)| event.event_type.as_str() == "ReadingsRecorded")
    };
    let commits: Vec<_> = commits.iter().filter(of_readings).collect();
    assert_eq!(commits.len(), 30);
    let bytes: usize = commits.iter().map(|commit| commit.payload_bytes()).sum();
    let per_reading = bytes / 3_000;
    assert!(per_reading <= 10, "{per_reading} bytes per reading");
    for commit in commits.iter().filter(|commit| commit.snapshot().is_none()) {
        // 500 bytes are more than a commit has beside its events.
        let bytes = commit.payload_bytes();
        assert!(bytes + 500 <= 1_024, "{bytes} bytes");
    }
    let (_, event) = commits[0].events().next().expect("a batch is one event");
    let event = TelemetryEvent::decode(&event.event_type, event.schema_version, &event.data);
    let event = event.expect("a known event");
    let TelemetryEvent::ReadingsRecorded(recorded) = &event.as_slice()[0] else {
        panic!("{event:?}");
    };
    let readings = recorded.metrics["temperature"].readings().expect("whole columns");
    assert_eq!(readings.len(), 100);
    assert_eq!(
        (readings[99].seq, readings[99].at.to_string().as_str()),
        (100, "2026-11-15T00:01:39Z")
    );
}
