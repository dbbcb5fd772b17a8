//! Bodies that are refused with 400, and the errors that are reported.

use std::collections::BTreeSet;

use orders_acceptance::Client;
use orders_acceptance::model::{Order, OrderSummary, Problem};
use serde_json::{Value, json};

use crate::world::{EURO, PROJECTED, TestOrder, World, answered, basket, unique};
use acceptance::checks::refused;

fn pointers(problem: &Problem) -> BTreeSet<&str> {
    for error in &problem.errors {
        assert!(!error.detail.trim().is_empty(), "{} says nothing", error.pointer);
    }
    problem.errors.iter().map(|error| error.pointer.as_str()).collect()
}

/// Sends a creation that must be refused with errors at exactly these places.
async fn refused_at(client: &Client, case: &str, body: &Value, expected: &[&str]) {
    let request = client.command("/orders", &unique("place"), body);
    let problem = refused(request, 400, case).await;
    assert_eq!(pointers(&problem), expected.iter().copied().collect(), "{case}");
}

fn order_with(item: &Value) -> Value {
    json!({"customerId": "c-1", "items": [item]})
}

fn item_with(field: &str, value: Value) -> Value {
    let price = json!({"amount": 450, "currency": "EUR"});
    let mut item = json!({"sku": "tea", "quantity": 2, "unitPrice": price});
    item[field] = value;
    order_with(&item)
}

fn price_with(field: &str, value: Value) -> Value {
    let mut price = json!({"amount": 450, "currency": "EUR"});
    price[field] = value;
    item_with("unitPrice", price)
}

#[tokio::test]
async fn a_body_that_is_not_a_json_object_is_refused() {
    let world = World::shared();
    let order = world.placed().await;
    let client = world.impatient();
    for text in [
        "",
        "{",
        "nonsense",
        "[]",
        "null",
        "42",
        "\"text\"",
        "{} {}",
        "{\"reason\": \"a\"",
        "{'reason': 'a'}",
    ] {
        let place =
            client.place(&unique("place"), &basket("c-1", EURO)).body(text, "application/json");
        refused(place, 400, &format!("place: {text}")).await;
        let cancel = client
            .request(reqwest::Method::POST, &format!("/orders/{}/cancel", order.id))
            .idempotency_key(unique("cancel"))
            .body(text, "application/json");
        refused(cancel, 400, &format!("cancel: {text}")).await;
    }
    assert_eq!(world.commits(&order.id).await, 1);
}

#[tokio::test]
async fn every_missing_field_is_named_at_once() {
    let world = World::shared();
    let client = world.impatient();
    refused_at(&client, "nothing", &json!({}), &["/customerId", "/items"]).await;
    let expected = ["/items/0/sku", "/items/0/quantity", "/items/0/unitPrice"];
    refused_at(&client, "an empty item", &order_with(&json!({})), &expected).await;
    let no_price = item_with("unitPrice", json!({}));
    let expected = ["/items/0/unitPrice/amount", "/items/0/unitPrice/currency"];
    refused_at(&client, "an empty price", &no_price, &expected).await;
}

#[tokio::test]
async fn all_errors_are_reported_at_once() {
    let world = World::shared();
    let body = json!({
        "colour": "blue",
        "items": [
            {"sku": "", "quantity": "two", "unitPrice": {"amount": -1, "currency": "EUR"}},
            {"sku": "tea", "quantity": 0, "unitPrice": {"amount": 450, "currency": "euro"}, "gift": true},
        ],
    });
    let expected = [
        "/colour",
        "/customerId",
        "/items/0/sku",
        "/items/0/quantity",
        "/items/0/unitPrice/amount",
        "/items/1/quantity",
        "/items/1/unitPrice/currency",
        "/items/1/gift",
    ];
    refused_at(&world.impatient(), "all kinds of wrong", &body, &expected).await;
}

#[tokio::test]
async fn wrong_types_are_refused_with_their_place() {
    let world = World::shared();
    let client = world.impatient();
    let cases = [
        (json!({"customerId": 1, "items": basket("c-1", EURO).items}), "/customerId"),
        (json!({"customerId": null, "items": basket("c-1", EURO).items}), "/customerId"),
        (json!({"customerId": "c-1", "items": {}}), "/items"),
        (json!({"customerId": "c-1", "items": ["tea"]}), "/items/0"),
        (item_with("sku", json!(7)), "/items/0/sku"),
        (item_with("quantity", json!("2")), "/items/0/quantity"),
        (item_with("quantity", json!(1.5)), "/items/0/quantity"),
        (item_with("quantity", json!(1e30)), "/items/0/quantity"),
        (item_with("unitPrice", json!(450)), "/items/0/unitPrice"),
        (price_with("amount", json!("450")), "/items/0/unitPrice/amount"),
        (price_with("currency", json!(978)), "/items/0/unitPrice/currency"),
    ];
    for (body, pointer) in cases {
        refused_at(&client, &body.to_string(), &body, &[pointer]).await;
    }
}

#[tokio::test]
async fn values_out_of_bounds_are_refused_with_their_place() {
    let world = World::shared();
    let client = world.impatient();
    let item = &basket("c-1", EURO).items[0];
    let cases = [
        (json!({"customerId": "", "items": [item]}), "/customerId"),
        (json!({"customerId": "c 1", "items": [item]}), "/customerId"),
        (json!({"customerId": "ç-1", "items": [item]}), "/customerId"),
        (json!({"customerId": "c".repeat(65), "items": [item]}), "/customerId"),
        (json!({"customerId": "c-1", "items": []}), "/items"),
        (json!({"customerId": "c-1", "items": vec![item; 101]}), "/items"),
        (item_with("sku", json!("")), "/items/0/sku"),
        (item_with("sku", json!("s".repeat(65))), "/items/0/sku"),
        (item_with("sku", json!("tea/assam")), "/items/0/sku"),
        (item_with("quantity", json!(0)), "/items/0/quantity"),
        (item_with("quantity", json!(-1)), "/items/0/quantity"),
        (item_with("quantity", json!(10_001)), "/items/0/quantity"),
        (price_with("amount", json!(-1)), "/items/0/unitPrice/amount"),
        (price_with("amount", json!(100_000_001)), "/items/0/unitPrice/amount"),
        (price_with("currency", json!("")), "/items/0/unitPrice/currency"),
        (price_with("currency", json!("eur")), "/items/0/unitPrice/currency"),
        (price_with("currency", json!("EURO")), "/items/0/unitPrice/currency"),
    ];
    for (body, pointer) in cases {
        refused_at(&client, &body.to_string(), &body, &[pointer]).await;
    }
}

#[tokio::test]
async fn an_order_in_two_currencies_is_refused() {
    let world = World::shared();
    let mut body = basket("c-1", EURO);
    body.items.extend(basket("c-1", "USD").items);
    let request = world.impatient().place(&unique("place"), &body).send().await;
    let answer = request.expect("the service answers");
    let problem = acceptance::checks::problem(&answer, 400, "EUR and USD");
    let pointers = pointers(&problem);
    assert!(pointers.iter().any(|pointer| pointer.starts_with("/items")), "{pointers:?}");
}

fn later_commands() -> Vec<(&'static str, Value, Vec<&'static str>)> {
    let long = "x".repeat(201);
    let euros = json!({"amount": 900, "currency": "EUR"});
    vec![
        ("pay", json!({}), vec!["/paymentReference", "/amount"]),
        ("pay", json!({"paymentReference": "", "amount": euros}), vec!["/paymentReference"]),
        ("pay", json!({"paymentReference": long, "amount": euros}), vec!["/paymentReference"]),
        ("pay", json!({"paymentReference": "p", "amount": 900}), vec!["/amount"]),
        (
            "pay",
            json!({"paymentReference": "p", "amount": {"amount": 9.5, "currency": "EUR"}}),
            vec!["/amount/amount"],
        ),
        ("pay", json!({"paymentReference": "p", "amount": euros, "tip": 1}), vec!["/tip"]),
        ("cancel", json!({}), vec!["/reason"]),
        ("cancel", json!({"reason": ""}), vec!["/reason"]),
        ("cancel", json!({"reason": long}), vec!["/reason"]),
        ("cancel", json!({"reason": null}), vec!["/reason"]),
        ("ship", json!({}), vec!["/carrier", "/trackingNumber"]),
        (
            "ship",
            json!({"carrier": "", "trackingNumber": long}),
            vec!["/carrier", "/trackingNumber"],
        ),
        (
            "ship",
            json!({"carrier": "DHL", "tracking_number": "1"}),
            vec!["/trackingNumber", "/tracking_number"],
        ),
        ("deliver", json!({"to": "the door"}), vec!["/to"]),
    ]
}

#[tokio::test]
async fn the_bodies_of_later_commands_are_checked_before_the_order_s_state() {
    let world = World::shared();
    let order = world.placed().await;
    let client = world.impatient();
    for (command, body, expected) in later_commands() {
        let case = format!("{command} {body}");
        let path = format!("/orders/{}/{command}", order.id);
        let problem = refused(client.command(&path, &unique("key"), &body), 400, &case).await;
        assert_eq!(pointers(&problem), expected.into_iter().collect(), "{case}");
    }
    assert_eq!(world.commits(&order.id).await, 1);
}

#[tokio::test]
async fn a_refused_creation_places_nothing() {
    let world = World::shared();
    let customer = unique("customer");
    let mut body = basket(&customer, EURO);
    body.items[0].quantity = 0;
    refused(world.client.place(&unique("place"), &body), 400, "no tea").await;

    // If the refused creation had placed an order, the list would show it before the next one.
    let order: TestOrder = world.place(&basket(&customer, EURO)).await;
    let list = orders_acceptance::eventually("the list shows the order", PROJECTED, async || {
        let request = world.client.customer_orders(&customer);
        let list: Vec<OrderSummary> =
            request.all_pages().await.map_err(|error| error.to_string())?;
        if list.is_empty() { Err("nothing yet".to_owned()) } else { Ok(list) }
    })
    .await
    .expect("it is projected");
    assert_eq!(list.iter().map(|shown| &shown.id).collect::<Vec<_>>(), [&order.id]);

    let request = world.client.order(&order.id).consistency_token(&order.token);
    let shown: Order = answered(request, 200).await.json().expect("an order");
    assert_eq!(shown.items[0].quantity, 2);
}
