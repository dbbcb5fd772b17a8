//! What each role may do.

use serde_json::json;

use crate::world::{World, caller, reading};

const NOON: &str = "2026-11-15T12:00:00Z";

#[tokio::test]
async fn a_device_sends_its_own_readings_and_nothing_else() {
    let mut world = World::with_device(NOON).await;
    world.register("d-2").await;
    world.caller = caller("d-1", "device");
    assert_eq!(world.send(1, &[reading(1, NOON, json!(1))]).await.status, 200);
    let batch = json!({"epoch": 1, "readings": [reading(1, NOON, json!(1))]});
    for id in ["d-2", "d-3"] {
        let other = world.post(&format!("/devices/{id}/readings"), batch.clone()).await;
        assert_eq!(other.status, 404, "{id}: {other:?}");
    }
    let end = world.post("/devices/d-1/decommission", json!({"reason": "x"})).await;
    assert_eq!((end.status, &end.json()["type"]), (403, &json!("/problems/forbidden")));
    let new = world.post("/devices", json!({"model": "x", "site": "s"})).await;
    assert_eq!(new.status, 403, "{new:?}");
    for path in [
        "/devices/d-1",
        "/devices/d-1/timeline?metric=temperature",
        "/devices/d-1/rollup?metric=temperature&from=2026-11-15&to=2026-11-15&step=day",
        "/sites/s-1/devices",
        "/fleet?from=2026-11-15&to=2026-11-15",
    ] {
        assert_eq!(world.get(path).await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn a_device_begins_its_own_months_and_only_those() {
    let mut world = World::with_device(NOON).await;
    world.caller = caller("d-1", "device");
    world.sent(1, [1]).await;
    world.set("2027-01-01T00:00:00Z");
    assert_eq!(world.sent(1, [2]).await["accepted"], 1);
    world.caller = caller("d-2", "device");
    world.set("2027-02-01T00:00:00Z");
    assert_eq!(world.send(1, &[reading(3, NOON, json!(1))]).await.status, 404);
    let months = world.log.log.commits().into_iter();
    assert!(!months.into_iter().any(|commit| commit.stream().id().as_str().ends_with("2027-02")));
}

#[tokio::test]
async fn nobody_else_may_do_anything() {
    let mut world = World::with_device(NOON).await;
    world.caller = caller("d-1", "staff");
    assert_eq!(world.send(1, &[reading(1, NOON, json!(1))]).await.status, 403);
    assert_eq!(world.get("/devices/d-1").await.status, 403);
}

#[tokio::test]
async fn a_device_is_listed_at_its_site_newest_first() {
    let world = World::at(NOON);
    for (id, second) in [("a", 1), ("b", 2), ("c", 3)] {
        world.set(&format!("2026-11-15T12:00:0{second}Z"));
        world.register(id).await;
    }
    world.project().await;
    let page = world.shown("/sites/s-1/devices?limit=2").await;
    let ids = |page: &serde_json::Value| {
        let items = page["items"].as_array().expect("a list").clone();
        items.iter().map(|it| it["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&page), ["c", "b"]);
    let cursor = page["nextCursor"].as_str().expect("there is one more");
    let page = world.shown(&format!("/sites/s-1/devices?limit=2&cursor={cursor}")).await;
    assert_eq!((ids(&page), &page["nextCursor"]), (vec!["a".to_owned()], &json!(null)));
    assert_eq!(ids(&world.shown("/sites/s-2/devices").await), Vec::<String>::new());
}
