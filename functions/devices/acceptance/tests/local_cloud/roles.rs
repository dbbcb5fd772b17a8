//! What each role may do.

use acceptance::checks::{has_fields, refused};
use devices_acceptance::Caller;
use jiff::Timestamp;

use crate::world::{METRIC, World, answered, numbered, registration, unique};

#[tokio::test]
async fn a_device_sends_its_own_readings_and_nothing_else() {
    let Some(world) = World::with_callers() else { return };
    let id = world.device().await;
    let other = world.device().await;
    let device = world.client(Caller::device(&id));
    let sent = answered(device.send(&id, &numbered(1, [1])), 200).await;
    let body = sent.json().expect("JSON");
    has_fields(&body, &["accepted", "duplicates", "rejected", "missing", "version"]);
    refused(device.send(&other, &numbered(1, [1])), 404, "another device").await;
    refused(device.send("nobody", &numbered(1, [1])), 404, "no device").await;
    refused(device.decommission(&unique("key"), &id), 403, "its own end").await;
    refused(device.register(&unique("key"), &registration(None, "s-1")), 403, "a device").await;
    let now = Timestamp::now();
    for (request, case) in [
        (device.device(&id), "its own state"),
        (device.timeline(&id, METRIC), "its own timeline"),
        (device.rollup(&id, METRIC, (now, now), "day"), "its own rollup"),
        (device.devices_of("s-1"), "its site"),
        (device.fleet("2026-11-29", "2026-11-29"), "the fleet"),
    ] {
        let problem = refused(request, 403, case).await;
        assert_eq!(problem.name(), "forbidden", "{case}");
    }
}

#[tokio::test]
async fn a_caller_without_a_role_may_do_nothing() {
    let Some(world) = World::with_callers() else { return };
    let id = world.device().await;
    let nobody = world.client(Caller::nobody());
    refused(nobody.send(&id, &numbered(1, [1])), 403, "a batch").await;
    refused(nobody.device(&id), 403, "a device").await;
    refused(nobody.register(&unique("key"), &registration(None, "s-1")), 403, "a device").await;
}
