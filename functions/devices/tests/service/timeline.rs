//! Timelines and rollups: each reading once and in order, in pages of any size.

use ledgerfold::ports::Random;
use ledgerfold_testkit::SeededRandom;
use serde_json::{Value, json};

use crate::world::World;

fn draw(random: &SeededRandom, below: u64) -> u64 {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    u64::from_le_bytes(bytes) % below
}

/// Readings of random numbers and times within three hours, of which some batches overlap and some are repeated.
async fn filled(seed: u64) -> (World, Vec<(String, u64, u64)>) {
    let world = World::with_device("2026-11-15T12:00:00Z").await;
    let random = SeededRandom::new(seed);
    let mut expected = Vec::new();
    for batch in 0..40_u64 {
        let begin = draw(&random, 10_000);
        let mut readings = Vec::new();
        for at in 0..=draw(&random, 12) {
            let second = begin + at * draw(&random, 120);
            let time = format!(
                "2026-11-15T{:02}:{:02}:{:02}Z",
                9 + second / 3_600,
                second / 60 % 60,
                second % 60,
            );
            let seq = batch * 20 + at + 1;
            expected.push((time.clone(), 1, seq));
            readings.push(json!({"seq": seq, "at": time, "metric": "temperature", "value": seq}));
        }
        for _ in 0..=draw(&random, 1) {
            assert_eq!(world.send(1, &readings).await.status, 200);
        }
    }
    world.project().await;
    expected.sort();
    (world, expected)
}

fn place(reading: &Value) -> (String, u64, u64) {
    let number = |name: &str| reading[name].as_u64().expect("a number");
    (reading["at"].as_str().expect("a time").to_owned(), number("epoch"), number("seq"))
}

// Guards: each-reading-is-taken-once
#[tokio::test]
async fn a_timeline_has_each_reading_once_in_order_in_pages_of_any_size() {
    for seed in 0..4 {
        let (world, expected) = filled(seed).await;
        for limit in [1, 3, 20, 100] {
            let timeline = world.timeline("", limit).await;
            let places: Vec<_> = timeline.iter().map(place).collect();
            assert_eq!(places, expected, "pages of {limit}");
        }
    }
}

#[tokio::test]
async fn a_range_has_both_of_its_ends() {
    let (world, all) = filled(9).await;
    for (from, to) in [(0, all.len() - 1), (10, 60), (33, 33)] {
        let (from, to) = (&all[from].0, &all[to].0);
        let within = all.iter().filter(|(at, ..)| at >= from && at <= to);
        let expected: Vec<_> = within.cloned().collect();
        let timeline = world.timeline(&format!("&from={from}&to={to}"), 7).await;
        assert_eq!(timeline.iter().map(place).collect::<Vec<_>>(), expected);
    }
}

// Guards: sums-of-input-and-rollups-are-equal
#[tokio::test]
async fn the_windows_of_every_step_add_up_to_the_readings() {
    let (world, all) = filled(5).await;
    let sum: u64 = all.iter().map(|(.., seq)| *seq).sum();
    for step in ["minute", "hour", "day"] {
        let path = format!(
            "/devices/d-1/rollup?metric=temperature&from=2026-11-15&to=2026-11-15&step={step}"
        );
        let shown = world.shown(&path).await;
        let windows = shown["windows"].as_array().expect("a list");
        let count: u64 = windows.iter().filter_map(|it| it["count"].as_u64()).sum();
        let count = usize::try_from(count).expect("it is small");
        let total: f64 = windows.iter().filter_map(|it| it["sum"].as_f64()).sum();
        assert_eq!((count, total.to_string()), (all.len(), sum.to_string()), "{step}");
        let starts: Vec<_> = windows.iter().map(|it| it["start"].to_string()).collect();
        assert!(starts.is_sorted(), "{starts:?}");
    }
}

#[tokio::test]
async fn a_late_reading_changes_its_window_and_raises_its_revision() {
    let world = World::with_device("2026-11-15T12:00:00Z").await;
    let reading = |seq: u64, at: &str, value: f64| json!({"seq": seq, "at": at, "metric": "temperature", "value": value});
    let path = "/devices/d-1/rollup?metric=temperature&from=2026-11-01&to=2026-11-01&step=hour";
    world.send(1, &[reading(1, "2026-11-01T08:10:00Z", 3.0)]).await;
    world.send(1, &[reading(2, "2026-11-15T12:00:00Z", 9.0)]).await;
    world.project().await;
    assert_eq!(world.shown(path).await["windows"][0]["revision"], 1);
    let late = world.send(1, &[reading(3, "2026-11-01T08:59:59.9Z", 1.0)]).await;
    let token = late.header("consistency-token").expect("a token").to_owned();
    let expected = json!([{
        "start": "2026-11-01T08:00:00Z", "count": 2, "min": 1.0, "max": 3.0, "sum": 4.0, "mean": 2.0,
        "revision": 2,
    }]);
    let seen = world.get_with(path, &[("consistency-token", &token)]).await.json();
    assert_eq!(seen["windows"], expected, "with a token at once");
    world.project().await;
    assert_eq!(world.shown(path).await["windows"], expected);
}

#[tokio::test]
async fn parameters_that_cannot_be_answered_are_refused() {
    let (world, _) = filled(1).await;
    for path in [
        "/devices/d-1/timeline",
        "/devices/d-1/timeline?metric=temperature&from=yesterday",
        "/devices/d-1/timeline?metric=temperature&cursor=abcdefghijkl",
        "/devices/d-1/timeline?metric=temperature&limit=101",
        "/devices/d-1/rollup?metric=temperature&from=2026-11-15&to=2026-11-15",
        "/devices/d-1/rollup?metric=temperature&from=2026-11-15&to=2026-11-14&step=day",
        "/devices/d-1/rollup?metric=temperature&from=2026-11-15&to=2026-11-15&step=week",
        "/fleet?from=2026-11-15&to=2026-11-14",
        "/fleet?from=2025-11-15&to=2026-11-17",
    ] {
        assert_eq!(world.get(path).await.status, 400, "{path}");
    }
    for path in ["/devices/d-9", "/devices/d-9/timeline?metric=t"] {
        assert_eq!(world.get(path).await.status, 404, "{path}");
    }
    let empty = world.shown("/devices/d-1/timeline?metric=humidity").await;
    assert_eq!(empty, json!({"items": [], "nextCursor": null}));
}
