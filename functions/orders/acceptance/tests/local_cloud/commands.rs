//! Commands and their answers.

use orders_acceptance::Answer;
use orders_acceptance::model::{
    Accepted, CancelOrder, EventRecord, Item, Money, Order, PlaceOrder,
};
use reqwest::Url;
use serde_json::Value;

use crate::world::{EURO, World, answered, basket, padded, parcel, reason, unique};
use acceptance::checks::{has_fields, shows_version};

const LARGEST_BODY: usize = 256 * 1024;

fn accepted(answer: &Answer, version: u64, events: &[&str]) -> Accepted {
    let body: Value = answer.json().expect("JSON");
    has_fields(&body, &["id", "version", "events"]);
    has_fields(&body["events"][0], &["id", "type", "version"]);
    assert_eq!(answer.media_type(), Some("application/json"));
    shows_version(answer, version);
    assert!(answer.consistency_token().is_some_and(|token| !token.is_empty()));

    let accepted = answer.accepted().expect("the body of a success");
    let types: Vec<_> = accepted.events.iter().map(|event| event.r#type.as_str()).collect();
    assert_eq!(types, events);
    let first = version + 1 - u64::try_from(events.len()).expect("few events");
    let versions: Vec<_> = accepted.events.iter().map(|event| event.version).collect();
    assert_eq!(versions, (first..=version).collect::<Vec<_>>());
    accepted
}

#[tokio::test]
async fn placing_an_order_answers_with_its_location_version_and_token() {
    let world = World::shared();
    let body = basket(&unique("customer"), EURO);
    let answer = answered(world.client.place(&unique("place"), &body), 201).await;

    let accepted = accepted(&answer, 1, &["OrderPlaced"]);
    let location = answer.header("location").expect("the answer to a creation has a location");
    assert!(location.ends_with(&format!("/orders/{}", accepted.id)), "{location}");
    let api = &world.stack.contexts["orders"].api;
    let request = Url::parse(&format!("{api}/orders")).expect("a URL");
    let order = request.join(location).expect("a reference");
    assert_eq!(order.as_str(), format!("{api}/orders/{}", accepted.id));
    answered(world.client.order(&accepted.id), 200).await;
    assert_eq!(world.commits(&accepted.id).await, 1);
}

#[tokio::test]
async fn every_later_command_answers_with_its_event_and_the_next_version() {
    let world = World::shared();
    let order = world.placed().await;
    let commands = [
        (world.client.pay(&unique("pay"), &order.id, &order.payment()), "OrderPaid"),
        (world.client.ship(&unique("ship"), &order.id, &parcel()), "OrderShipped"),
        (world.client.deliver(&unique("deliver"), &order.id), "OrderDelivered"),
    ];
    for (version, (command, event)) in (2..).zip(commands) {
        let answer = answered(command, 200).await;
        assert_eq!(accepted(&answer, version, &[event]).id, order.id);
        assert_eq!(answer.header("location"), None, "{event} creates nothing");
    }
    assert_eq!(world.commits(&order.id).await, 4);
}

#[tokio::test]
async fn cancelling_an_unpaid_order_is_one_event() {
    let world = World::shared();
    let order = world.placed().await;
    let command = world.client.cancel(&unique("cancel"), &order.id, &reason());
    accepted(&answered(command, 200).await, 2, &["OrderCancelled"]);
}

#[tokio::test]
async fn cancelling_a_paid_order_is_two_events_in_one_commit() {
    let world = World::shared();
    let order = world.paid().await;
    let command = world.client.cancel(&unique("cancel"), &order.id, &reason());
    accepted(&answered(command, 200).await, 4, &["OrderCancelled", "RefundRequested"]);
    assert_eq!(world.commits(&order.id).await, 3, "placed, paid, cancelled with the refund");
}

#[tokio::test]
async fn the_events_that_a_command_names_are_those_of_the_audit_log() {
    let world = World::shared();
    let mut order = world.placed().await;
    let paid = world.pay(&mut order).await;
    let cancelled = world.cancel(&mut order).await;

    let request = world.client.events(&order.id).consistency_token(&order.token);
    let log: Vec<EventRecord> = request.all_pages().await.expect("the log can be read");
    let logged: Vec<_> = log.iter().skip(1).map(|event| (&event.id, event.version)).collect();
    let named: Vec<_> = paid
        .events
        .iter()
        .chain(&cancelled.events)
        .map(|event| (&event.id, event.version))
        .collect();
    assert_eq!(logged, named);
    assert_eq!(log[2].command_id, log[3].command_id, "one command, two events");
    assert_ne!(log[1].command_id, log[2].command_id);
}

#[tokio::test]
async fn a_command_at_the_version_that_the_client_names_is_accepted() {
    let world = World::shared();
    let order = world.placed().await;
    let pay = world.client.pay(&unique("pay"), &order.id, &order.payment()).if_match(1);
    answered(pay, 200).await;
    let ship = world.client.ship(&unique("ship"), &order.id, &parcel()).if_match(2);
    answered(ship, 200).await;
}

#[tokio::test]
async fn the_largest_order_within_the_bounds_can_be_placed_and_paid() {
    let world = World::shared();
    let item = |index: usize| Item {
        sku: format!("{index:0>64}"),
        quantity: 10_000,
        unit_price: Money::new(100_000_000, EURO),
    };
    let customer_id = format!("{:.<64}", unique("customer"));
    let body = PlaceOrder { customer_id, items: (0..100).map(item).collect() };
    let mut order = world.place(&body).await;
    world.pay(&mut order).await;

    let request = world.client.order(&order.id).consistency_token(&order.token);
    let shown: Order = answered(request, 200).await.json().expect("an order");
    assert_eq!(shown.total, Money::new(100_000_000_000_000, EURO));
    assert_eq!(shown.items, body.items);
}

#[tokio::test]
async fn an_order_that_costs_nothing_can_be_placed_and_paid() {
    let world = World::shared();
    let sample = Item { sku: "sample".to_owned(), quantity: 1, unit_price: Money::new(0, EURO) };
    let body = PlaceOrder { customer_id: unique("customer"), items: vec![sample] };
    let mut order = world.place(&body).await;
    world.pay(&mut order).await;
    assert_eq!(order.version, 2);
}

#[tokio::test]
async fn the_length_of_a_text_is_counted_in_characters() {
    let world = World::shared();
    let order = world.placed().await;
    let command = |characters: usize| {
        let body = CancelOrder { reason: "é".repeat(characters) };
        world.client.cancel(&unique("cancel"), &order.id, &body)
    };
    answered(command(201), 400).await;
    answered(command(200), 200).await;
}

#[tokio::test]
async fn a_body_of_exactly_256_kib_in_utf_8_is_read() {
    let world = World::shared();
    let order = world.placed().await;
    let command = world
        .client
        .pay(&unique("pay"), &order.id, &order.payment())
        .body(padded(&order.payment(), LARGEST_BODY), "application/json; charset=utf-8");
    answered(command, 200).await;
}

#[tokio::test]
async fn an_idempotency_key_may_use_every_visible_character_and_all_of_255() {
    let world = World::shared();
    let visible: String = ('!'..='~').collect();
    let key = format!("{:_<255}", format!("{}{visible}", unique("key")));
    assert_eq!(key.len(), 255);
    let body = basket(&unique("customer"), EURO);
    let first = answered(world.client.place(&key, &body), 201).await;
    let again = answered(world.client.place(&key, &body), 201).await;
    assert_eq!(first.essence(), again.essence());
}
