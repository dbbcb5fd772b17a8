//! An unreadable event quarantines its order in every projection, and nothing else. A fix releases it automatically.
//! If there will be no fix, an operator skips the event.

use std::time::Duration;

use orders_acceptance::eventually;
use serde_json::{Value, json};

use crate::programs::{admin, clean_in_the_end, ledgerfold, program};
use crate::world::{PROJECTED, TestOrder, World, answered};

const PROJECTIONS: [&str; 4] = ["customer-orders", "dashboard", "order-view", "shipment"];
/// Locally a retry is scheduled every minute, which may be a little longer on an emulator. If it comes within a minute of
/// the last attempt, only a later one retries.
const RECOVERED: Duration = Duration::from_secs(240);

/// The quarantine entries of a stream.
fn parked(stream: &str) -> Vec<Value> {
    let (code, answer) = ledgerfold(&["parked"]);
    assert_eq!(code, Some(0), "{answer}");
    let all = answer["parked"].as_array().expect("a list").iter();
    all.filter(|entry| entry["stream"] == *stream).cloned().collect()
}

fn scopes(parked: &[Value]) -> Vec<&str> {
    parked.iter().filter_map(|entry| entry["scope"].as_str()).collect()
}

/// Waits until a stream is quarantined for exactly these projections.
async fn parked_for(stream: &str, projections: &[&str], owed: u64, within: Duration) -> Vec<Value> {
    let condition = format!("{stream} is quarantined for {projections:?}");
    eventually(&condition, within, async || {
        let parked = parked(stream);
        let is_owed = parked.iter().all(|entry| entry["owed_version"] == owed);
        if scopes(&parked) == projections && is_owed {
            Ok(parked)
        } else {
            Err(format!("{parked:?}"))
        }
    })
    .await
    .expect("it is quarantined in time")
}

async fn status(world: &World, order: &TestOrder) -> String {
    let answer = answered(world.client.order(&order.id), 200).await;
    answer.json::<Value>().expect("an order")["status"].as_str().expect("a status").to_owned()
}

// Guards: an-inapplicable-event-quarantines-its-stream-only, a-quarantined-stream-recovers
#[tokio::test]
async fn an_order_with_an_unreadable_event_is_quarantined_until_a_fix() {
    let world = World::alone();
    world.aws.settled(PROJECTED).await.expect("earlier tests are projected");
    let dead_before = world.aws.dead_letters().await.expect("the queues can be asked");
    let mut order = world.placed().await;
    let stream = format!("default/order#{}", order.id);
    let this = ["audit", "--stream", &stream];
    clean_in_the_end(&this).await;

    world.aws.write_by_hand(&order.id, 2, "OrderTeleported", &json!({})).await.expect("written");
    let first = parked_for(&stream, &PROJECTIONS, 2, PROJECTED).await;
    for entry in &first {
        let reason = entry["reason"].as_str().expect("a reason");
        assert!(reason.contains("version 2") && reason.contains("OrderTeleported"), "{reason}");
        assert_eq!((&entry["position"], &entry["version"]), (&json!(1), &json!(2)), "{entry}");
    }
    let shipped = json!({"carrier": "DHL", "trackingNumber": "00340"});
    world.aws.write_by_hand(&order.id, 3, "OrderShipped", &shipped).await.expect("written");
    let waiting = parked_for(&stream, &PROJECTIONS, 3, PROJECTED).await;
    for (waiting, first) in waiting.iter().zip(&first) {
        assert_eq!(waiting["since"], first["since"], "quarantined since the first event");
    }

    // Other orders continue, the quarantined order shows its known state, and there are no dead letters.
    let other = world.shipped().await;
    clean_in_the_end(&["audit", "--stream", &format!("default/order#{}", other.id)]).await;
    assert_eq!(status(&world, &order).await, "placed");
    world.aws.settled(PROJECTED).await.expect("no message is repeated for ever");
    let dead = world.aws.dead_letters().await.expect("the queues can be asked");
    assert_eq!(dead, dead_before, "nothing was given up");
    let (code, found) = admin(&this);
    assert_eq!((code, &found["totals"]["parked"]), (Some(3), &json!(4)), "{found}");
    assert_eq!(found["findings"][0]["verdict"], "parked", "{found}");
    let (code, left) = admin(&["repair", "--stream", &stream]);
    assert_eq!((code, &left["left"]), (Some(3), &json!(4)), "{left}");

    // In production you would fix the code. Here we fix the event; no message announces that.
    let payment = json!({"paymentReference": "psp-1", "amount": order.total});
    world.aws.write_by_hand(&order.id, 2, "OrderPaid", &payment).await.expect("written");
    let (code, answer) = ledgerfold(&["parked", "retry", "shipment"]);
    assert_eq!(code, Some(0), "{answer}");
    // The schedule retries all others.
    for scope in scopes(&waiting).into_iter().filter(|scope| *scope != "shipment") {
        world.aws.age_quarantine(scope, &order.id).await.expect("the entry can be changed");
    }
    parked_for(&stream, &[], 3, RECOVERED).await;
    assert_eq!(status(&world, &order).await, "shipped");
    clean_in_the_end(&this).await;

    // The stream continues as usual, and nothing else was affected.
    assert_eq!(world.deliver(&mut order).await.version, 4);
    clean_in_the_end(&["audit"]).await;
    let dead = world.aws.dead_letters().await.expect("the queues can be asked");
    assert_eq!(dead, dead_before, "nothing was given up");
}

const REASON: &str = "orders cannot be teleported";

/// The arguments that skip an event.
fn skip<'a>(projection: &'a str, stream: &'a str, version: &'a str) -> [&'a str; 9] {
    ["parked", "skip", projection, stream, version, "--actor", "ada", "--reason", REASON]
}

// Guards: only-an-operator-skips-an-event
#[tokio::test]
async fn an_event_without_a_fix_is_skipped_and_the_audit_reports_it() {
    let world = World::alone();
    world.aws.settled(PROJECTED).await.expect("earlier tests are projected");
    let order = world.placed().await;
    let stream = format!("default/order#{}", order.id);
    world.aws.write_by_hand(&order.id, 2, "OrderTeleported", &json!({})).await.expect("written");
    parked_for(&stream, &PROJECTIONS, 2, PROJECTED).await;

    let refused = program("ledgerfold").args(skip("shipment", &stream, "1")).output();
    let refused = refused.expect("`make up` has built it");
    let output_text = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{output_text}");
    assert!(output_text.contains("in quarantine at version 2"), "{output_text}");

    for projection in PROJECTIONS {
        let (code, skipped) = ledgerfold(&skip(projection, &stream, "2"));
        assert_eq!((code, &skipped["recorded"]["version"]), (Some(0), &json!(2)), "{skipped}");
    }
    parked_for(&stream, &[], 2, RECOVERED).await;
    let (code, again) = ledgerfold(&skip("shipment", &stream, "2"));
    assert_eq!((code, &again["alreadySkipped"]["actor"]), (Some(0), &json!("ada")), "{again}");

    // The order continues in every read model and every query.
    let payment = json!({"paymentReference": "psp-1", "amount": order.total});
    world.aws.write_by_hand(&order.id, 3, "OrderPaid", &payment).await.expect("written");
    let this = ["audit", "--stream", &stream];
    clean_in_the_end(&this).await;
    assert_eq!(status(&world, &order).await, "paid");
    let (_, audit) = admin(&this);
    assert_eq!(audit["totals"]["skipped"], 4, "{audit}");
    let skipped = audit["skipped"].as_array().expect("a list");
    assert!(skipped.iter().all(|skip| skip["reason"] == REASON && skip["version"] == 2), "{audit}");

    let (code, rebuilt) = admin(&["rebuild", "shipment", "--yes"]);
    let rebuilt = &rebuilt["rebuilt"][0];
    assert_eq!((code, &rebuilt["wrong"]), (Some(0), &json!(0)), "{rebuilt}");
    assert!(rebuilt["skipped"].as_u64() >= Some(1), "{rebuilt}");
    let (code, removed) = admin(&["remove-old", "shipment", "--longest-read", "1", "--yes"]);
    assert_eq!(code, Some(0), "{removed}");
    clean_in_the_end(&this).await;
}
