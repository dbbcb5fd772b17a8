//! Orders in the past.

use jiff::{SignedDuration, Timestamp};
use orders_acceptance::model::{EventRecord, Order, OrderStatus};

use crate::world::{TestOrder, World, answered};
use acceptance::checks::{refused, shows_version};

async fn log(world: &World, order: &TestOrder) -> Vec<EventRecord> {
    world.client.events(&order.id).all_pages().await.expect("the log can be read")
}

#[tokio::test]
async fn an_order_is_shown_as_it_was_at_each_version() {
    let world = World::shared();
    let order = world.delivered().await;
    let history =
        [OrderStatus::Placed, OrderStatus::Paid, OrderStatus::Shipped, OrderStatus::Delivered];
    for (version, status) in (1..).zip(history) {
        let answer = answered(world.client.order(&order.id).query("version", version), 200).await;
        shows_version(&answer, version);
        let shown: Order = answer.json().expect("an order");
        assert_eq!(shown.status, status);
        let times = [shown.paid_at, shown.shipped_at, shown.delivered_at];
        let known = u64::try_from(times.iter().flatten().count()).expect("three at most");
        assert_eq!(known + 1, version, "an order shows nothing of its future");
    }
}

#[tokio::test]
async fn the_newest_version_is_the_current_order() {
    let world = World::shared();
    let mut order = world.paid().await;
    world.cancel(&mut order).await;
    let then = answered(world.client.order(&order.id).query("version", order.version), 200).await;
    let now = world.client.order(&order.id).consistency_token(&order.token);
    assert_eq!(then.text(), answered(now, 200).await.text());
}

#[tokio::test]
async fn a_version_inside_a_commit_shows_the_state_before_that_commit() {
    let world = World::shared();
    let mut order = world.paid().await;
    world.cancel(&mut order).await;
    let request = world.client.order(&order.id).query("version", 3);
    let answer = answered(request, 200).await;
    shows_version(&answer, 2);
    let shown: Order = answer.json().expect("an order");
    assert_eq!((shown.status, shown.refund_requested), (OrderStatus::Paid, false));
}

#[tokio::test]
async fn an_order_is_shown_as_recorded_by_each_instant() {
    let world = World::shared();
    let order = world.delivered().await;
    let log = log(&world, &order).await;
    for at in log.iter().map(|event| event.recorded_at) {
        // Two events may have the same instant; both count as recorded by then.
        let recorded = log.iter().filter(|event| event.recorded_at <= at);
        let version = recorded.map(|event| event.version).max().expect("one at least");
        let answer = answered(world.client.order(&order.id).query("at", at), 200).await;
        shows_version(&answer, version);
    }
    let tomorrow = Timestamp::now() + SignedDuration::from_hours(24);
    let answer = answered(world.client.order(&order.id).query("at", tomorrow), 200).await;
    shows_version(&answer, 4);
}

#[tokio::test]
async fn an_order_is_not_found_before_it_existed_or_at_a_future_version() {
    let world = World::shared();
    let order = world.placed().await;
    let placed_at = log(&world, &order).await[0].recorded_at;
    let before = placed_at - SignedDuration::from_millis(1);
    refused(world.client.order(&order.id).query("at", before), 404, "a moment too early").await;
    let long_ago = "1999-12-31T23:59:59Z";
    refused(world.client.order(&order.id).query("at", long_ago), 404, "long ago").await;
    refused(world.client.order(&order.id).query("version", 2), 404, "a future version").await;
}
