//! Races of commands for one version.
//!
//! Guards: each-version-is-decided-once

use std::collections::BTreeMap;

use futures::future::join_all;
use orders_acceptance::model::{EventRecord, Order, OrderStatus};
use orders_acceptance::{Answer, Request};

use crate::world::{World, answered, reason, unique};
use acceptance::checks::problem;

const RACERS: usize = 50;

async fn race<'a>(requests: impl Iterator<Item = Request<'a>>) -> Vec<Answer> {
    let answers = join_all(requests.map(Request::send)).await;
    answers.into_iter().map(|answer| answer.expect("the service answers")).collect()
}

fn by_status(answers: &[Answer]) -> BTreeMap<u16, usize> {
    let mut count = BTreeMap::new();
    for answer in answers {
        *count.entry(answer.status()).or_default() += 1;
    }
    count
}

#[tokio::test]
async fn of_fifty_commands_at_one_version_exactly_one_wins() {
    let world = World::shared();
    let order = world.placed().await;
    let pay = |_| world.client.pay(&unique("pay"), &order.id, &order.payment()).if_match(1);
    let answers = race((0..RACERS).map(pay)).await;

    assert_eq!(by_status(&answers), BTreeMap::from([(200, 1), (412, RACERS - 1)]));
    for loser in answers.iter().filter(|answer| answer.status() == 412) {
        problem(loser, 412, "a loser of the race");
    }
    assert_eq!(world.commits(&order.id).await, 2);
}

#[tokio::test]
async fn of_fifty_payments_one_pays_and_the_others_are_refused() {
    let world = World::shared();
    let order = world.placed().await;
    let pay = |_| world.client.pay(&unique("pay"), &order.id, &order.payment());
    let answers = race((0..RACERS).map(pay)).await;

    assert_eq!(by_status(&answers), BTreeMap::from([(200, 1), (409, RACERS - 1)]));
    for loser in answers.iter().filter(|answer| answer.status() == 409) {
        assert_eq!(problem(loser, 409, "a loser of the race").name(), "order-already-paid");
    }
    assert_eq!(world.commits(&order.id).await, 2);
}

#[tokio::test]
async fn of_fifty_cancellations_of_a_paid_order_one_asks_for_one_refund() {
    let world = World::shared();
    let order = world.paid().await;
    let cancel = |_| world.client.cancel(&unique("cancel"), &order.id, &reason());
    let answers = race((0..RACERS).map(cancel)).await;

    assert_eq!(by_status(&answers), BTreeMap::from([(200, 1), (409, RACERS - 1)]));
    let log: Vec<EventRecord> =
        world.client.events(&order.id).all_pages().await.expect("the log can be read");
    let types: Vec<_> = log.iter().map(|event| event.r#type.as_str()).collect();
    assert_eq!(types, ["OrderPlaced", "OrderPaid", "OrderCancelled", "RefundRequested"]);
}

#[tokio::test]
async fn payment_and_cancellation_at_once_leave_a_history_that_one_order_can_have() {
    let world = World::shared();
    for _ in 0..10 {
        let order = world.placed().await;
        let (pay, cancel) = (unique("pay"), unique("cancel"));
        let requests = [
            world.client.pay(&pay, &order.id, &order.payment()),
            world.client.cancel(&cancel, &order.id, &reason()),
        ];
        let answers = race(requests.into_iter()).await;
        let paid = answers[0].status() == 200;
        if !paid {
            assert_eq!(problem(&answers[0], 409, "paid too late").name(), "order-cancelled");
        }

        let token = answers[1].consistency_token().expect("it can always be cancelled");
        let request = world.client.order(&order.id).consistency_token(token);
        let shown: Order = answered(request, 200).await.json().expect("an order");
        assert_eq!(shown.status, OrderStatus::Cancelled);
        assert_eq!(shown.refund_requested, paid, "a refund only after a payment");
        assert_eq!(shown.version, if paid { 4 } else { 2 });
    }
}
