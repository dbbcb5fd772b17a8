//! The streams of a device: one for each month of its readings.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::world::{World, reading};

fn months(world: &World) -> Vec<String> {
    let streams = world.log.log.commits().into_iter();
    let telemetry = streams.filter(|commit| commit.stream().category().as_str() == "telemetry");
    let ids: BTreeSet<_> = telemetry.map(|commit| commit.stream().id().to_string()).collect();
    ids.into_iter().collect()
}

// Guards: each-reading-is-taken-once
#[tokio::test]
async fn a_batch_that_is_repeated_in_another_month_is_recognised() {
    let mut world = World::with_device("2026-11-30T23:59:59.999Z").await;
    world.sent(1, [1, 2, 5]).await;
    for time in ["2026-12-01T00:00:00Z", "2026-11-30T23:59:59Z", "2027-07-01T00:00:00Z"] {
        world.set(time);
        let again = world.sent(1, [1, 2, 5]).await;
        assert_eq!(again["duplicates"], json!([1, 2, 5]), "{time}");
        assert_eq!(again["missing"], json!([[3, 4]]));
        world.restart();
    }
    assert_eq!(months(&world), ["d-1.2026-11", "d-1.2026-12", "d-1.2027-07"]);
    assert_eq!(world.sent(1, [3, 4, 6]).await["accepted"], 3);
    let device = world.shown("/devices/d-1").await;
    assert_eq!((&device["upTo"], &device["version"]), (&json!(6), &json!(6)));
}

#[tokio::test]
async fn a_clock_that_is_behind_refuses_nothing_and_opens_no_month() {
    let world = World::with_device("2026-12-01T00:00:01Z").await;
    world.sent(1, [1]).await;
    world.set("2026-10-15T00:00:00Z");
    assert_eq!(world.sent(1, [2]).await["accepted"], 1);
    world.set("2026-11-15T00:00:00Z");
    assert_eq!(world.sent(1, [3]).await["accepted"], 1);
    assert_eq!(months(&world), ["d-1.2026-12"]);
}

#[tokio::test]
async fn the_version_of_a_device_grows_across_months() {
    let world = World::with_device("2026-11-15T00:00:00Z").await;
    let mut versions = vec![world.shown("/devices/d-1").await["version"].clone()];
    for (time, seq) in
        [("2026-11-16T00:00:00Z", 1), ("2026-12-16T00:00:00Z", 2), ("2026-12-17T00:00:00Z", 3)]
    {
        world.set(time);
        versions.push(world.sent(1, [seq]).await["version"].clone());
        assert_eq!(world.shown("/devices/d-1").await["version"], versions[versions.len() - 1]);
    }
    assert_eq!(versions, [1, 2, 3, 4].map(Value::from));
}

#[tokio::test]
async fn readings_of_all_months_are_one_timeline_and_one_rollup() {
    let world = World::with_device("2026-11-30T23:50:00Z").await;
    let at = |minute: u32| format!("2026-11-30T23:{minute:02}:00Z");
    let batch = |seqs: &[u32]| {
        let readings = seqs.iter().map(|seq| reading(u64::from(*seq), &at(*seq), json!(seq)));
        readings.collect::<Vec<_>>()
    };
    assert_eq!(world.send(1, &batch(&[1, 4, 2])).await.status, 200);
    world.set("2026-12-01T00:10:00Z");
    assert_eq!(world.send(1, &batch(&[5, 3])).await.status, 200);
    for projected in [false, true] {
        if projected {
            world.project().await;
        }
        let token = world.send(1, &batch(&[6])).await;
        let token = token.header("consistency-token").unwrap_or_default().to_owned();
        let path = "/devices/d-1/timeline?metric=temperature&from=2026-11-30&to=2026-11-30";
        let timeline = world.get_with(path, &[("consistency-token", &token)]).await.json();
        let seqs: Vec<_> = timeline["items"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|it| it["seq"].clone())
            .collect();
        let all = if projected { vec![1, 2, 3, 4, 5, 6] } else { vec![3, 5, 6] };
        assert_eq!(seqs, all.into_iter().map(Value::from).collect::<Vec<_>>());
    }
    world.project().await;
    let path = "/devices/d-1/rollup?metric=temperature&from=2026-11-30&to=2026-11-30&step=hour";
    let expected = json!({"windows": [{
        "start": "2026-11-30T23:00:00Z", "count": 6, "min": 1, "max": 6, "sum": 21.0, "mean": 3.5,
        "revision": 3,
    }]});
    assert_eq!(world.shown(path).await, expected);
    let device = world.shown("/devices/d-1").await;
    assert_eq!(device["latest"]["temperature"]["seq"], 6);
}

#[tokio::test]
async fn the_latest_readings_and_the_last_sight_survive_the_turn_of_a_month() {
    let world = World::with_device("2026-11-30T12:00:00Z").await;
    world.sent(1, [1]).await;
    world.set("2026-12-02T12:00:00Z");
    let humid = json!({"seq": 2, "at": "2026-12-02T11:59:00Z", "metric": "humidity", "value": 40});
    assert_eq!(world.send(1, &[humid]).await.status, 200);
    let device = world.shown("/devices/d-1").await;
    world.project().await;
    assert_eq!(world.shown("/devices/d-1").await, device);
    assert_eq!(device["latest"]["temperature"]["value"], 20.5);
    assert_eq!(device["latest"]["humidity"]["value"], 40);
    assert_eq!(device["lastSeenAt"], "2026-12-02T12:00:00Z");
}
