//! The service gives the same answers through every gateway: REST APIs, HTTP APIs and function URLs, on stages, custom
//! domains and base paths. The samples are Lambda events for `POST /orders` from each gateway.
//!
//! Guards: every-route-gives-the-same-answers

use std::{collections::BTreeSet, fs, path::Path};

use ledgerfold::{Granted, Role};
use ledgerfold_lambda::http::{Authentication, ClaimNames, GatewayResponse};
use serde_json::{Value, json};
use url::Url;

use crate::world::World;

/// Each sample, with the URL of its API and its caller.
const ROUTES: [(&str, &str, &str); 13] = [
    ("rest-stage", "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/prod", "anonymous"),
    (
        "rest-multi-value-headers-only",
        "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/prod",
        "anonymous",
    ),
    ("rest-domain", "https://api.example.com", KEY),
    ("rest-domain-base-path", "https://api.example.com/shop", "ada"),
    ("rest-domain-base-path-and-stage", "https://api.example.com/shop/prod", "ada"),
    ("rest-iam", "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/prod", USER),
    ("http-api-format-1", "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/prod", "ada"),
    (
        "http-api-default-stage",
        "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
        "anonymous",
    ),
    (
        "http-api-named-stage",
        "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/prod",
        "ada",
    ),
    ("http-api-domain", "https://api.example.com/shop", "ada"),
    ("function-url", "https://u1v2w3x4y5z6.lambda-url.eu-central-1.on.aws", "anonymous"),
    ("function-url-iam", "https://u1v2w3x4y5z6.lambda-url.eu-central-1.on.aws", USER),
    ("function-url-behind-cdn", "https://www.example.com/shop", "anonymous"),
];

const KEY: &str = "k1l2m3";
const USER: &str = "arn:aws:iam::123456789012:user/ada";

/// The authentication that knows this caller.
fn authentication(caller: &str) -> Authentication {
    match caller {
        "anonymous" => Authentication::None,
        KEY => Authentication::ApiKey(staff()),
        _ => Authentication::Gateway(ClaimNames::default()),
    }
}

fn sample(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/events");
    let text = fs::read_to_string(folder.join(name).with_extension("json")).expect("a sample");
    let mut event: Value = serde_json::from_str(&text).expect("a sample is JSON");
    for place in
        ["/authorizer/claims", "/authorizer/jwt/claims", "/authorizer/lambda", "/authorizer"]
    {
        let claims = event.pointer_mut(&format!("/requestContext{place}"));
        if let Some(Value::Object(claims)) = claims {
            claims.insert("roles".to_owned(), json!("staff"));
            break;
        }
    }
    event
}

fn staff() -> Granted<Role> {
    Granted::only([Role::from_static("staff")])
}

/// The same gateway's event for another request without a body. `ending` follows `/orders` in the path.
fn asking(name: &str, method: &str, ending: &str) -> Value {
    let mut event = sample(name);
    for place in ["/httpMethod", "/requestContext/httpMethod", "/requestContext/http/method"] {
        if let Some(value) = event.pointer_mut(place) {
            *value = json!(method);
        }
    }
    let paths = [
        "/path",
        "/rawPath",
        "/requestContext/path",
        "/requestContext/http/path",
        "/pathParameters/proxy",
    ];
    for place in paths {
        if let Some(Value::String(path)) = event.pointer_mut(place) {
            path.push_str(ending);
        }
    }
    event["body"] = Value::Null;
    event["isBase64Encoded"] = json!(false);
    event
}

fn body(answer: &GatewayResponse) -> Value {
    serde_json::from_str(&answer.body).expect("the answer is JSON")
}

#[test]
fn every_sample_is_used() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/events");
    let files: BTreeSet<String> = fs::read_dir(folder)
        .expect("the samples are there")
        .map(|file| file.expect("a file").file_name().to_string_lossy().replace(".json", ""))
        .collect();
    assert_eq!(files, ROUTES.iter().map(|(name, _, _)| (*name).to_owned()).collect());
}

#[tokio::test]
async fn an_order_is_placed_and_found_at_its_location_through_every_gateway() {
    let world = World::new();
    let mut ids = BTreeSet::new();
    for (name, api, caller) in ROUTES.into_iter().filter(|(_, _, caller)| *caller != USER) {
        let authentication = authentication(caller);
        let placed = world.send_event_by(&authentication, sample(name)).await;
        assert_eq!(placed.status_code, 201, "{name}: {placed:?}");
        let id = body(&placed)["id"].as_str().expect("an id").to_owned();
        let request = Url::parse(&format!("{api}/orders")).expect("a URL");
        let location = request.join(&placed.headers["Location"]).expect("a reference");
        assert_eq!(location.as_str(), format!("{api}/orders/{id}"), "{name}");
        let asked = asking(name, "GET", &format!("/{id}"));
        let found = world.send_event_by(&authentication, asked).await;
        assert_eq!((found.status_code, &body(&found)["id"]), (200, &json!(id)), "{name}");
        ids.insert(id);
    }
    let callers: BTreeSet<&str> = ROUTES.iter().map(|(_, _, caller)| *caller).collect();
    assert_eq!(ids.len(), callers.len() - 1, "every caller has its own order for the same key");
}

#[tokio::test]
async fn the_caller_is_known_through_every_gateway() {
    for (name, _, caller) in ROUTES.into_iter().filter(|(_, _, caller)| *caller != USER) {
        let world = World::new();
        let authentication = authentication(caller);
        let placed = world.send_event_by(&authentication, sample(name)).await;
        let id = body(&placed)["id"].as_str().expect("an id").to_owned();
        let asked = asking(name, "GET", &format!("/{id}/events"));
        let events = world.send_event_by(&authentication, asked).await;
        assert_eq!(body(&events)["items"][0]["actor"], json!(caller), "{name}");
    }
}

// Guards: a-request-without-a-caller-reaches-no-handler
#[tokio::test]
async fn a_request_that_no_authorizer_has_seen_is_refused_through_every_gateway() {
    let world = World::new();
    for (name, _, caller) in ROUTES {
        let expected = match caller {
            KEY | "anonymous" => 401,
            // A signature of IAM has no roles.
            USER => 403,
            _ => 201,
        };
        let by_gateway = Authentication::Gateway(ClaimNames::default());
        let answer = world.send_event_by(&by_gateway, sample(name)).await;
        assert_eq!(answer.status_code, expected, "{name}: {answer:?}");
        let expected = if caller == KEY { 201 } else { 401 };
        let by_key = Authentication::ApiKey(staff());
        let answer = world.send_event_by(&by_key, sample(name)).await;
        assert_eq!(answer.status_code, expected, "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn every_gateway_gives_the_same_answers() {
    let requests = [
        ("GET", "/nobody", 404),
        ("HEAD", "/nobody", 404),
        ("GET", "/a%20b", 400),
        ("GET", "/", 404),
        ("PUT", "", 405),
        ("GET", "", 405),
        ("OPTIONS", "/nobody/pay", 405),
        ("GET", "/%6Eobody/shipment", 404),
    ];
    let world = World::new();
    for (method, ending, status) in requests {
        let expected = world.send_event(asking(ROUTES[0].0, method, ending)).await;
        assert_eq!(expected.status_code, status, "{method} {ending}: {expected:?}");
        for (name, _, _) in &ROUTES[1..] {
            let answer = world.send_event(asking(name, method, ending)).await;
            assert_eq!(answer, expected, "{name}: {method} {ending}");
        }
    }
}

#[tokio::test]
async fn repeated_and_missing_headers_are_refused_through_every_gateway() {
    let world = World::new();
    for (name, _, _) in ROUTES {
        for header in ["Idempotency-Key", "Content-Type"] {
            let mut event = sample(name);
            for headers in ["headers", "multiValueHeaders"] {
                if let Some(headers) = event[headers].as_object_mut() {
                    headers.retain(|name, _| !name.eq_ignore_ascii_case(header));
                }
            }
            let answer = world.send_event(event).await;
            assert!(
                [400, 415].contains(&answer.status_code),
                "{name} without {header}: {answer:?}"
            );
        }
        let mut event = sample(name);
        // A gateway lists the values of a repeated header, or joins them with commas.
        if let Some(values) = event.pointer_mut("/multiValueHeaders/Content-Type") {
            *values = json!(["application/json", "application/json"]);
        } else {
            event["headers"]["content-type"] = json!("application/json,application/json");
        }
        let answer = world.send_event(event).await;
        assert!([400, 415].contains(&answer.status_code), "{name}: {answer:?}");
    }
    assert!(world.log.commits().is_empty());
}
