//! The audit finds rows missing from a read table, and the repair restores them.

use serde_json::{Value, json};

use crate::programs::{admin, clean_in_the_end};
use crate::world::{PROJECTED, World};

// Guards: gaps-are-found-and-repaired
#[tokio::test]
async fn a_lost_row_is_found_by_the_audit_and_restored_by_the_repair() {
    let world = World::alone();
    let order = world.shipped().await;
    world.aws.settled(PROJECTED).await.expect("everything is projected");
    let stream = format!("default/order#{}", order.id);
    let this = ["audit", "--stream", &stream];
    clean_in_the_end(&this).await;

    for projection in ["order-view", "customer-orders"] {
        world.aws.lose_row(projection, &order.id).await.expect("the row was there");
    }
    let (code, found) = admin(&this);
    assert_eq!((code, &found["totals"]["lost"]), (Some(3), &Value::from(2)), "{found}");
    assert_eq!(found["findings"][0]["projection"], "order-view");
    assert_eq!(found["findings"][0]["missing"], order.version);

    let (code, repaired) = admin(&["repair", "--stream", &stream]);
    assert_eq!((code, &repaired["caughtUp"]), (Some(0), &Value::from(2)), "{repaired}");
    let (code, again) = admin(&["repair", "--stream", &stream]);
    assert_eq!((code, &again["caughtUp"]), (Some(0), &Value::from(0)), "{again}");

    let (_, some) = admin(&["audit", "--sample", "5"]);
    let streams = some["streams"].as_u64().expect("a number");
    assert!((1..=5).contains(&streams), "{some}");

    // The whole log with the counters, while no other test is running.
    clean_in_the_end(&["audit"]).await;
}

// Guards: quiet-streams-are-checked
#[tokio::test]
async fn the_scheduled_audit_finds_a_lost_row_after_its_patience() {
    let world = World::shared();
    let order = world.shipped().await;
    let stream = format!("default/order#{}", order.id);
    clean_in_the_end(&["audit", "--stream", &stream]).await;
    let check = async |event: Value| {
        world.aws.ask("spot-check", &event).await.expect("the function answers")
    };
    let this = json!({"on": [stream], "patience": 0});
    let clean = check(this.clone()).await;
    assert_eq!((&clean["streams"], &clean["wrong"]), (&json!(1), &json!(0)), "{clean}");
    assert_eq!(clean["projections"].as_object().map(serde_json::Map::len), Some(4), "{clean}");

    for projection in ["shipment", "customer-orders"] {
        world.aws.lose_row(projection, &order.id).await.expect("the row was there");
    }
    let found = check(this.clone()).await;
    assert_eq!((&found["wrong"], &found["cutShort"]), (&json!(2), &json!(false)), "{found}");
    assert_eq!(found["projections"]["shipment"]["lost"], 1, "{found}");
    assert_eq!(found["findings"][0]["stream"], stream, "{found}");
    let soon = check(json!({"on": [stream]})).await;
    assert_eq!(soon["wrong"], 0, "it may be on its way: {soon}");

    let (code, repaired) = admin(&["repair", "--stream", &stream]);
    assert_eq!((code, &repaired["caughtUp"]), (Some(0), &json!(2)), "{repaired}");
    assert_eq!(check(this).await["wrong"], 0, "the row is restored");
    let drawn = check(json!({"streams": 3})).await;
    let streams = drawn["streams"].as_u64().expect("a number");
    assert!((1..=3).contains(&streams), "{drawn}");
}
