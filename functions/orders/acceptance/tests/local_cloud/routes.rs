//! Paths, methods, content types and sizes: 404, 405, 413, 415.

use orders_acceptance::Request;
use reqwest::Method;

use crate::world::{EURO, World, basket, padded, parcel, reason, unique};
use acceptance::checks::{problem, refused};

const LARGEST_BODY: usize = 256 * 1024;

/// An id in the service's own form that belongs to no order.
fn unknown_id(known: &str) -> String {
    let last = known.chars().last().expect("an id is not empty");
    let other = if last == '0' { '1' } else { '0' };
    let mut unknown = known.to_owned();
    unknown.pop();
    unknown.push(other);
    unknown
}

#[tokio::test]
async fn an_order_that_does_not_exist_is_not_found_by_any_request() {
    let world = World::shared();
    let order = world.placed().await;
    let unknown = unknown_id(&order.id);
    let client = world.impatient();
    let cases: Vec<(&str, Request<'_>)> = vec![
        ("order", client.order(&unknown)),
        ("events", client.events(&unknown)),
        ("shipment", client.shipment(&unknown)),
        ("version", client.order(&unknown).query("version", 1)),
        ("pay", client.pay(&unique("pay"), &unknown, &order.payment())),
        ("cancel", client.cancel(&unique("cancel"), &unknown, &reason())),
        ("ship", client.ship(&unique("ship"), &unknown, &parcel())),
        ("deliver", client.deliver(&unique("deliver"), &unknown)),
    ];
    for (case, request) in cases {
        refused(request, 404, case).await;
    }
    assert_eq!(world.commits(&unknown).await, 0);
}

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let world = World::shared();
    let order = world.placed().await;
    let client = world.impatient();
    let refund = format!("/orders/{}/refund", order.id);
    let cases = [
        (Method::GET, "/".to_owned()),
        (Method::GET, "/nowhere".to_owned()),
        (Method::GET, refund.clone()),
        (Method::GET, "/customers".to_owned()),
        (Method::GET, format!("/customers/{}", order.customer)),
        (Method::GET, format!("/orders/{}/pay/again", order.id)),
    ];
    for (method, path) in cases {
        refused(client.request(method, &path), 404, &path).await;
    }
    for path in ["/nowhere".to_owned(), refund] {
        let command = client.command(&path, &unique("key"), &order.payment());
        refused(command, 404, &path).await;
    }
    assert_eq!(world.commits(&order.id).await, 1);
}

#[tokio::test]
async fn a_wrong_method_is_refused_and_the_right_one_named() {
    let world = World::shared();
    let order = world.placed().await;
    let of_order = |end: &str| format!("/orders/{}{end}", order.id);
    let cases = [
        (Method::GET, "/orders".to_owned(), "POST"),
        (Method::PUT, "/orders".to_owned(), "POST"),
        (Method::PUT, of_order(""), "GET"),
        (Method::PATCH, of_order(""), "GET"),
        (Method::DELETE, of_order(""), "GET"),
        (Method::POST, of_order(""), "GET"),
        (Method::POST, of_order("/events"), "GET"),
        (Method::POST, of_order("/shipment"), "GET"),
        (Method::GET, of_order("/pay"), "POST"),
        (Method::GET, of_order("/cancel"), "POST"),
        (Method::GET, of_order("/ship"), "POST"),
        (Method::DELETE, of_order("/deliver"), "POST"),
        (Method::POST, format!("/customers/{}/orders", order.customer), "GET"),
        (Method::POST, "/dashboard".to_owned(), "GET"),
    ];
    let client = world.impatient();
    for (method, path, allowed) in cases {
        let case = format!("{method} {path}");
        let request =
            client.request(method, &path).idempotency_key(unique("key")).json(&order.payment());
        let answer = request.send().await.expect("the service answers");
        problem(&answer, 405, &case);
        let allow = answer.header("allow").expect("405 names the allowed methods");
        assert!(allow.split(',').any(|method| method.trim() == allowed), "{case}: {allow}");
    }
    assert_eq!(world.commits(&order.id).await, 1);
}

#[tokio::test]
async fn a_method_that_no_api_can_define_is_refused_by_the_gateway_itself() {
    let world = World::shared();
    if world.stack.emulator.as_deref() == Some("ministack") {
        return; // It gives an answer of its own, whatever the template says.
    }
    let order = world.placed().await;
    let client = world.impatient();
    for path in ["/orders".to_owned(), format!("/orders/{}", order.id)] {
        let case = format!("TRACE {path}");
        let answer =
            client.request(Method::TRACE, &path).send().await.expect("the gateway answers");
        problem(&answer, 405, &case);
        assert_eq!(answer.header("allow"), Some("GET, HEAD, POST"), "{case}");
    }
}

#[tokio::test]
async fn head_answers_as_get_does_without_a_body() {
    let world = World::shared();
    let order = world.placed().await;
    let client = world.impatient();
    for (path, status) in
        [(format!("/orders/{}", order.id), 200), ("/orders/nobody".to_owned(), 404)]
    {
        let head = client.request(Method::HEAD, &path).send().await.expect("the service answers");
        let get = client.get(&path).send().await.expect("the service answers");
        assert_eq!((head.status(), get.status()), (status, status), "{path}");
        assert_eq!(
            (head.header("etag"), head.media_type()),
            (get.header("etag"), get.media_type())
        );
        assert_eq!(head.text(), "", "{path}");
    }
}

#[tokio::test]
async fn a_body_with_another_content_type_is_refused() {
    let world = World::shared();
    let order = world.placed().await;
    let client = world.impatient();
    let json = serde_json::to_vec(&order.payment()).expect("JSON");
    for content_type in ["text/plain", "application/xml", "application/x-www-form-urlencoded"] {
        let command = client
            .pay(&unique("pay"), &order.id, &order.payment())
            .body(json.clone(), content_type);
        refused(command, 415, content_type).await;
    }
    assert_eq!(world.commits(&order.id).await, 1);
}

#[tokio::test]
async fn a_body_over_256_kib_is_refused() {
    let world = World::shared();
    let order = world.placed().await;
    let client = world.impatient();
    for size in [LARGEST_BODY + 1, 2 * LARGEST_BODY] {
        let command = client
            .pay(&unique("pay"), &order.id, &order.payment())
            .body(padded(&order.payment(), size), "application/json");
        refused(command, 413, &format!("{size} bytes")).await;
    }
    let body = basket(&unique("customer"), EURO);
    let place = client
        .place(&unique("place"), &body)
        .body(padded(&body, LARGEST_BODY + 1), "application/json");
    refused(place, 413, "a creation").await;
    assert_eq!(world.commits(&order.id).await, 1);
}
