//! The contract's form: headers, methods, and every wrong field at once.

use acceptance::checks::{has_fields, refused};
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{World, answered, numbered, registration, unique};

#[tokio::test]
async fn a_registration_answers_with_its_location_and_a_repetition_with_the_same() {
    let world = World::shared();
    let key = unique("key");
    let body = registration(None, "s-1");
    let first = answered(world.operator.register(&key, &body), 201).await;
    let accepted = first.accepted().expect("the body of a success");
    let location = first.header("location").expect("a location");
    assert!(location.ends_with(&format!("devices/{}", accepted.id)), "{location}");
    assert_eq!((accepted.version, accepted.events[0].r#type.as_str()), (1, "DeviceRegistered"));
    let again = answered(world.operator.register(&key, &body), 201).await;
    assert_eq!(again.essence(), first.essence());
    let other = registration(None, "s-2");
    refused(world.operator.register(&key, &other), 422, "another request").await;
    let device: Value =
        answered(world.operator.device(&accepted.id), 200).await.json().expect("JSON");
    has_fields(
        &device,
        &[
            "id",
            "model",
            "site",
            "status",
            "epoch",
            "upTo",
            "missing",
            "lastSeenAt",
            "latest",
            "version",
        ],
    );
    assert_eq!(device["status"], "active");
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once() {
    let world = World::shared();
    let id = world.device().await;
    let body = json!({"epoch": -1, "more": 1, "readings": [
        {"seq": 0, "at": "yesterday", "metric": "a b", "value": "1"},
    ]});
    let path = format!("/devices/{id}/readings");
    let send = world.operator.request(Method::POST, &path).json(&body);
    let problem = refused(send, 400, "five wrong fields").await;
    let mut pointers: Vec<_> = problem.errors.iter().map(|error| error.pointer.as_str()).collect();
    pointers.sort_unstable();
    let expected = [
        "/epoch",
        "/more",
        "/readings/0/at",
        "/readings/0/metric",
        "/readings/0/seq",
        "/readings/0/value",
    ];
    assert_eq!(pointers, expected);
    let get = world.operator.get(&path);
    refused(get, 405, "a batch is a command").await;
    let text = world.operator.request(Method::POST, &path).body("{}", "text/plain");
    refused(text, 415, "text").await;
    let register =
        world.operator.request(Method::POST, "/devices").json(&registration(None, "s-1"));
    refused(register, 400, "no Idempotency-Key").await;
    let long = registration(Some(&"d".repeat(57)), "s-1");
    refused(world.operator.register(&unique("key"), &long), 400, "a long id").await;
}

#[tokio::test]
async fn a_batch_at_the_limit_is_taken() {
    let world = World::shared();
    let id = world.device().await;
    let answer = world.send(&id, &numbered(1, 1..=500)).await;
    assert_eq!(crate::world::body_of(&answer).accepted, 500);
    let far = numbered(1, [9_007_199_254_740_991]);
    let answer = crate::world::body_of(&world.send(&id, &far).await);
    assert_eq!(answer.missing, [[501, 9_007_199_254_740_990]]);
}
