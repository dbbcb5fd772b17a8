//! Headers of commands and queries.

use ledgerfold::{
    Caller, Subject, TenantId, Version,
    vocabulary::{ConsistencyToken, Cursor},
};
use ledgerfold_lambda::http::{Method, Request};
use serde_json::{Value, json};

use crate::world::{World, body, get, order, post, request, with};

async fn refused(world: &World, request: Request, status: u16, problem: &str) {
    let answer = world.send(&request).await;
    assert_eq!((answer.status, answer.problem()), (status, problem), "{request:?}");
    assert!(world.log.commits().len() <= 1, "{request:?} was written");
}

#[tokio::test]
async fn the_idempotency_key_is_checked() {
    let world = World::new();
    let bare = Request {
        headers: vec![("content-type".into(), "application/json".into())],
        ..post("/orders", "", order().to_string())
    };
    refused(&world, bare, 400, "bad-request").await;
    let long = "k".repeat(256);
    for key in ["", " ", "a b", "schlüssel", "tab\there", "a\u{a0}", "a\u{b}", &long] {
        refused(&world, post("/orders", key, order().to_string()), 400, "bad-request").await;
    }
    let twice = with(post("/orders", "a", order().to_string()), "idempotency-key", "b");
    refused(&world, twice, 400, "bad-request").await;
    assert!(world.log.commits().is_empty());
    world.place(&"k".repeat(255)).await;
}

#[tokio::test]
async fn if_match_is_one_strong_version() {
    let world = World::new();
    let id = world.place("a").await;
    let pay = || post(&format!("/orders/{id}/pay"), "b", body("pay").to_string());
    for tag in [
        "1",
        "*",
        "W/\"1\"",
        "\"1\", \"2\"",
        "\"\"",
        "\"x\"",
        "\"-1\"",
        "\"+1\"",
        "\"1",
        "",
        "\"01\"",
        "\"1000000000000000\"",
        "\"99999999999999999999\"",
    ] {
        refused(&world, with(pay(), "if-match", tag), 400, "bad-request").await;
    }
    refused(&world, with(pay(), "if-none-match", "\"1\""), 400, "bad-request").await;
    refused(&world, with(pay(), "if-match", "\"2\""), 412, "version-mismatch").await;
    let paid = world.send(&with(pay(), "if-match", "\"1\"")).await;
    assert_eq!((paid.status, paid.header("ETag")), (200, Some("\"2\"")));
    let again = world.send(&with(pay(), "if-match", "\"1\"")).await;
    assert_eq!(again, paid);
}

#[tokio::test]
async fn if_match_is_ignored_for_a_missing_order() {
    let world = World::new();
    let pay = post("/orders/nobody/pay", "b", body("pay").to_string());
    refused(&world, with(pay, "if-match", "\"3\""), 404, "not-found").await;
}

#[tokio::test]
async fn the_content_type_of_a_body_must_be_json() {
    let world = World::new();
    for media in [
        "text/plain",
        "application/xml",
        "application/json; charset=latin1",
        "",
        "application/jsonp",
    ] {
        let mut request = post("/orders", "a", order().to_string());
        request.headers[0].1 = media.to_owned();
        refused(&world, request, 415, "unsupported-media-type").await;
    }
    let mut request = post("/orders", "a", order().to_string());
    request.headers[0].1 = "Application/JSON; charset=UTF-8".to_owned();
    assert_eq!(world.send(&request).await.status, 201);
}

#[tokio::test]
async fn a_body_over_256_kib_is_refused() {
    let world = World::new();
    let mut large = order().to_string().into_bytes();
    large.resize(256 * 1024, b' ');
    assert_eq!(world.send(&post("/orders", "a", large.clone())).await.status, 201);
    large.push(b' ');
    refused(&world, post("/orders", "b", large), 413, "too-large").await;
}

#[tokio::test]
async fn a_repeated_command_gets_the_first_answer() {
    let world = World::new();
    let first = world.post("/orders", "a", order()).await;
    let id = first.body["id"].as_str().expect("an id").to_owned();
    assert_eq!(first.header("Location"), Some(format!("./orders/{id}").as_str()));
    world.steps(&id, &["pay", "ship"]).await;
    let spaced = format!(" {} ", order());
    assert_eq!(world.send(&post("/orders", "a", spaced)).await, first);
    assert_eq!(world.log.commits().len(), 3);
}

#[tokio::test]
async fn a_key_used_with_another_request_is_refused() {
    let world = World::new();
    let id = world.place("a").await;
    let mut other = order();
    other["customerId"] = json!("c-2");
    let answer = world.post("/orders", "a", other).await;
    assert_eq!((answer.status, answer.problem()), (422, "idempotency-key-reused"));
    let cancel = world.post(&format!("/orders/{id}/cancel"), "a", body("cancel")).await;
    assert_eq!(cancel.status, 422, "a key belongs to one request of a stream");
    assert_eq!(world.log.commits().len(), 1);
}

#[tokio::test]
async fn a_key_belongs_to_its_caller() {
    let world = World::new();
    let id = world.place("a").await;
    let anonymous = Caller::anonymous();
    let someone_else = Subject::new("someone-else").expect("a subject");
    let elsewhere = TenantId::new("acme").expect("a tenant");
    let callers = [
        Caller { subject: someone_else, ..anonymous.clone() },
        Caller { tenant: elsewhere, ..anonymous },
    ];
    let mut ids = vec![json!(id)];
    for caller in callers {
        let mut by_another = post("/orders", "a", order().to_string());
        by_another.caller = caller;
        let answer = world.send(&by_another).await;
        assert_eq!(answer.status, 201);
        assert!(!ids.contains(&answer.body["id"]), "{:?}", by_another.caller);
        ids.push(answer.body["id"].clone());
    }
}

#[tokio::test]
async fn a_damaged_consistency_token_is_refused() {
    let world = World::new();
    let first = world.post("/orders", "a", order()).await;
    let token = first.header("Consistency-Token").expect("a command answers one").to_owned();
    let path = format!("/orders/{}", first.body["id"].as_str().expect("an id"));
    for damaged in ["", "x", "\u{fc}", &token[1..], &token[..token.len() - 1], &format!("{token}A")]
    {
        let answer = world.send(&with(get(&path), "consistency-token", damaged)).await;
        assert_eq!((answer.status, answer.problem()), (400, "bad-request"), "{damaged:?}");
    }
    assert_eq!(world.send(&with(get(&path), "consistency-token", &token)).await.status, 200);
}

// Guards: the-service-accepts-what-its-document-allows
#[tokio::test]
async fn a_token_that_the_service_cannot_have_issued_is_refused() {
    let world = World::new();
    let id = world.place("a").await;
    world.project().await;
    let forged = |stream: &str, version| {
        let stream = stream.parse().expect("a stream");
        ConsistencyToken { stream, version: Version::new(version) }.to_text()
    };
    let tokens = [
        forged(&format!("default/order#{id}"), 0),
        forged(&format!("default/order#{id}"), 2),
        forged(&format!("default/order#{id}"), u64::MAX),
        forged("default/order#nobody", 1),
        forged(&format!("default/account#{id}"), 1),
        forged("default/account#nobody", 1),
        Cursor(json!({"s": format!("default/order#{id}"), "v": 1, "x": 1})).to_text("consistency"),
        Cursor(json!({"s": "default/order#..", "v": 1})).to_text("consistency"),
        Cursor("x".to_owned()).to_text("consistency"),
    ];
    let paths = [
        format!("/orders/{id}"),
        format!("/orders/{id}/shipment"),
        "/customers/c-1/orders".to_owned(),
        "/dashboard?from=2026-11-01&to=2026-11-30".to_owned(),
    ];
    for (path, token) in paths.iter().flat_map(|path| tokens.iter().map(move |token| (path, token)))
    {
        let answer = world.send(&with(get(path), "consistency-token", token)).await;
        // An order's own row cannot contradict a token about another order.
        let other = path.starts_with("/orders/") && answer.status == 200;
        assert!(answer.status == 400 || other, "{path} {token}: {answer:?}");
    }
}

#[tokio::test]
async fn commands_accept_no_query_parameters() {
    let world = World::new();
    let mut request = post("/orders", "a", order().to_string());
    request.query.push(("dryRun".to_owned(), "true".to_owned()));
    refused(&world, request, 400, "bad-request").await;
    assert!(world.log.commits().is_empty());
}

#[tokio::test]
async fn a_traceparent_is_stored_with_the_commit_and_an_invalid_one_is_ignored() {
    let world = World::new();
    let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let sent: [(&str, &[&str], Option<&str>); 3] =
        [("a", &[good], Some(good)), ("b", &["nonsense"], None), ("c", &[good, good], None)];
    for (key, sent, kept) in sent {
        let mut request = post("/orders", key, order().to_string());
        for value in sent {
            request = with(request, "traceparent", value);
        }
        let answer = world.send(&request).await;
        assert_eq!(answer.status, 201);
        let id = answer.body["id"].as_str().expect("an id").to_owned();
        let commits = world.log.commits();
        let commit = commits.iter().find(|commit| commit.stream().id().as_str() == id);
        let trace = commit.and_then(|commit| commit.metadata().traceparent.as_ref());
        assert_eq!(trace.map(ToString::to_string).as_deref(), kept);
    }
    assert_eq!(world.send(&request(Method::GET, "/dashboard")).await.status, 400);
}

#[tokio::test]
async fn a_query_is_not_answered_again_for_a_version_that_the_caller_has() {
    let world = World::new();
    let id = world.place("a").await;
    let path = format!("/orders/{id}");
    let shown = world.get(&path).await;
    for tags in ["\"1\"", "W/\"1\"", "\"7\", \"1\"", "*"] {
        let answer = world.send(&with(get(&path), "if-none-match", tags)).await;
        assert_eq!((answer.status, &answer.body), (304, &Value::Null), "{tags}");
        for header in ["ETag", "Cache-Control", "Vary"] {
            assert_eq!(answer.header(header), shown.header(header), "{tags}: {header}");
        }
    }
    for tags in ["\"2\"", "1", "", "\"1", "\"11\""] {
        let answer = world.send(&with(get(&path), "if-none-match", tags)).await;
        assert_eq!(answer, shown, "{tags}");
    }
    let twice = with(with(get(&path), "if-none-match", "\"7\""), "if-none-match", "\"1\"");
    assert_eq!(world.send(&twice).await.status, 304, "a list may be split over several headers");
}

#[tokio::test]
async fn a_cache_asks_again_for_every_answer_of_a_query() {
    let world = World::new();
    let id = world.place("a").await;
    let paths = [
        format!("/orders/{id}"),
        format!("/orders/{id}/events"),
        format!("/orders/{id}/shipment"),
        "/customers/c-1/orders".to_owned(),
        "/dashboard?from=2026-11-01&to=2026-11-30".to_owned(),
    ];
    for path in paths {
        let answer = world.get(&path).await;
        assert_eq!(answer.header("Cache-Control"), Some("private, no-cache"), "{path}");
        assert_eq!(answer.header("Vary"), Some("Authorization, Consistency-Token"), "{path}");
    }
}
