//! A command takes effect once, however often it is sent.
//!
//! Guards: a-command-takes-effect-once

use std::collections::HashSet;

use futures::future::join_all;
use orders_acceptance::model::PayOrder;
use orders_acceptance::{Essence, Request};

use crate::world::{EURO, World, answered, basket, parcel, reason, unique};
use acceptance::checks::{refused, refused_by_rule};

/// Sends copies of a request concurrently. Returns the common parts of their answers, which must be equal.
async fn sent_at_once(request: Request<'_>, copies: usize) -> Essence {
    let answers = join_all((0..copies).map(|_| request.clone().send())).await;
    let different: HashSet<Essence> =
        answers.into_iter().map(|answer| answer.expect("the service answers").essence()).collect();
    assert_eq!(different.len(), 1, "one answer for all: {different:#?}");
    different.into_iter().next().expect("one answer")
}

#[tokio::test]
async fn a_repeated_creation_is_answered_as_the_first_time() {
    let world = World::shared();
    let command = world.client.place(&unique("place"), &basket(&unique("customer"), EURO));
    let first = answered(command.clone(), 201).await;
    let again = answered(command, 201).await;

    assert_eq!(first.essence(), again.essence());
    let id = first.accepted().expect("a success").id;
    assert_eq!(world.commits(&id).await, 1);
}

#[tokio::test]
async fn every_command_repeated_after_the_order_moved_on_is_answered_as_the_first_time() {
    let world = World::shared();
    let basket = basket(&unique("customer"), EURO);
    let place = world.client.place(&unique("place"), &basket);
    let placed = answered(place.clone(), 201).await;
    let id = placed.accepted().expect("a success").id;
    let amount = basket.total().expect("it has items");
    let payment = PayOrder { payment_reference: "psp-1".to_owned(), amount };
    let later = [
        world.client.pay(&unique("pay"), &id, &payment).if_match(1),
        world.client.ship(&unique("ship"), &id, &parcel()),
        world.client.deliver(&unique("deliver"), &id),
    ];

    let mut first = vec![placed.essence()];
    for command in &later {
        first.push(answered(command.clone(), 200).await.essence());
    }
    let mut again = vec![answered(place, 201).await.essence()];
    for command in later {
        again.push(answered(command, 200).await.essence());
    }
    assert_eq!(first, again);
    assert_eq!(world.commits(&id).await, 4);
}

#[tokio::test]
async fn a_hundred_sends_of_one_creation_at_once_place_one_order() {
    let world = World::shared();
    let customer = unique("customer");
    let command = world.client.place(&unique("place"), &basket(&customer, EURO));
    let answer = sent_at_once(command.clone(), 100).await;

    assert_eq!(answer.status, 201);
    let id = answered(command, 201).await.accepted().expect("a success").id;
    assert_eq!(world.commits(&id).await, 1);
}

#[tokio::test]
async fn a_hundred_sends_of_one_payment_at_once_pay_once() {
    let world = World::shared();
    let order = world.placed().await;
    let command = world.client.pay(&unique("pay"), &order.id, &order.payment());
    let answer = sent_at_once(command, 100).await;

    assert_eq!((answer.status, answer.etag.as_deref()), (200, Some("\"2\"")));
    assert_eq!(world.commits(&order.id).await, 2);
}

// Guards: an-outdated-cache-changes-no-answer
#[tokio::test]
async fn a_hundred_sends_at_once_to_containers_that_cache_an_older_order_ship_once() {
    let world = World::shared();
    let order = world.placed().await;
    let ship = || world.client.ship(&unique("ship"), &order.id, &parcel());
    // Each container that answers one of these now has the unpaid order in its cache.
    for refused in join_all((0..50).map(|_| ship().send())).await {
        assert_eq!(refused.expect("the service answers").status(), 409);
    }
    answered(world.client.pay(&unique("pay"), &order.id, &order.payment()), 200).await;
    let answer = sent_at_once(ship(), 100).await;

    assert_eq!((answer.status, answer.etag.as_deref()), (200, Some("\"3\"")));
    assert_eq!(world.commits(&order.id).await, 3);
}

#[tokio::test]
async fn a_key_that_placed_an_order_is_refused_with_another_body() {
    let world = World::shared();
    let (key, customer) = (unique("place"), unique("customer"));
    let first = answered(world.client.place(&key, &basket(&customer, EURO)), 201).await;
    let id = first.accepted().expect("a success").id;

    let mut other = basket(&customer, EURO);
    other.items[0].quantity += 1;
    refused(world.client.place(&key, &other), 422, "one more packet").await;
    let again = answered(world.client.place(&key, &basket(&customer, EURO)), 201).await;
    assert_eq!(first.essence(), again.essence(), "the refusal changed nothing");
    assert_eq!(world.commits(&id).await, 1);
}

#[tokio::test]
async fn a_key_that_paid_is_refused_with_another_body_and_for_another_command() {
    let world = World::shared();
    let order = world.placed().await;
    let key = unique("pay");
    answered(world.client.pay(&key, &order.id, &order.payment()), 200).await;

    let mut other = order.payment();
    other.payment_reference = "psp-2".to_owned();
    refused(world.client.pay(&key, &order.id, &other), 422, "another reference").await;
    refused(world.client.cancel(&key, &order.id, &reason()), 422, "another command").await;
    assert_eq!(world.commits(&order.id).await, 2);
}

#[tokio::test]
async fn a_key_belongs_to_one_stream() {
    let world = World::shared();
    let (one, other, key) = (world.placed().await, world.placed().await, unique("pay"));
    for order in [one, other] {
        let answer = answered(world.client.pay(&key, &order.id, &order.payment()), 200).await;
        assert_eq!(answer.accepted().expect("a success").id, order.id);
        assert_eq!(world.commits(&order.id).await, 2);
    }
}

#[tokio::test]
async fn the_same_json_in_another_order_is_the_same_request() {
    let world = World::shared();
    let order = world.placed().await;
    let key = unique("ship");
    answered(world.client.pay(&unique("pay"), &order.id, &order.payment()), 200).await;
    let first = answered(world.client.ship(&key, &order.id, &parcel()), 200).await;
    let turned = r#"{ "trackingNumber": "00340", "carrier": "DHL" }"#;
    let again = world.client.ship(&key, &order.id, &parcel()).body(turned, "application/json");
    assert_eq!(answered(again, 200).await.essence(), first.essence());
}

#[tokio::test]
async fn a_refused_command_sent_again_is_refused_again() {
    let world = World::shared();
    let order = world.placed().await;
    let command = world.client.ship(&unique("ship"), &order.id, &parcel());
    for case in ["the first time", "again"] {
        refused_by_rule(command.clone(), "order-not-paid", case).await;
    }
    assert_eq!(world.commits(&order.id).await, 1);
}
