//! Events that a stranger publishes on behalf of the orders context.

use std::fs;

use orders_acceptance::model::{Order, OrderStatus};
use orders_acceptance::{Stack, eventually};
use serde_json::{Value, json};

use crate::programs::{admin, clean_in_the_end};
use crate::world::{PROJECTED, TestOrder, World};

const METRIC: &str = "\"UnconfirmedEvents\":";

/// How often a function has written the metric of unconfirmed events.
fn alarms(world: &World, function: &str) -> usize {
    let name = &world.stack.contexts["orders"].functions[function];
    let logs = Stack::path().expect("the stack is up").with_file_name("logs");
    // A function that was never invoked has no log yet.
    let log = fs::read_to_string(logs.join(format!("{name}.log"))).unwrap_or_default();
    log.matches(METRIC).count()
}

async fn alarmed(world: &World, function: &str, before: usize) {
    eventually("the forged event is alarmed", PROJECTED, async || {
        if alarms(world, function) > before { Ok(()) } else { Err("no metric yet".to_owned()) }
    })
    .await
    .expect("the function has received the event");
}

async fn shown(world: &World, order: &TestOrder) -> (OrderStatus, Option<String>) {
    let answer = world.client.order(&order.id).send().await.expect("the service answers");
    let tag = answer.header("etag").map(str::to_owned);
    let order = answer.expect_status(200).and_then(|answer| answer.json::<Order>());
    (order.expect("an order").status, tag)
}

// Guards: only-the-relay-publishes, a-lost-deadline-is-scheduled-again
#[tokio::test]
async fn an_event_that_the_log_does_not_have_changes_no_row_schedules_nothing_and_is_alarmed() {
    let world = World::alone();
    let mut order = world.placed().await;
    let audit = [
        "audit",
        "--stream",
        &format!("default/order#{}", order.id),
        "--deadlines",
        "--grace",
        "0",
    ];
    clean_in_the_end(&audit).await;
    world.aws.lose_payment_deadline(&order.id).await.expect("it was there");
    let readers = ["projector-order-view", "projector-dashboard", "payment-deadline"];
    let before = readers.map(|reader| alarms(&world, reader));

    let total = json!({"amount": 900, "currency": "EUR"});
    let paid = json!({"paymentReference": "forged", "amount": total});
    world.aws.forge(&order.id, 2, "OrderPaid", &paid).await.expect("the local bus takes anything");
    let placed = json!({
        "customerId": order.customer, "total": total,
        "items": [{"sku": "tea", "quantity": 2, "unitPrice": {"amount": 450, "currency": "EUR"}}],
    });
    world.aws.forge(&order.id, 2, "OrderPlaced", &placed).await.expect("the bus takes it");
    for (reader, before) in readers.into_iter().zip(before) {
        alarmed(&world, reader, before).await;
    }
    assert_eq!(shown(&world, &order).await, (OrderStatus::Placed, Some("\"1\"".to_owned())));
    let deadline = world.aws.has_payment_deadline(&order.id).await.expect("it can be read");
    assert!(!deadline, "the process believed a forged event");

    // The audit reports the missing deadline, and the repair schedules it.
    let (code, found) = admin(&audit);
    assert_eq!((code, &found["deadlines"][0]["fault"]), (Some(3), &json!("missing")), "{found}");
    let repair = ["repair", "--stream", audit[2], "--deadlines", "--grace", "0", "--yes"];
    let (code, repaired) = admin(&repair);
    let scheduled = repaired["scheduled"].as_array().map(Vec::len);
    assert_eq!((code, scheduled), (Some(0), Some(1)), "{repaired}");
    let deadline = world.aws.has_payment_deadline(&order.id).await.expect("it can be read");
    assert!(deadline, "the repair has scheduled it");

    // The real payment is not a duplicate of the forged one. After it, the forged messages succeed.
    world.pay(&mut order).await;
    eventually("the payment is shown", PROJECTED, async || match shown(&world, &order).await {
        (OrderStatus::Paid, _) => Ok(()),
        (status, _) => Err(status.to_string()),
    })
    .await
    .expect("the payment is projected");
    world.aws.settled(PROJECTED).await.expect("the queues get empty");
    let dead = world.aws.dead_letters().await.expect("the queues can be asked");
    assert_eq!(dead.total(), 0, "the log has this version now: {dead}");
    clean_in_the_end(&audit).await;
    let (_, report) = admin(&audit);
    assert_eq!(report["totals"]["deadlines"], Value::from(0), "{report}");
}
