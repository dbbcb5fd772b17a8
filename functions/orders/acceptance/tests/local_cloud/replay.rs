//! Lost read tables are filled again from the archive, and no other consumer receives the replay.

use std::time::Duration;

use jiff::Timestamp;
use orders_acceptance::demo::dashboard::Window;
use orders_acceptance::demo::drive::drive;
use orders_acceptance::demo::snapshot::{PlacedOrder, Snapshot, placed_orders};
use serde_json::Value;

use crate::programs::{clean_in_the_end, run};
use crate::projections::{check_answers, scripts};
use crate::world::{PROJECTED, World, unique};

const WORKERS: usize = 8;
// The replay includes all events of earlier tests.
const REPLAYED: Duration = Duration::from_secs(480);

/// Replays everything to these projections, or to all, and waits until they have processed it.
async fn replay(world: &World, projections: &[&str]) {
    let mut arguments = vec!["replay", "start", "--wait"];
    for projection in projections {
        arguments.extend(["--projection", projection]);
    }
    let (code, replayed) = run("ledgerfold", &arguments);
    assert_eq!((code, &replayed["state"]), (Some(0), &Value::from("completed")), "{replayed}");
    if !projections.is_empty() {
        assert_eq!(replayed["projections"], Value::from(projections.to_vec()));
    }
    world.aws.settled(REPLAYED).await.expect("the projections have processed it");
}

/// The answers about these orders, and the dashboard, byte for byte.
async fn answers(world: &World, orders: &[PlacedOrder], window: Window) -> (Snapshot, String) {
    let snapshot = Snapshot::take(&world.client, orders, PROJECTED).await;
    (snapshot, window.text(&world.client).await.expect("the dashboard can be read"))
}

fn lost(audit: &[&str]) -> Value {
    run("ledgerfold", audit).1["totals"]["lost"].clone()
}

// Guards: a-replay-reaches-only-named-rules
#[tokio::test]
async fn lost_tables_are_filled_from_the_archive_and_only_named_projections_receive_it() {
    let world = World::alone();
    let window = Window::around(Timestamp::now());
    let runs = drive(&world.client, scripts(12, 23), &unique("again-"), WORKERS, || ()).await;
    let runs = runs.expect("the service answers");
    check_answers(&runs);
    let orders = placed_orders(&runs);
    world.aws.settled(PROJECTED).await.expect("everything is projected");
    clean_in_the_end(&["audit"]).await;
    let before = answers(&world, &orders, window).await;
    assert_eq!(before.0.wrong, Vec::<String>::new());

    for projection in ["customer-orders", "dashboard"] {
        let rows = world.aws.empty_read_table(projection).await.expect("it can be emptied");
        assert!(rows > 0, "{projection} had rows");
    }
    let stream = format!("default/order#{}", orders[0].id);
    world.aws.lose_row("shipment", &orders[0].id).await.expect("the row was there");
    let shipment = ["audit", "--projection", "shipment", "--stream", &stream];
    assert_eq!(lost(&shipment), 1);
    let dashboard = window.text(&world.client).await.expect("the dashboard can be read");
    assert_ne!(dashboard, before.1, "the loss is visible");

    replay(&world, &["customer-orders", "dashboard"]).await;
    clean_in_the_end(&["audit", "--projection", "customer-orders", "--projection", "dashboard"])
        .await;
    let after = answers(&world, &orders, window).await;
    assert_eq!(before.0.differences(&after.0), Vec::<String>::new());
    assert_eq!(before.1, after.1);
    // MiniStack delivers every replay to every rule.
    if world.stack.emulator.as_deref() != Some("ministack") {
        assert_eq!(lost(&shipment), 1, "shipment was not named, so it received nothing");
    }

    let (code, repaired) = run("ledgerfold", &["repair", "--stream", &stream]);
    assert_eq!((code, lost(&shipment)), (Some(0), Value::from(0)), "{repaired}");
    clean_in_the_end(&["audit"]).await;

    // Now to all projections, for which every event is a duplicate.
    replay(&world, &[]).await;
    let again = answers(&world, &orders, window).await;
    assert_eq!(before.0.differences(&again.0), Vec::<String>::new());
    assert_eq!(before.1, again.1);
    clean_in_the_end(&["audit"]).await;
    let dead = world.aws.dead_letters().await.expect("the queues can be asked");
    assert_eq!(dead.total(), 0, "nothing was given up: {dead}");
}

#[tokio::test]
async fn an_ended_replay_is_shown_and_cannot_be_cancelled() {
    let world = World::alone();
    world.placed().await;
    let name = unique("over");
    let future = ["replay", "start", "--to", "2999-01-01T00:00:00Z", "--json"];
    let refused = crate::programs::program("ledgerfold").args(future).output().expect("it runs");
    assert_eq!(refused.status.code(), Some(2), "the archive has no future events");

    let window = ["--from", "2026-01-01T00:00:00Z", "--to", "2026-01-02T00:00:00Z"];
    let start = [&["replay", "start", "--projection", "shipment", "--name", &name][..], &window];
    let (code, started) = run("ledgerfold", &start.concat());
    assert_eq!((code, &started["name"]), (Some(0), &Value::from(name.clone())), "{started}");
    let (code, watched) = run("ledgerfold", &["replay", "watch", &name]);
    assert_eq!((code, &watched["state"]), (Some(0), &Value::from("completed")), "{watched}");
    let (_, listed) = run("ledgerfold", &["replay", "list"]);
    let listed = listed["replays"].as_array().expect("a list");
    assert!(listed.iter().any(|replay| replay["name"] == *name), "{listed:?}");

    for (arguments, expected) in [
        (vec!["replay", "cancel", &name], "nothing to cancel"),
        (start.concat(), "already"),
        (vec!["replay", "watch", "no-such-replay"], "no replay called no-such-replay"),
    ] {
        let output = crate::programs::program("ledgerfold").args(arguments).output();
        let output = output.expect("it runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains(expected), "{error}");
    }
}
