//! The service on an empty stage.

use ledgerfold::ports::GenerationReader;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn every_read_model_works_from_an_empty_stage() {
    let world = World::new();
    world.clock.set("2026-11-23T09:00:00Z".parse().expect("an instant"));
    let dashboard = "/dashboard?from=2026-11-01&to=2026-11-30";
    let empty = world.get(dashboard).await;
    assert_eq!((empty.status, &empty.body["days"]), (200, &json!([])));

    let id = world.place("a").await;
    let paths = [format!("/orders/{id}"), format!("/orders/{id}/shipment")];
    for path in paths.iter().map(String::as_str).chain(["/customers/c-1/orders", dashboard]) {
        assert_eq!(world.get(path).await.status, 200, "{path} before any projector");
    }
    world.project().await;
    let generations = world.read_side.generation_store();
    for projection in orders::context().projections() {
        let record = generations.read(projection.name()).await.expect("it can be read");
        assert!(record.is_some(), "{} has no record of its generations", projection.name());
    }
    let counted = world.get(dashboard).await;
    assert_eq!((counted.status, &counted.body["days"][0]["placed"]), (200, &json!(1)));
    let listed = world.get("/customers/c-1/orders").await;
    assert_eq!(listed.body["items"][0]["id"], json!(id));
}
