//! Batches of readings: taken, repeated, refused and missing numbers.

use serde_json::json;

use crate::world::{World, reading};

const NOON: &str = "2026-11-15T12:00:00Z";

// Guards: each-reading-is-taken-once
#[tokio::test]
async fn numbers_are_taken_once_and_gaps_are_known_until_they_close() {
    let world = World::with_device(NOON).await;
    let sent = world.sent(1, [1, 2, 3]).await;
    let expected =
        json!({"accepted": 3, "duplicates": [], "rejected": [], "missing": [], "version": 2});
    assert_eq!(sent, expected);
    let sent = world.sent(1, [2, 4, 100, 106]).await;
    let missing = json!([[5, 99], [101, 105]]);
    assert_eq!((&sent["accepted"], &sent["duplicates"]), (&json!(3), &json!([2])));
    assert_eq!(sent["missing"], missing);
    let again = world.sent(1, [2, 4, 100, 106]).await;
    assert_eq!((&again["accepted"], &again["duplicates"]), (&json!(0), &json!([2, 4, 100, 106])));
    let sent = world.sent(1, [103, 50]).await;
    assert_eq!(sent["missing"], json!([[5, 49], [51, 99], [101, 102], [104, 105]]));
    let sent = world.sent(1, (5..50).chain(51..100).chain([101, 102, 104, 105])).await;
    assert_eq!((&sent["accepted"], &sent["missing"]), (&json!(98), &json!([])));
    let device = world.shown("/devices/d-1").await;
    world.project().await;
    assert_eq!(world.shown("/devices/d-1").await, device, "from the log and from the rows");
    assert_eq!(
        (&device["epoch"], &device["upTo"], &device["version"]),
        (&json!(1), &json!(106), &json!(6))
    );
    assert_eq!(device["latest"]["temperature"]["seq"], 106);
}

#[tokio::test]
async fn a_number_that_occurs_twice_in_a_batch_is_taken_once() {
    let world = World::with_device(NOON).await;
    let readings = [
        reading(2, NOON, json!(1.5)),
        reading(1, NOON, json!(2.5)),
        reading(2, NOON, json!(3.5)),
        reading(2, NOON, json!(4.5)),
    ];
    let answer = world.send(1, &readings).await.json();
    assert_eq!((&answer["accepted"], &answer["duplicates"]), (&json!(2), &json!([2, 2])));
    world.project().await;
    let values: Vec<_> =
        world.timeline("", 10).await.iter().map(|reading| reading["value"].clone()).collect();
    assert_eq!(values, [json!(2.5), json!(1.5)]);
}

#[tokio::test]
async fn a_new_epoch_begins_anew_and_an_older_one_is_late_but_taken_once() {
    let world = World::with_device(NOON).await;
    world.sent(1, [1, 2, 5]).await;
    let sent = world.sent(2, [1, 3]).await;
    assert_eq!((&sent["accepted"], &sent["missing"]), (&json!(2), &json!([[2, 2]])));
    let late = world.sent(1, [3, 5]).await;
    assert_eq!((&late["accepted"], &late["duplicates"]), (&json!(1), &json!([5])));
    assert_eq!(late["missing"], json!([[4, 4]]), "the missing numbers of its own epoch");
    world.project().await;
    let device = world.shown("/devices/d-1").await;
    assert_eq!((&device["epoch"], &device["upTo"]), (&json!(2), &json!(1)));
    assert_eq!(device["latest"]["temperature"]["seq"], 3, "of the newest epoch");
    let timeline = world.timeline("", 10).await;
    let late: Vec<_> = timeline.iter().filter(|it| it["late"] == true).collect();
    assert_eq!(late.len(), 1);
    assert_eq!((&late[0]["epoch"], &late[0]["seq"]), (&json!(1), &json!(3)));
}

#[tokio::test]
async fn the_state_of_a_device_with_wild_numbers_stays_small() {
    let world = World::with_device(NOON).await;
    let far = 9_007_199_254_740_991;
    let sent = world.sent(1, [far]).await;
    assert_eq!(sent["missing"], json!([[1, far - 1]]));
    for batch in 0..6 {
        let seqs = (0..500).map(|at| 10_000 * batch + 2 * at + 2);
        let sent = world.sent(2, seqs).await;
        assert_eq!(sent["accepted"], 500);
        assert_eq!(sent["missing"].as_array().map(Vec::len), Some(100));
    }
    let refused = world.send(2, &[reading(3, NOON, json!(1))]).await;
    assert_eq!(refused.status, 422, "{refused:?}");
    let expected = json!([{"seq": 3, "rule": "number-forgotten"}]);
    assert_eq!(refused.json()["rejected"], expected);
    assert_eq!(world.sent(2, [50_003]).await["accepted"], 1, "a newer gap closes");
    for epoch in 3..40 {
        world.sent(epoch, [1, 3]).await;
    }
    let refused = world.send(5, &[reading(2, NOON, json!(1))]).await.json();
    assert_eq!(refused["rejected"], json!([{"seq": 2, "rule": "epoch-closed"}]));
    assert_eq!(world.sent(30, [2]).await["accepted"], 1, "an epoch that is still known");
    let largest = world.log.log.commits().into_iter();
    let largest = largest.filter_map(|commit| Some(commit.snapshot()?.state.as_str().len())).max();
    assert!(largest.is_some_and(|bytes| bytes < 32 * 1024), "{largest:?}");
}

#[tokio::test]
async fn a_decommissioned_device_sends_nothing() {
    for batches in [0, 1] {
        let world = World::with_device(NOON).await;
        for _ in 0..batches {
            world.sent(1, [1]).await;
        }
        let ended = world.post("/devices/d-1/decommission", json!({"reason": "Broken"})).await;
        assert_eq!(ended.status, 200, "{ended:?}");
        let body = ended.json();
        assert_eq!((&body["id"], &body["version"]), (&json!("d-1"), &json!(2 + batches)));
        assert_eq!(body["events"][0]["type"], "DeviceDecommissioned");
        let refused = world.send(1, &[reading(2, NOON, json!(1))]).await;
        assert_eq!(refused.status, 409);
        assert_eq!(refused.json()["type"], "/problems/device-decommissioned");
        let twice = world.post("/devices/d-1/decommission", json!({"reason": "Broken"})).await;
        assert_eq!(twice.json()["type"], "/problems/device-decommissioned");
        let token = ended.header("consistency-token").expect("a token");
        for _ in 0..2 {
            let path = "/devices/d-1";
            let device = world.get_with(path, &[("consistency-token", token)]).await.json();
            assert_eq!(device["status"], "decommissioned");
            assert_eq!(device["version"], 2 + batches);
            world.project().await;
        }
    }
}

#[tokio::test]
async fn a_repeated_command_has_the_same_answer() {
    let world = World::at(NOON);
    let register = json!({"id": "d-1", "model": "Thermo 7", "site": "s-1"}).to_string();
    let end = json!({"reason": "Broken"}).to_string();
    let key = [("idempotency-key", "once")];
    let first = world.post_text("/devices", &register, &key).await;
    assert_eq!(first.status, 201);
    assert_eq!(first.header("etag"), Some("\"1\""));
    world.sent(1, [1]).await;
    world.set("2027-02-01T00:00:00Z");
    assert_eq!(world.post_text("/devices", &register, &key).await, first);
    let other = register.replace("Thermo", "Hygro");
    assert_eq!(world.post_text("/devices", &other, &key).await.status, 422);
    let exists = world.post("/devices", json!({"id": "d-1", "model": "x", "site": "s"})).await;
    assert_eq!(exists.json()["type"], "/problems/device-exists");
    assert_eq!(world.post_text("/devices/d-1/decommission", &end, &key).await.status, 422);
    let key = [("idempotency-key", "end")];
    let first = world.post_text("/devices/d-1/decommission", &end, &key).await;
    assert_eq!(first.status, 200);
    world.set("2027-05-01T00:00:00Z");
    assert_eq!(world.post_text("/devices/d-1/decommission", &end, &key).await, first);
}

#[tokio::test]
async fn a_version_that_does_not_hold_refuses_a_batch_and_an_end() {
    let world = World::with_device(NOON).await;
    world.sent(1, [1]).await;
    let batch = json!({"epoch": 1, "readings": [reading(2, NOON, json!(1))]}).to_string();
    let end = json!({"reason": "Broken"}).to_string();
    for (path, body) in [("readings", batch), ("decommission", end)] {
        let path = format!("/devices/d-1/{path}");
        let with = |tag| [("if-match", tag), ("idempotency-key", "k")];
        assert_eq!(world.post_text(&path, &body, &with("\"1\"")).await.status, 412, "{path}");
        assert_eq!(world.post_text(&path, &body, &with("*")).await.status, 400, "{path}");
        let version = world.shown("/devices/d-1").await["version"].to_string();
        let tag = format!("\"{version}\"");
        assert_eq!(world.post_text(&path, &body, &with(&tag)).await.status, 200, "{path}");
    }
}
