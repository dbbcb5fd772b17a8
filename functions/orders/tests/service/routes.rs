use ledgerfold_lambda::http::Method;

use crate::world::{World, request};

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
        ("/orders/a", "GET"),
        ("/orders/a/events", "GET"),
        ("/customers/a/orders", "GET"),
        ("/dashboard", "GET"),
    ];
    for (path, allowed) in paths {
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            if method.as_str() != allowed {
                let answer = world.send(&request(method.clone(), path)).await;
                assert_eq!(answer.problem(), "method-not-allowed", "{method} {path}");
                assert_eq!((answer.status, answer.header("Allow")), (405, Some(allowed)));
            }
        }
    }
}

#[tokio::test]
async fn an_id_that_is_none_is_refused_by_its_rule() {
    let world = World::new();
    let long = "a".repeat(65);
    for id in ["a b", "a%20b", "ä", "a#b", "a'b", "<a>", &long] {
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
