//! Bodies of commands: accepted ones, and errors for each invalid field.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::world::{World, order, post};

/// The body of an order with one value changed.
fn order_with(pointer: &str, value: Value) -> Value {
    let mut order = order();
    let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
    order.pointer_mut(parent).expect("the place is there")[field] = value;
    order
}

async fn pointers_of(body: Value) -> Vec<String> {
    let world = World::new();
    let answer = world.post("/orders", "a", body).await;
    assert!(world.log.commits().is_empty());
    answer.pointers().into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused() {
    let world = World::new();
    let bodies: [&[u8]; 8] =
        [b"", b"{", b"nonsense", b"{\"a\":}", b"\xff\xfe", b"{}{}", b"{'a': 1}", b"{\"a\": \x00}"];
    for body in bodies {
        let answer = world.send(&post("/orders", "a", body)).await;
        assert_eq!((answer.status, answer.problem()), (400, "bad-request"), "{body:?}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(world.send(&post("/orders", "a", deep)).await.status, 400);
}

#[tokio::test]
async fn a_repeated_name_is_refused() {
    let world = World::new();
    let order = order().to_string();
    let bodies = [
        order.replacen('{', r#"{"customerId": "c-2", "#, 1),
        order.replace(r#""quantity":2"#, r#""quantity":2,"quantity":2"#),
        order.replace(r#""quantity":2"#, r#""quantity":2,"q\u0075antity":1"#),
    ];
    for body in bodies {
        let answer = world.send(&post("/orders", "a", body.clone())).await;
        assert_eq!((answer.status, answer.problem()), (400, "bad-request"), "{body}");
    }
    assert!(world.log.commits().is_empty());
}

#[tokio::test]
async fn odd_texts_are_kept_as_they_are_and_half_characters_are_refused() {
    let world = World::new();
    let id = world.place("a").await;
    let path = format!("/orders/{id}/cancel");
    for half in
        [r#"{"reason": "\ud800"}"#, r#"{"reason": "\udc00\ud800"}"#, "{\"reason\": \"a\nb\"}"]
    {
        assert_eq!(world.send(&post(&path, "b", half)).await.status, 400, "{half}");
    }
    let reason = "\u{0}\u{1f}\u{7f}\u{2028}\u{feff}\u{10ffff} \"\\";
    let cancelled = world.post(&path, "c", json!({"reason": reason})).await;
    assert_eq!(cancelled.status, 200);
    let events = world.get(&format!("/orders/{id}/events")).await.body;
    assert_eq!(events["items"][1]["data"]["reason"], json!(reason));
}

#[tokio::test]
async fn a_body_that_is_not_an_object_is_refused() {
    for body in [json!([]), json!(1), json!("text"), json!(null), json!(true)] {
        assert_eq!(pointers_of(body).await, [""]);
    }
}

#[tokio::test]
async fn all_invalid_fields_are_named_at_once() {
    let body = json!({
        "customerId": 7,
        "items": [
            {"sku": "tea!", "quantity": 0, "unitPrice": {"amount": -1, "currency": "euro"}},
            {"quantity": 1.5, "unitPrice": {"amount": 100_000_001, "currency": "XYZ"}, "colour": "red"},
            "tea",
        ],
        "a/b~c": 1,
    });
    let expected = [
        "/customerId",
        "/items/0/sku",
        "/items/0/quantity",
        "/items/0/unitPrice/amount",
        "/items/0/unitPrice/currency",
        "/items/1/sku",
        "/items/1/quantity",
        "/items/1/unitPrice/amount",
        "/items/1/unitPrice/currency",
        "/items/1/colour",
        "/items/2",
        "/a~1b~0c",
    ];
    let named: BTreeSet<_> = pointers_of(body).await.into_iter().collect();
    assert_eq!(named, expected.into_iter().map(str::to_owned).collect());
}

#[tokio::test]
async fn limits_are_those_of_the_contract() {
    let line = &order()["items"][0];
    let lines = |count| json!(vec![line; count]);
    let text = |length| json!("a".repeat(length));
    let bounds = [
        ("/customerId", text(64), text(65)),
        ("/items", lines(100), lines(101)),
        ("/items", lines(1), lines(0)),
        ("/items/0/sku", text(1), text(0)),
        ("/items/0/sku", text(64), text(65)),
        ("/items/0/quantity", json!(1), json!(0)),
        ("/items/0/quantity", json!(10_000), json!(10_001)),
        ("/items/0/unitPrice/amount", json!(0), json!(-1)),
        ("/items/0/unitPrice/amount", json!(100_000_000), json!(100_000_001)),
        ("/items/0/unitPrice/currency", json!("JPY"), json!("jpy")),
    ];
    for (pointer, inside, outside) in bounds {
        let world = World::new();
        let answer = world.post("/orders", "a", order_with(pointer, inside.clone())).await;
        assert_eq!(answer.status, 201, "{pointer} {inside}: {answer:?}");
        assert_eq!(pointers_of(order_with(pointer, outside)).await, [pointer]);
    }
}

#[tokio::test]
async fn an_order_has_one_currency() {
    let mut order = order();
    let mut other = order["items"][0].clone();
    other["unitPrice"]["currency"] = json!("USD");
    order["items"].as_array_mut().expect("items are a list").push(other);
    assert_eq!(pointers_of(order.clone()).await, ["/items"]);
    order["customerId"] = json!("a b");
    order["colour"] = json!("red");
    let all: BTreeSet<_> = pointers_of(order).await.into_iter().collect();
    assert_eq!(all, ["/colour", "/customerId", "/items"].map(str::to_owned).into());
}

#[tokio::test]
async fn texts_of_commands_have_1_to_200_characters() {
    let world = World::new();
    let id = world.place("a").await;
    for length in [0, 201] {
        let text = "ü".repeat(length);
        let bodies = [
            (
                "pay",
                json!({"paymentReference": text, "amount": {"amount": 1, "currency": "EUR"}}),
                vec!["/paymentReference"],
            ),
            ("cancel", json!({"reason": text}), vec!["/reason"]),
            (
                "ship",
                json!({"carrier": text, "trackingNumber": text}),
                vec!["/carrier", "/trackingNumber"],
            ),
        ];
        for (command, body, pointers) in bodies {
            let answer = world.post(&format!("/orders/{id}/{command}"), "b", body).await;
            assert_eq!(answer.pointers(), pointers, "{command}");
        }
    }
    let reason = json!({"reason": "ü".repeat(200)});
    assert_eq!(world.post(&format!("/orders/{id}/cancel"), "c", reason).await.status, 200);
}

#[tokio::test]
async fn a_command_without_content_takes_an_empty_object() {
    let world = World::new();
    let id = world.place("a").await;
    world.steps(&id, &["pay", "ship"]).await;
    let path = format!("/orders/{id}/deliver");
    assert_eq!(world.post(&path, "d", json!({"to": "me"})).await.pointers(), ["/to"]);
    assert_eq!(world.post(&path, "d", json!({})).await.status, 200);
}

#[tokio::test]
async fn the_answer_to_a_body_with_very_many_errors_is_bounded() {
    let world = World::new();
    let items = "1,".repeat(100_000);
    let names: String = (0..25_000).map(|number| format!("\"{number}\":1,")).collect();
    for body in [format!("{{\"items\":[{items}1]}}"), format!("{{{names}\"items\":[]}}")] {
        assert!(body.len() <= 256 * 1024, "{}", body.len());
        let answer = world.send(&post("/orders", "a", body)).await;
        let errors = answer.body["errors"].as_array().map(Vec::len);
        assert_eq!((answer.status, errors), (400, Some(1_000)));
    }
}
