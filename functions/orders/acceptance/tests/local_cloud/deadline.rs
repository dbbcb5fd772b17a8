//! Deadlines: orders that are not paid in time.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use jiff::Timestamp;
use orders_acceptance::eventually;
use orders_acceptance::model::{EventRecord, Order, OrderStatus};
use serde_json::Value;

use crate::world::{PROJECTED, TestOrder, World};

const PROCESS: &str = "payment-deadline";
const SECONDS: &str = "PAYMENT_DEADLINE";
/// Long enough to pay an order on a busy machine.
const PATIENCE: Duration = Duration::from_secs(15);
/// Sweeps run once a minute.
const SWEPT: Duration = Duration::from_secs(240);
const REPLAYED: Duration = Duration::from_secs(240);

/// Runs a test with a short payment deadline, and restores the stack in any case.
async fn impatiently(world: &World, test: impl AsyncFnOnce()) {
    let before = world.aws.variables(PROCESS).await.expect("the function can be asked");
    let mut variables = before.clone();
    variables.insert(SECONDS.to_owned(), PATIENCE.as_secs().to_string());
    world.aws.set_variables(PROCESS, variables).await.expect("the function can be updated");
    let outcome = AssertUnwindSafe(test()).catch_unwind().await;
    world.aws.set_variables(PROCESS, before).await.expect("the function can be updated");
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

async fn shown(world: &World, order: &TestOrder) -> Order {
    let answer = world.client.order(&order.id).send().await.expect("the service answers");
    answer.expect_status(200).and_then(|answer| answer.json()).expect("an order")
}

async fn history(world: &World, order: &TestOrder) -> Vec<EventRecord> {
    world.client.events(&order.id).all_pages().await.expect("the service answers")
}

async fn awaits_payment(world: &World, order: &TestOrder) {
    eventually("the order has a deadline", PROJECTED, async || {
        let deadline = world.aws.has_payment_deadline(&order.id).await;
        deadline.map_err(|error| error.to_string())?.then_some(()).ok_or("none yet".to_owned())
    })
    .await
    .expect("the process has received the order");
}

// Guards: a-paid-order-is-never-cancelled
#[tokio::test]
async fn an_order_that_is_not_paid_in_time_is_cancelled_and_a_paid_one_is_not() {
    let world = World::alone();
    impatiently(&world, async || {
        let (unpaid, paid) = futures::join!(world.placed(), world.paid());
        eventually("the unpaid order is cancelled", SWEPT, async || {
            match shown(&world, &unpaid).await.status {
                OrderStatus::Cancelled => Ok(()),
                status => Err(status.to_string()),
            }
        })
        .await
        .expect("the clock ticks");

        let events = history(&world, &unpaid).await;
        assert_eq!(events.len(), 2, "{events:?}");
        let (placed, cancelled) = (&events[0], &events[1]);
        assert_eq!(cancelled.r#type, "OrderCancelled");
        assert_eq!(cancelled.data["reason"], "payment deadline");
        assert_eq!(cancelled.actor, PROCESS);
        assert_eq!(cancelled.causation_id, Value::from(placed.id.as_str()));
        assert_eq!(cancelled.correlation_id, placed.correlation_id);
        let waited = cancelled.recorded_at.duration_since(placed.recorded_at);
        assert!(waited.unsigned_abs() >= PATIENCE, "it was cancelled after {waited}");

        eventually("the deadline of the paid order has passed", SWEPT, async || {
            let waits = world.aws.has_payment_deadline(&paid.id).await;
            let waits = waits.map_err(|error| error.to_string())?;
            if waits { Err("it waits".to_owned()) } else { Ok(()) }
        })
        .await
        .expect("the clock ticks");
        assert_eq!(shown(&world, &paid).await.status, OrderStatus::Paid);
        assert_eq!(world.commits(&paid.id).await, 2, "the paid order has no further commit");
        assert_eq!(world.commits(&unpaid.id).await, 2);
    })
    .await;
}

// Guards: side-effects-refuse-replays
#[tokio::test]
async fn a_replay_schedules_nothing() {
    let world = World::alone();
    let started = Timestamp::now();
    let (order, control) = (world.placed().await, world.placed().await);
    awaits_payment(&world, &order).await;
    awaits_payment(&world, &control).await;
    world.aws.settled(PROJECTED).await.expect("everything is projected");
    world.aws.lose_payment_deadline(&order.id).await.expect("it was there");

    let replay = world.aws.start_replay(started, Timestamp::now()).await.expect("it starts");
    world.aws.replayed(&replay, REPLAYED).await.expect("it is completed");
    world.aws.settled(REPLAYED).await.expect("all queues are processed");

    let deadline = world.aws.has_payment_deadline(&order.id).await.expect("it can be read");
    assert!(!deadline, "the process reacted to a replayed event");
    let deadline = world.aws.has_payment_deadline(&control.id).await.expect("it can be read");
    assert!(deadline);
    assert_eq!(world.commits(&order.id).await, 1);
    let dead = world.aws.dead_letters().await.expect("the queues can be asked");
    assert_eq!(dead.total(), 0, "nothing was given up: {dead}");
}
