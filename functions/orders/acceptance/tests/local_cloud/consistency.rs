//! A client that sends the token of its last command reads its own writes, without waiting.
//!
//! Guards: a-caller-sees-its-own-commands

use jiff::Timestamp;
use jiff::tz::TimeZone;
use orders_acceptance::eventually;
use orders_acceptance::model::{
    Dashboard, Figures, Order, OrderStatus, OrderSummary, Page, Shipment, ShipmentStatus,
};

use crate::world::{
    EURO, PROJECTED, TestOrder, World, answered, basket, currency, totals_in, unique,
};

// Enough rounds for some of the reads to come before the projection.
const ROUNDS: usize = 8;

async fn reads(world: &World, order: &TestOrder, status: OrderStatus, shipment: ShipmentStatus) {
    let request = world.client.order(&order.id).consistency_token(&order.token);
    let shown: Order = answered(request, 200).await.json().expect("an order");
    assert_eq!((shown.version, shown.status), (order.version, status));

    let request = world.client.shipment(&order.id).consistency_token(&order.token);
    let shown: Shipment = answered(request, 200).await.json().expect("a shipment");
    assert_eq!((shown.version, shown.status), (order.version, shipment));

    let request = world.client.customer_orders(&order.customer).consistency_token(&order.token);
    let shown: Page<OrderSummary> = answered(request, 200).await.json().expect("a page");
    let summary = shown.items.iter().find(|item| item.id == order.id).expect("it is listed");
    assert_eq!((summary.version, summary.status), (order.version, status));
    assert_eq!(summary.total, order.total);
}

#[tokio::test]
async fn order_shipment_and_customer_s_list_show_each_command_at_once() {
    let world = World::shared();
    for _ in 0..ROUNDS {
        let mut order = world.placed().await;
        reads(&world, &order, OrderStatus::Placed, ShipmentStatus::None).await;
        world.pay(&mut order).await;
        reads(&world, &order, OrderStatus::Paid, ShipmentStatus::Pending).await;
        world.ship(&mut order).await;
        reads(&world, &order, OrderStatus::Shipped, ShipmentStatus::Shipped).await;
        world.deliver(&mut order).await;
        reads(&world, &order, OrderStatus::Delivered, ShipmentStatus::Delivered).await;
    }
}

#[tokio::test]
async fn the_first_read_after_several_commands_shows_the_last() {
    let world = World::shared();
    for _ in 0..ROUNDS {
        let order = world.delivered().await;
        reads(&world, &order, OrderStatus::Delivered, ShipmentStatus::Delivered).await;
    }
}

#[tokio::test]
async fn a_new_order_comes_first_in_its_customer_s_list_at_once_and_once() {
    let world = World::shared();
    let customer = unique("customer");
    for count in 1..=ROUNDS {
        let order = world.place(&basket(&customer, EURO)).await;
        let request = world.client.customer_orders(&customer).consistency_token(&order.token);
        let page: Page<OrderSummary> = answered(request, 200).await.json().expect("a page");
        assert_eq!(page.items.first().map(|item| &item.id), Some(&order.id));
        assert!(page.items.len() <= count, "nothing is listed twice");
    }
}

#[tokio::test]
async fn an_older_token_gets_a_newer_answer() {
    let world = World::shared();
    let mut order = world.placed().await;
    let old = order.token.clone();
    world.pay(&mut order).await;
    let newest = world.client.order(&order.id).consistency_token(&order.token);
    answered(newest, 200).await;
    let request = world.client.order(&order.id).consistency_token(&old);
    let shown: Order = answered(request, 200).await.json().expect("an order");
    assert!((1..=2).contains(&shown.version), "version {}", shown.version);
}

/// The dashboard's figures of these days, in the currency that only this test uses.
async fn dashboard(world: &World, token: Option<&str>) -> Figures {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let (from, to) = (today.yesterday().expect("a day"), today.tomorrow().expect("a day"));
    let mut request = world.client.dashboard(from, to);
    if let Some(token) = token {
        request = request.consistency_token(token);
    }
    let dashboard: Dashboard = answered(request, 200).await.json().expect("a dashboard");
    totals_in(&dashboard, currency::READ_YOUR_WRITES)
}

#[tokio::test]
async fn the_dashboard_counts_each_command_at_once() {
    let world = World::shared();
    let start = dashboard(&world, None).await;
    let mut expected = start;
    for _ in 0..ROUNDS {
        let body = basket(&unique("customer"), currency::READ_YOUR_WRITES);
        let mut order = world.place(&body).await;
        expected.placed += 1;
        assert_eq!(dashboard(&world, Some(&order.token)).await, expected, "placed");
        world.pay(&mut order).await;
        expected.paid += 1;
        expected.revenue += order.total.amount;
        assert_eq!(dashboard(&world, Some(&order.token)).await, expected, "paid");
        world.cancel(&mut order).await;
        expected.cancelled += 1;
        expected.revenue -= order.total.amount;
        assert_eq!(dashboard(&world, Some(&order.token)).await, expected, "cancelled");

        // A token concerns one order only, so this order must be counted before the next.
        eventually("the order is counted", PROJECTED, async || {
            let counted = dashboard(&world, None).await;
            if counted == expected { Ok(()) } else { Err(format!("{counted:?}")) }
        })
        .await
        .expect("it is projected");
    }
}
