//! The audit finds what a read table has lost, and the repair brings it home.

use std::env;
use std::process::Command;

use orders_acceptance::{Stack, eventually};
use serde_json::Value;

use crate::world::{PROJECTED, World};

/// What `orders-admin` answers, and its exit code. `make up` builds it beside the functions.
pub(crate) fn admin(arguments: &[&str]) -> (Option<i32>, Value) {
    let test = env::current_exe().expect("a test has a path");
    let binary = test.parent().and_then(|deps| deps.parent()).expect("target/debug/deps");
    let output = Command::new(binary.join("orders-admin"))
        .args(arguments)
        .arg("--json")
        .env("LEDGERFOLD_STACK", Stack::path().expect("the stack is up"))
        .output()
        .expect("`make up` has built orders-admin");
    let said = String::from_utf8_lossy(&output.stderr);
    let answer = serde_json::from_slice(&output.stdout).map_err(|error| format!("{error}: {said}"));
    (output.status.code(), answer.expect("a JSON document"))
}

pub(crate) async fn clean_in_the_end(arguments: &[&str]) {
    eventually("the audit finds nothing", PROJECTED, async || match admin(arguments) {
        (Some(0), _) => Ok(()),
        (_, found) => Err(found.to_string()),
    })
    .await
    .expect("the read models are the fold of the log");
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
