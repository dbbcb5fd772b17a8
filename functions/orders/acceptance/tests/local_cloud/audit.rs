//! The audit finds what a read table has lost, and the repair brings it home.

use serde_json::Value;

use crate::programs::{clean_in_the_end, run};
use crate::world::{PROJECTED, World};

fn admin(arguments: &[&str]) -> (Option<i32>, Value) {
    run("orders-admin", arguments)
}

#[tokio::test]
async fn a_lost_row_is_found_by_the_audit_and_brought_home_by_the_repair() {
    let world = World::alone();
    let order = world.shipped().await;
    world.aws.settled(PROJECTED).await.expect("everything is projected");
    let stream = format!("order#{}", order.id);
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

    // Everything there is, with the counters, while nobody else is at work.
    clean_in_the_end(&["audit"]).await;
}
