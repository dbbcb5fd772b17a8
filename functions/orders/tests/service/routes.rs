//! Paths, methods and ids.

use ledgerfold_lambda::http::Method;
use serde_json::json;
use url::Url;

use crate::world::{World, order, request};

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let world = World::new();
    for path in [
        "/",
        "/nothing",
        "/orders/",
        "/orders/a/b",
        "/orders/a/pay/b",
        "/customers/a",
        "/dashboard/x",
    ] {
        for method in [Method::GET, Method::POST, Method::PUT] {
            let answer = world.send(&request(method, path)).await;
            assert!([400, 404].contains(&answer.status), "{path}: {answer:?}");
            assert!(!answer.problem().is_empty());
        }
    }
    assert_eq!(world.get("/nothing").await.problem(), "not-found");
}

#[tokio::test]
async fn another_method_is_answered_with_those_allowed() {
    let world = World::new();
    let paths = [
        ("/orders", "POST"),
        ("/orders/a/pay", "POST"),
        ("/orders/a", "GET, HEAD"),
        ("/orders/a/events", "GET, HEAD"),
        ("/customers/a/orders", "GET, HEAD"),
        ("/dashboard", "GET, HEAD"),
    ];
    let all =
        ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "LINK"];
    for (path, allowed) in paths {
        for method in all {
            if !allowed.split(", ").any(|one| one == method) {
                let method = Method::from_bytes(method.as_bytes()).expect("a method");
                let answer = world.send(&request(method.clone(), path)).await;
                assert_eq!(answer.problem(), "method-not-allowed", "{method} {path}");
                assert_eq!((answer.status, answer.header("Allow")), (405, Some(allowed)));
            }
        }
    }
}

#[tokio::test]
async fn an_invalid_id_is_refused_with_its_rule() {
    let world = World::new();
    let long = "a".repeat(65);
    for id in [
        "a b", "a%20b", "ä", "a#b", "a'b", "<a>", ".", "..", "%2E%2e", "a%2Fb", "%00", "%zz", &long,
    ] {
        for path in [
            format!("/orders/{id}"),
            format!("/orders/{id}/events"),
            format!("/customers/{id}/orders"),
        ] {
            let answer = world.get(&path).await;
            assert_eq!((answer.status, answer.problem()), (400, "bad-request"), "{path}");
            let detail = answer.body["detail"].as_str().unwrap_or_default();
            assert!(detail.contains("1 to 64 characters of A-Z a-z 0-9 . _ -"), "{detail}");
        }
    }
}

#[tokio::test]
async fn a_percent_encoded_path_is_decoded() {
    let world = World::new();
    let id = world.place("a").await;
    let encoded = id.replace('-', "%2D").replacen('4', "%34", 1);
    for path in
        [format!("/orders/{encoded}"), format!("/%6Frders/{id}"), format!("/v1/orders/{id}")]
    {
        let answer = world.get(&path).await;
        assert_eq!((answer.status, &answer.body["id"]), (200, &json!(id)), "{path}");
    }
}

#[tokio::test]
async fn the_longest_match_at_the_end_of_a_path_counts() {
    let world = World::new();
    let answer = world.get("/shop/customers/c-1/orders").await;
    assert_eq!((answer.status, &answer.body["items"]), (200, &json!([])));
    for (path, allowed) in [("/customers/c-1/orders", "GET, HEAD"), ("/orders/orders", "GET, HEAD")]
    {
        let answer = world.post(path, "a", order()).await;
        assert_eq!((answer.status, answer.header("Allow")), (405, Some(allowed)), "{path}");
    }
    assert_eq!(world.get("/orders/dashboard").await.problem(), "not-found");
}

#[tokio::test]
async fn every_valid_id_can_be_addressed() {
    let world = World::new();
    for customer in ["a", "...", ".a", "a.", "-", "_"] {
        let mut order = order();
        order["customerId"] = json!(customer);
        assert_eq!(world.post("/orders", customer, order).await.status, 201);
        world.project().await;
        // A client resolves the path before it sends it.
        let base = Url::parse("https://host/prod/").expect("a URL");
        let url = base.join(&format!("./customers/{customer}/orders")).expect("a reference");
        let list = world.get(url.path()).await;
        assert_eq!(list.body["items"].as_array().map(Vec::len), Some(1), "{customer}: {list:?}");
    }
    for customer in [".", ".."] {
        let mut order = order();
        order["customerId"] = json!(customer);
        assert_eq!(world.post("/orders", "z", order).await.pointers(), ["/customerId"]);
    }
}
