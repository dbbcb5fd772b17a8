//! Queries: what was sent is shown, at once with a token and soon without.

use acceptance::checks::refused;
use devices_acceptance::eventually;
use devices_acceptance::model::{Fleet, ListedDevice, Rollup, TimelineReading};
use jiff::Timestamp;

use crate::world::{METRIC, PROJECTED, World, answered, batch, body_of, numbered, token_of};

fn today() -> String {
    Timestamp::now().strftime("%Y-%m-%d").to_string()
}

// Guards: sums-of-input-and-rollups-are-equal
#[tokio::test]
async fn a_rollup_includes_the_batch_of_a_token_and_a_late_reading_raises_its_revision() {
    let world = World::shared();
    let id = world.device().await;
    let readings =
        batch(1, (1..=100).map(|seq| (seq, f64::from(u32::try_from(seq).expect("small")))));
    let range = (readings.readings[0].at, readings.readings[99].at);
    let (late, early): (Vec<_>, Vec<_>) =
        readings.readings.clone().into_iter().partition(|reading| reading.seq % 7 == 0);
    let mut sent = readings.clone();
    sent.readings = early;
    let first = world.send(&id, &sent).await;
    let ask = async |token: &str, step: &str| {
        let rollup = world.operator.rollup(&id, METRIC, range, step).consistency_token(token);
        let rollup: Rollup = answered(rollup, 200).await.json().expect("a rollup");
        rollup.windows
    };
    let before = ask(&token_of(&first), "day").await;
    sent.readings = late;
    let token = token_of(&world.send(&id, &sent).await);
    for step in ["minute", "hour", "day"] {
        let windows = ask(&token, step).await;
        let count: u64 = windows.iter().map(|window| window.count).sum();
        let sum: f64 = windows.iter().map(|window| window.sum).sum();
        assert_eq!((count, sum.to_string().as_str()), (100, "5050"), "{step}");
        let min = windows.iter().map(|window| window.min).fold(f64::MAX, f64::min);
        let max = windows.iter().map(|window| window.max).fold(f64::MIN, f64::max);
        assert_eq!((min.to_string().as_str(), max.to_string().as_str()), ("1", "100"), "{step}");
    }
    let after = ask(&token, "day").await;
    assert!(after[0].revision > before[0].revision, "{before:?}, then {after:?}");
    eventually("the read table has it", PROJECTED, async || {
        let rollup = world.operator.rollup(&id, METRIC, range, "day").send().await;
        let rollup: Rollup = rollup.and_then(|it| it.json()).map_err(|error| error.to_string())?;
        if rollup.windows == after { Ok(()) } else { Err(format!("{rollup:?}")) }
    })
    .await
    .expect("it is projected");
}

#[tokio::test]
async fn a_timeline_is_in_the_order_of_time_in_pages_of_any_size() {
    let world = World::shared();
    let id = world.device().await;
    let all = batch(1, (1..=60).map(|seq| (seq, 1.5)));
    let mut token = String::new();
    for part in [2, 0, 1] {
        let mut some = all.clone();
        some.readings.retain(|reading| reading.seq % 3 == part);
        token = token_of(&world.send(&id, &some).await);
    }
    for limit in [1, 7, 100] {
        let request = world.operator.timeline(&id, METRIC).query("limit", limit);
        let request = request.consistency_token(&token);
        let timeline: Vec<TimelineReading> = request.all_pages().await.expect("a list");
        let seqs: Vec<_> = timeline.iter().map(|reading| reading.seq).collect();
        assert_eq!(seqs, (1..=60).collect::<Vec<_>>(), "pages of {limit}");
    }
    let (from, to) = (all.readings[9].at, all.readings[19].at);
    let request = world.operator.timeline(&id, METRIC).query("from", from).query("to", to);
    let some: Vec<TimelineReading> =
        request.consistency_token(&token).all_pages().await.expect("a list");
    let seqs: Vec<_> = some.iter().map(|reading| reading.seq).collect();
    assert_eq!(seqs, (10..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_site_lists_its_devices_and_the_fleet_counts_its_readings() {
    let Some(world) = World::with_callers() else { return };
    let ids = [world.device_at("s-7").await, world.device_at("s-7").await];
    world.device_at("s-8").await;
    let listed = eventually("the site lists its devices", PROJECTED, async || {
        let request = world.operator.devices_of("s-7").query("limit", 1);
        let listed: Vec<ListedDevice> =
            request.all_pages().await.map_err(|error| error.to_string())?;
        if listed.len() == 2 { Ok(listed) } else { Err(format!("{listed:?}")) }
    });
    let listed = listed.await.expect("the list is projected");
    let listed: Vec<_> = listed.iter().map(|device| device.id.as_str()).collect();
    assert_eq!(listed, [ids[1].as_str(), ids[0].as_str()], "the newest first");

    let day = today();
    world.send(&ids[0], &numbered(1, [1, 2, 10])).await;
    world.send(&ids[0], &numbered(1, [1, 5])).await;
    let last = world.send(&ids[1], &numbered(1, [1])).await;
    assert_eq!(body_of(&last).accepted, 1);
    let counted = eventually("the fleet is counted", PROJECTED, async || {
        let fleet = world.operator.fleet(&day, &today()).consistency_token(&token_of(&last));
        let fleet = fleet.send().await.map_err(|error| error.to_string())?;
        let fleet: Fleet = fleet.json().map_err(|error| error.to_string())?;
        if fleet.totals.batches == 3 { Ok(fleet) } else { Err(format!("{fleet:?}")) }
    });
    let Fleet { totals, hours } = counted.await.expect("it is projected");
    let counts = [totals.readings, totals.duplicates, totals.gaps, totals.closed, totals.late];
    assert_eq!(counts, [5, 1, 7, 1, 0]);
    let of_hours: u64 = hours.iter().map(|hour| hour.counts.readings).sum();
    assert_eq!(of_hours, 5);
}

#[tokio::test]
async fn a_device_is_shown_at_once_and_has_a_tag() {
    let world = World::shared();
    let id = world.device().await;
    let sent = world.send(&id, &numbered(1, [1])).await;
    let shown = world.operator.device(&id).consistency_token(&token_of(&sent));
    let shown = answered(shown, 200).await;
    let tag = shown.header("etag").expect("a tag").to_owned();
    assert_eq!(Some(tag.as_str()), sent.header("etag"));
    let again = world.operator.device(&id).consistency_token(&token_of(&sent));
    answered(again.if_none_match(&tag), 304).await;
    refused(world.operator.device("nobody"), 404, "an unknown device").await;
    refused(world.operator.timeline("nobody", METRIC), 404, "an unknown device").await;
}
