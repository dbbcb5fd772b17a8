//! The payment deadline, on ports in memory.

use std::time::Duration;

use ledgerfold::{Timestamp, ports::Clock};
use ledgerfold_testkit::SeededRandom;
use serde_json::json;

use crate::world::{PATIENCE, World, body};

/// The types of an order's events.
async fn history(world: &World, id: &str) -> Vec<String> {
    let events = world.get(&format!("/orders/{id}/events")).await.body;
    let events = events["items"].as_array().expect("a list");
    events.iter().filter_map(|event| event["type"].as_str().map(str::to_owned)).collect()
}

fn pass(world: &World, time: Duration) {
    world.clock.set(world.clock.now() + time);
}

#[tokio::test]
async fn an_unpaid_order_is_cancelled_after_its_time_and_not_before() {
    let world = World::new();
    let id = world.place("a").await;
    world.react().await;
    pass(&world, PATIENCE - Duration::from_millis(1));
    world.sweep().await;
    assert_eq!(history(&world, &id).await, ["OrderPlaced"]);
    pass(&world, Duration::from_millis(1));
    world.sweep().await;
    let events = world.get(&format!("/orders/{id}/events")).await.body;
    let (placed, cancelled) = (&events["items"][0], &events["items"][1]);
    assert_eq!(cancelled["type"], "OrderCancelled");
    assert_eq!(cancelled["data"], json!({"reason": "payment deadline"}));
    assert_eq!(cancelled["actor"], "payment-deadline");
    assert_eq!(cancelled["causationId"], placed["id"]);
    assert_eq!(cancelled["correlationId"], placed["correlationId"]);
    let late = world.post(&format!("/orders/{id}/pay"), "late", body("pay")).await;
    assert_eq!((late.status, late.problem()), (409, "order-cancelled"));
}

#[tokio::test]
async fn an_order_in_another_state_is_left_unchanged() {
    for steps in [vec!["pay"], vec!["pay", "ship"], vec!["pay", "ship", "deliver"], vec!["cancel"]]
    {
        let world = World::new();
        let id = world.place("a").await;
        world.react().await;
        world.steps(&id, &steps).await;
        pass(&world, PATIENCE);
        world.sweep().await;
        assert_eq!(world.log.commits().len(), 1 + steps.len(), "{steps:?}");
        assert_eq!(world.deadlines.waiting(), [], "{steps:?}");
    }
}

/// Runs one order through random steps: it is paid at some time or never, its events are delivered repeatedly, and
/// sweeps run at any time.
async fn random_run(seed: u64) {
    let (world, random) = (World::new(), SeededRandom::new(seed));
    let id = world.place("a").await;
    let due = world.clock.now() + PATIENCE;
    let pays_at = random.next() % 60;
    let mut paid_at: Option<Timestamp> = None;
    for step in 0..30 {
        match random.next() % 3 {
            0 => world.react().await,
            1 => world.sweep().await,
            _ => pass(&world, Duration::from_secs(random.next() % 600)),
        }
        if step == pays_at {
            let answer = world.post(&format!("/orders/{id}/pay"), "pay", body("pay")).await;
            paid_at = (answer.status == 200).then(|| world.clock.now());
            assert!(paid_at.is_some() || world.clock.now() >= due, "it came in time: {answer:?}");
        }
    }
    world.clock.set(due + Duration::from_secs(1));
    world.react().await;
    world.sweep().await;
    let fate = if paid_at.is_some() { "OrderPaid" } else { "OrderCancelled" };
    assert_eq!(history(&world, &id).await, ["OrderPlaced", fate], "seed {seed}");
}

// Guards: a-paid-order-is-never-cancelled
#[tokio::test]
async fn an_order_paid_in_time_is_never_cancelled_and_any_other_once() {
    for seed in 0..300 {
        random_run(seed).await;
    }
}

// Guards: a-paid-order-is-never-cancelled
#[tokio::test]
async fn of_a_payment_and_a_deadline_at_the_same_moment_one_wins() {
    for payment_first in [true, false] {
        let world = World::new();
        let id = world.place("a").await;
        world.react().await;
        pass(&world, PATIENCE);
        let path = format!("/orders/{id}/pay");
        let pay = world.post(&path, "pay", body("pay"));
        let answer = if payment_first {
            tokio::join!(pay, world.sweep()).0
        } else {
            tokio::join!(world.sweep(), pay).1
        };
        let fate = if answer.status == 200 { "OrderPaid" } else { "OrderCancelled" };
        assert_eq!(history(&world, &id).await, ["OrderPlaced", fate]);
    }
}
