//! Headers, ids and query parameters that are refused with 400.

use orders_acceptance::model::Page;
use orders_acceptance::{Client, Request};
use reqwest::Method;
use serde_json::Value;

use crate::world::{EURO, World, answered, basket, unique};
use acceptance::checks::refused;

fn without_key<'a>(client: &'a Client, order: &str) -> Request<'a> {
    let body = serde_json::json!({"reason": "changed my mind"});
    client.request(Method::POST, &format!("/orders/{order}/cancel")).json(&body)
}

#[tokio::test]
async fn a_command_needs_an_idempotency_key() {
    let world = World::shared();
    let order = world.placed().await;
    let client = world.impatient();
    refused(without_key(&client, &order.id), 400, "no key to cancel").await;
    let place = client.request(Method::POST, "/orders").json(&basket("c-1", EURO));
    refused(place, 400, "no key to place").await;
    assert_eq!(world.commits(&order.id).await, 1);
}

#[tokio::test]
async fn an_idempotency_key_is_1_to_255_visible_ascii_characters() {
    let world = World::shared();
    let order = world.placed().await;
    let client = world.impatient();
    let long = "k".repeat(256);
    let cases: [(&str, &[u8]); 6] = [
        ("empty", b""),
        ("256 characters", long.as_bytes()),
        ("a space inside", b"two words"),
        ("a tab inside", b"two\twords"),
        ("UTF-8", "clé".as_bytes()),
        ("Latin-1", b"cl\xe9"),
    ];
    for (case, key) in cases {
        refused(without_key(&client, &order.id).idempotency_key(key), 400, case).await;
    }
    assert_eq!(world.commits(&order.id).await, 1);
}

#[tokio::test]
async fn a_precondition_is_one_strong_version() {
    let world = World::shared();
    let order = world.placed().await;
    let client = world.impatient();
    for value in [
        "1",
        "W/\"1\"",
        "\"1\", \"2\"",
        "\"one\"",
        "\"\"",
        "\"-1\"",
        "\"+1\"",
        "\"1",
        "*",
        "\"1.0\"",
    ] {
        let command = without_key(&client, &order.id)
            .idempotency_key(unique("cancel"))
            .header("if-match", value);
        refused(command, 400, &format!("If-Match: {value}")).await;
    }
    for value in ["*", "\"1\""] {
        let command = without_key(&client, &order.id)
            .idempotency_key(unique("cancel"))
            .header("if-none-match", value);
        refused(command, 400, &format!("If-None-Match: {value}")).await;
    }
    assert_eq!(world.commits(&order.id).await, 1);
}

#[tokio::test]
async fn a_damaged_consistency_token_is_refused_by_every_query() {
    let world = World::shared();
    let order = world.placed().await;
    let client = world.impatient();
    let (cut, _) = order.token.split_at(order.token.len() / 2);
    for token in ["nonsense", "!", cut] {
        for query in [
            client.order(&order.id),
            client.shipment(&order.id),
            client.customer_orders(&order.customer),
            client.dashboard("2026-11-01", "2026-11-30"),
        ] {
            let case = format!("{token} for {query:?}");
            refused(query.consistency_token(token), 400, &case).await;
        }
    }
}

#[tokio::test]
async fn ids_have_a_form() {
    let world = World::shared();
    let client = world.impatient();
    let long = "i".repeat(65);
    for id in ["two%20words", "caf%C3%A9", "a:b", "a%23b", long.as_str()] {
        refused(client.order(id), 400, &format!("order {id}")).await;
        refused(client.events(id), 400, &format!("events of {id}")).await;
        refused(client.customer_orders(id), 400, &format!("orders of {id}")).await;
        refused(client.deliver(&unique("deliver"), id), 400, &format!("deliver {id}")).await;
    }
}

#[tokio::test]
async fn a_page_has_1_to_100_entries() {
    let world = World::shared();
    let order = world.placed().await;
    let client = world.impatient();
    for limit in ["0", "101", "-1", "ten", "1.5", "99999999999999999999"] {
        let case = format!("limit={limit}");
        refused(client.events(&order.id).query("limit", limit), 400, &case).await;
        refused(client.customer_orders(&order.customer).query("limit", limit), 400, &case).await;
    }
    for limit in ["1", "100"] {
        answered(client.events(&order.id).query("limit", limit), 200).await;
    }
}

#[tokio::test]
async fn a_damaged_cursor_is_refused() {
    let world = World::shared();
    let order = world.paid().await;
    let client = world.impatient();
    let first = answered(client.events(&order.id).query("limit", 1), 200).await;
    let page: Page<Value> = first.json().expect("a page");
    let cursor = page.next_cursor.expect("there is a second event");
    let (cut, _) = cursor.split_at(cursor.len() / 2);
    let longer = format!("{cursor}x");
    for damaged in ["nonsense", "%%%", cut, longer.as_str()] {
        let case = format!("cursor={damaged}");
        refused(client.events(&order.id).query("cursor", damaged), 400, &case).await;
        let list = client.customer_orders(&order.customer).query("cursor", damaged);
        refused(list, 400, &case).await;
    }
}

#[tokio::test]
async fn a_version_is_a_number_and_a_time_is_rfc_3339() {
    let world = World::shared();
    let order = world.placed().await;
    let client = world.impatient();
    for version in ["one", "-1", "1.0", "0x1"] {
        let request = client.order(&order.id).query("version", version);
        refused(request, 400, &format!("version={version}")).await;
    }
    for at in
        ["yesterday", "2026-11-23", "2026-11-23T09:00:00", "2026-13-01T00:00:00Z", "1764000000"]
    {
        let request = client.order(&order.id).query("at", at);
        refused(request, 400, &format!("at={at}")).await;
    }
    let both = client.order(&order.id).query("version", 1).query("at", "2026-11-23T09:00:00Z");
    refused(both, 400, "a version and a time").await;
}

#[tokio::test]
async fn the_dashboard_needs_both_days_in_order_and_at_most_366_of_them() {
    let world = World::shared();
    let client = world.impatient();
    refused(client.get("/dashboard"), 400, "no days").await;
    refused(client.get("/dashboard").query("from", "2026-11-01"), 400, "no last day").await;
    refused(client.get("/dashboard").query("to", "2026-11-01"), 400, "no first day").await;
    for (from, to) in [
        ("2026-11-02", "2026-11-01"),
        ("2024-01-01", "2025-01-01"),
        ("2026-11-31", "2026-12-01"),
        ("2026-11-01T00:00:00Z", "2026-11-02"),
        ("01.11.2026", "2026-11-02"),
        ("today", "tomorrow"),
    ] {
        refused(client.dashboard(from, to), 400, &format!("{from} to {to}")).await;
    }
    for (from, to) in [("2026-11-01", "2026-11-01"), ("2024-01-01", "2024-12-31")] {
        answered(client.dashboard(from, to), 200).await;
    }
}
