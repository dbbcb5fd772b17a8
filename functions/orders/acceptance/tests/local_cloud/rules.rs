//! Rules of the domain: 409, and 412 for commands with `If-Match`.

use orders_acceptance::Request;
use orders_acceptance::model::{Money, PayOrder};

use crate::world::{TestOrder, World, parcel, reason, unique};
use acceptance::checks::{problem, refused, refused_by_rule};

fn pay<'a>(world: &'a World, order: &TestOrder) -> Request<'a> {
    world.client.pay(&unique("pay"), &order.id, &order.payment())
}

fn cancel<'a>(world: &'a World, order: &TestOrder) -> Request<'a> {
    world.client.cancel(&unique("cancel"), &order.id, &reason())
}

fn ship<'a>(world: &'a World, order: &TestOrder) -> Request<'a> {
    world.client.ship(&unique("ship"), &order.id, &parcel())
}

fn deliver<'a>(world: &'a World, order: &TestOrder) -> Request<'a> {
    world.client.deliver(&unique("deliver"), &order.id)
}

/// Checks that every rule refuses, and leaves the stream unchanged.
async fn check(world: &World, order: &TestOrder, cases: Vec<(&str, Request<'_>, &str)>) {
    let before = world.commits(&order.id).await;
    assert!(before > 0, "the order has commits");
    for (case, request, rule) in cases {
        refused_by_rule(request, rule, case).await;
    }
    assert_eq!(world.commits(&order.id).await, before, "a refused command writes nothing");
}

#[tokio::test]
async fn an_unpaid_order_is_neither_shipped_nor_delivered() {
    let world = World::shared();
    let order = world.placed().await;
    let cases = vec![
        ("ship unpaid", ship(&world, &order), "order-not-paid"),
        ("deliver unshipped", deliver(&world, &order), "order-not-shipped"),
    ];
    check(&world, &order, cases).await;
}

#[tokio::test]
async fn a_payment_must_be_the_total_in_the_order_s_currency() {
    let world = World::shared();
    let order = world.placed().await;
    let with = |amount| {
        let body = PayOrder { payment_reference: "psp-1".to_owned(), amount };
        world.client.pay(&unique("pay"), &order.id, &body)
    };
    let total = order.total.amount;
    let cases = vec![
        ("too little", with(Money::new(total - 1, "EUR")), "amount-mismatch"),
        ("too much", with(Money::new(total + 1, "EUR")), "amount-mismatch"),
        ("another currency", with(Money::new(total, "USD")), "amount-mismatch"),
    ];
    check(&world, &order, cases).await;
}

#[tokio::test]
async fn a_paid_order_is_not_paid_again_and_not_delivered_before_it_is_shipped() {
    let world = World::shared();
    let order = world.paid().await;
    let cases = vec![
        ("pay twice", pay(&world, &order), "order-already-paid"),
        ("deliver unshipped", deliver(&world, &order), "order-not-shipped"),
    ];
    check(&world, &order, cases).await;
}

#[tokio::test]
async fn a_shipped_order_is_not_shipped_again_and_not_cancelled() {
    let world = World::shared();
    let order = world.shipped().await;
    let cases = vec![
        ("ship twice", ship(&world, &order), "order-already-shipped"),
        ("cancel shipped", cancel(&world, &order), "order-already-shipped"),
    ];
    check(&world, &order, cases).await;
}

#[tokio::test]
async fn a_cancelled_order_stays_cancelled() {
    let world = World::shared();
    let order = world.cancelled().await;
    let cases = vec![
        ("pay cancelled", pay(&world, &order), "order-cancelled"),
        ("cancel twice", cancel(&world, &order), "order-cancelled"),
        ("ship cancelled", ship(&world, &order), "order-cancelled"),
        ("deliver cancelled", deliver(&world, &order), "order-cancelled"),
    ];
    check(&world, &order, cases).await;
}

#[tokio::test]
async fn a_delivered_order_is_done() {
    let world = World::shared();
    let order = world.delivered().await;
    check(
        &world,
        &order,
        vec![("deliver twice", deliver(&world, &order), "order-already-delivered")],
    )
    .await;

    // Several rules refuse these; the contract does not define which one is named.
    let rules = ["order-already-paid", "order-already-shipped", "order-already-delivered"];
    for (case, request) in [
        ("pay delivered", pay(&world, &order)),
        ("ship delivered", ship(&world, &order)),
        ("cancel delivered", cancel(&world, &order)),
    ] {
        let problem = refused(request, 409, case).await;
        assert!(rules.contains(&problem.name()), "{case}: {}", problem.r#type);
    }
    assert_eq!(world.commits(&order.id).await, 4);
}

#[tokio::test]
async fn a_command_at_another_version_is_refused_and_writes_nothing() {
    let world = World::shared();
    let order = world.paid().await;
    for (case, version) in [("an older version", 1), ("a future version", 3)] {
        refused(ship(&world, &order).if_match(version), 412, case).await;
    }
    assert_eq!(world.commits(&order.id).await, 2);
}

#[tokio::test]
async fn a_key_of_a_refused_command_may_be_used_again() {
    let world = World::shared();
    let mut order = world.placed().await;
    let key = unique("ship");
    let ship = world.client.ship(&key, &order.id, &parcel());
    refused_by_rule(ship.clone(), "order-not-paid", "ship unpaid").await;
    world.pay(&mut order).await;

    let answer = ship.send().await.expect("the service answers");
    // A refusal is not an event. The contract leaves open whether it is remembered for its key.
    match answer.status() {
        200 => assert_eq!(world.commits(&order.id).await, 3),
        _ => assert_eq!(problem(&answer, 409, "remembered").name(), "order-not-paid"),
    }
}
