//! Tenants never meet, even where all names are equal.
//!
//! Guards: tenants-never-meet

use acceptance::checks::refused;
use devices_acceptance::model::{Fleet, ListedDevice, TimelineReading};
use devices_acceptance::{Caller, Client, eventually};
use jiff::Timestamp;

use crate::world::{
    METRIC, PROJECTED, World, answered, batch, body_of, registration, token_of, unique,
};

#[tokio::test]
async fn two_tenants_with_equal_names_never_meet() {
    let Some(world) = World::with_callers() else { return };
    let there = Client::new(&world.stack, &Caller::operator().in_tenant(&unique("t")));
    let there = there.expect("a client");
    for (client, value) in [(&world.operator, 1.5), (&there, 2.5)] {
        answered(client.register("key", &registration(Some("d-1"), "s-1")), 201).await;
        let sent = answered(client.send("d-1", &batch(1, [(1, value)])), 200).await;
        let body = body_of(&sent);
        assert_eq!((body.accepted, body.duplicates), (1, Vec::new()));
        let timeline = client.timeline("d-1", METRIC).consistency_token(&token_of(&sent));
        let timeline: Vec<TimelineReading> = timeline.all_pages().await.expect("a list");
        let values: Vec<_> = timeline.iter().map(|reading| reading.value.to_string()).collect();
        assert_eq!(values, [value.to_string()]);
    }
    let day = || Timestamp::now().strftime("%Y-%m-%d").to_string();
    let from = day();
    for client in [&world.operator, &there] {
        eventually("the fleet has this tenant only", PROJECTED, async || {
            let fleet =
                client.fleet(&from, &day()).send().await.map_err(|error| error.to_string())?;
            let fleet: Fleet = fleet.json().map_err(|error| error.to_string())?;
            if fleet.totals.readings == 1 { Ok(()) } else { Err(format!("{fleet:?}")) }
        })
        .await
        .expect("it is projected");
        eventually("the site has this tenant only", PROJECTED, async || {
            let listed: Vec<ListedDevice> =
                client.devices_of("s-1").all_pages().await.map_err(|error| error.to_string())?;
            if listed.len() == 1 { Ok(()) } else { Err(format!("{listed:?}")) }
        })
        .await
        .expect("it is projected");
    }
    let mine = world.device().await;
    refused(there.device(&mine), 404, "a device of the other tenant").await;
    refused(there.send(&mine, &batch(1, [(1, 1.0)])), 404, "a device of the other tenant").await;
}
