//! Checks that `openapi.json` agrees with the code: the same paths, the same accepted and refused bodies, and answers
//! of the documented form.

use std::{collections::BTreeSet, fs};

use jsonschema::{Validator, error::ValidationErrorKind};
use ledgerfold::{Version, vocabulary::ConsistencyToken};
use ledgerfold_lambda::http::{Method, Request};
use serde_json::{Value, json};

use crate::world::{Answer, World, body, get, order, post, with};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

fn document() -> Value {
    orders::api().openapi().expect("every schema has its own name")
}

/// The places at which two documents differ, at most 20.
fn differences(stored: &Value, current: &Value) -> Vec<String> {
    let places: BTreeSet<_> = places(stored).into_iter().chain(places(current)).collect();
    let differ = places.into_iter().filter(|place| {
        let leaf = |document: &Value| match document.pointer(place) {
            Some(Value::Object(_)) => Some(json!({})),
            Some(Value::Array(_)) => Some(json!([])),
            other => other.cloned(),
        };
        leaf(stored) != leaf(current)
    });
    differ.take(20).collect()
}

// Guards: the-http-document-matches-the-code
#[test]
fn the_stored_document_is_that_of_the_declaration() {
    let current = document();
    let text = format!("{current:#}\n");
    let stored = fs::read_to_string(DOCUMENT).unwrap_or_default();
    let read = serde_json::from_str(&stored).unwrap_or_default();
    let places = differences(&read, &current).join("\n");
    assert!(
        stored == text,
        "openapi.json differs from the declaration at\n{places}\nIf the change is intended, write the file with\n\
         cargo run -p orders-admin -- generate"
    );
}

/// A validator of a schema of the document.
fn schema(reference: &str) -> Validator {
    let mut document = document();
    document["$ref"] = json!(reference);
    validator(&document)
}

fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(schema)
        .expect("the document holds JSON Schemas")
}

fn operation(method: &str, template: &str) -> Value {
    document()["paths"][template][method].clone()
}

/// The templates of all operations with this method.
fn templates(method: &str) -> Vec<String> {
    let document = document();
    let paths = document["paths"].as_object().expect("paths are an object");
    paths.iter().filter(|(_, it)| it[method].is_object()).map(|(path, _)| path.clone()).collect()
}

/// The body with one value changed, in many ways.
fn variants(body: &Value) -> Vec<Value> {
    let odd = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1),
        json!(10_000),
        json!(10_001),
        json!(1.0),
        json!(1e4),
        json!(1.5),
        json!(-0.0),
        json!(100_000_000),
        json!(100_000_001),
        json!(""),
        json!("a"),
        json!("a b"),
        json!("EUR"),
        json!("eur"),
        json!("."),
        json!(".."),
        json!("..."),
        json!("a."),
        json!("\u{0}"),
        json!("XTS"),
        json!("a".repeat(64)),
        json!("a".repeat(65)),
        json!("a".repeat(200)),
        json!("ä".repeat(201)),
        json!([]),
        json!({}),
        json!([{}]),
        json!(9_007_199_254_740_991_i64),
        json!(9_007_199_254_740_992_i64),
    ];
    let mut variants = vec![body.clone()];
    for pointer in places(body) {
        for value in &odd {
            let mut variant = body.clone();
            *variant.pointer_mut(&pointer).expect("the place is there") = value.clone();
            variants.push(variant);
        }
        if let Some((parent, field)) = pointer.rsplit_once('/') {
            let mut variant = body.clone();
            if let Some(object) = variant.pointer_mut(parent).and_then(Value::as_object_mut) {
                object.remove(field);
                variants.push(variant);
            }
        }
        let mut variant = body.clone();
        if let Some(object) = variant.pointer_mut(&pointer).and_then(Value::as_object_mut) {
            object.insert("unknown".to_owned(), json!(1));
            variants.push(variant);
        }
    }
    variants
}

/// JSON pointers to all values in a body, including the body itself.
fn places(value: &Value) -> Vec<String> {
    let mut places = vec![String::new()];
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (name, child) in children {
        places.extend(self::places(child).into_iter().map(|place| format!("/{name}{place}")));
    }
    places
}

/// The pointers of all errors that a validator finds.
fn wrong_places(schema: &Validator, body: &Value) -> BTreeSet<String> {
    let places = schema.iter_errors(body).flat_map(|error| {
        let place = error.instance_path().to_string();
        let names = match error.kind() {
            ValidationErrorKind::Required { property } => {
                vec![property.as_str().unwrap_or_default()]
            }
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                unexpected.iter().map(String::as_str).collect()
            }
            _ => return vec![place],
        };
        names.into_iter().map(|name| format!("{place}/{name}")).collect()
    });
    places.collect()
}

// Guards: the-service-accepts-what-its-document-allows
#[tokio::test]
async fn the_document_describes_exactly_the_accepted_bodies() {
    assert_eq!(templates("post").len(), 5);
    for template in templates("post") {
        let content = &operation("post", &template)["requestBody"]["content"]["application/json"];
        let schema = schema(content["schema"]["$ref"].as_str().expect("a reference"));
        let (mut taken, mut refused) = (0, 0);
        for variant in variants(&content["example"]) {
            let world = World::new();
            let path = template.replace("{id}", "nobody");
            let answer = world.post(&path, "a", variant.clone()).await;
            let wrong = wrong_places(&schema, &variant);
            if wrong.is_empty() {
                assert_ne!(answer.status, 400, "{template} {variant}: {answer:?}");
                taken += 1;
            } else {
                let named: Vec<_> = answer.pointers().into_iter().map(str::to_owned).collect();
                assert_eq!(named.len(), wrong.len(), "{template} {variant}: {answer:?}");
                assert_eq!(BTreeSet::from_iter(named), wrong, "{template} {variant}: {answer:?}");
                refused += 1;
            }
        }
        assert!(taken > 0 && refused > 10, "{template}: {taken} taken, {refused} refused");
    }
}

#[test]
fn the_document_lists_the_accepted_currencies() {
    let letters = || 'A'..='Z';
    let codes = letters().flat_map(|a| {
        letters().flat_map(move |b| letters().map(move |c| String::from_iter([a, b, c])))
    });
    let listed = schema("#/components/schemas/CurrentCurrency");
    let mut taken = 0;
    for code in codes {
        let known = iso_currency::Currency::from_code(&code).is_some();
        assert_eq!(listed.is_valid(&json!(code)), known, "{code}");
        taken += usize::from(known);
    }
    assert!(taken > 150);
}

/// Valid and invalid texts for a parameter, including the valid ones of all other parameters.
fn texts() -> Vec<String> {
    let texts = [
        "",
        "0",
        "1",
        "7",
        "01",
        "+1",
        "-1",
        "1.0",
        "1e1",
        "100",
        "101",
        "999999999999999",
        "1000000000000000",
        "99999999999999999999",
        "\"0\"",
        "\"1\"",
        "\"01\"",
        "\"1.0\"",
        "\"\"",
        "1\"",
        "W/\"1\"",
        "*",
        "\"999999999999999\"",
        "\"1000000000000000\"",
        "a",
        "a.b",
        ".",
        "..",
        "...",
        "a b",
        "ä",
        "2026-11-23",
        "2026-11-31",
        "2026-1-23",
        "0000-01-01",
        "9999-12-31",
        "20261123",
        "today",
        "2026-11-23T09:00:00Z",
        "2026-11-23T09:00:00.123456789Z",
        "2026-11-23T09:00:00.1234567890Z",
        "2026-11-23T09:00:00.Z",
        "2026-11-23T09:00:00z",
        "2026-11-23t09:00:00Z",
        "2026-11-23 09:00:00Z",
        "2026-11-23T09:00Z",
        "2026-11-23T09:00:00+00:00",
        "2026-11-23T24:00:00Z",
        "9999-12-31T23:59:59Z",
        "0000-01-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
    ];
    let mut texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
    texts.extend(["k".repeat(64), "k".repeat(65), "k".repeat(255), "k".repeat(256)]);
    texts
}

/// A validator of a parameter of an operation.
fn parameter(method: &str, template: &str, name: &str) -> Validator {
    let mut document = document();
    let parameters = operation(method, template)["parameters"].clone();
    let parameters = parameters.as_array().expect("a list").iter().map(|it| match &it["$ref"] {
        Value::String(reference) => {
            document.pointer(reference.trim_start_matches('#')).expect("it exists").clone()
        }
        _ => it.clone(),
    });
    let found = parameters.into_iter().find(|it| it["name"] == name).expect("it is documented");
    document["allOf"] = json!([found["schema"]]);
    validator(&document)
}

/// Whether the schema of a parameter allows a text. A number is valid if JSON has it as an integer.
fn is_allowed(schema: &Validator, text: &str) -> bool {
    let number = serde_json::from_str::<Value>(text).ok().filter(Value::is_u64);
    schema.is_valid(&json!(text)) || number.is_some_and(|number| schema.is_valid(&number))
}

// Guards: the-service-accepts-what-its-document-allows
#[tokio::test]
async fn the_document_describes_exactly_the_accepted_parameters() {
    let dashboard = |name: &str, text: &str| {
        let other = if name == "from" { "to" } else { "from" };
        let query = [(name.to_owned(), text.to_owned()), (other.to_owned(), text.to_owned())];
        Request { query: query.to_vec(), ..get("/dashboard") }
    };
    let query = |path: &str, name: &str, text: &str| Request {
        query: vec![(name.to_owned(), text.to_owned())],
        ..get(path)
    };
    let header = |name: &str, text: &str| {
        let request = post("/orders/nobody/pay", "a", body("pay").to_string());
        match name {
            "idempotency-key" => post("/orders/nobody/pay", text, body("pay").to_string()),
            _ => with(request, name, text),
        }
    };
    let schemas = [
        ("get", "/orders/{id}", "id"),
        ("get", "/customers/{customerId}/orders", "customerId"),
        ("get", "/orders/{id}", "version"),
        ("get", "/orders/{id}", "at"),
        ("get", "/orders/{id}/events", "limit"),
        ("get", "/dashboard", "from"),
        ("get", "/dashboard", "to"),
        ("post", "/orders/{id}/pay", "If-Match"),
        ("post", "/orders/{id}/pay", "Idempotency-Key"),
    ]
    .map(|(method, template, name)| (name, parameter(method, template, name)));
    for text in texts() {
        let encoded = url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let path = encoded.replace('+', "%20");
        let requests = [
            ("id", get(&format!("/orders/{path}"))),
            ("customerId", get(&format!("/customers/{path}/orders"))),
            ("version", query("/orders/nobody", "version", &text)),
            ("at", query("/orders/nobody", "at", &text)),
            ("limit", query("/orders/nobody/events", "limit", &text)),
            ("from", dashboard("from", &text)),
            ("to", dashboard("to", &text)),
            ("If-Match", header("if-match", &text)),
            ("Idempotency-Key", header("idempotency-key", &text)),
        ];
        for ((name, request), (_, schema)) in requests.into_iter().zip(&schemas) {
            let answer = World::new().send(&request).await;
            let taken = answer.status != 400;
            let empty_path = text.is_empty() && name.to_lowercase().ends_with("id");
            assert!(
                taken == is_allowed(schema, &text) || empty_path,
                "{name} {text:?}: {answer:?}"
            );
        }
    }
}

#[tokio::test]
async fn tokens_have_the_documented_form() {
    let world = World::new();
    let placed = world.place("a").await;
    world.place("b").await;
    world.steps(&placed, &["pay"]).await;
    world.project().await;
    let cursor = schema("#/components/schemas/Cursor");
    for path in
        [format!("/orders/{placed}/events?limit=1"), "/customers/c-1/orders?limit=1".to_owned()]
    {
        let page = world.get(&path).await.body;
        assert!(page["nextCursor"].is_string() && cursor.is_valid(&page["nextCursor"]), "{page}");
    }
    let token = schema("#/components/schemas/ConsistencyToken");
    for (id, version) in [("a", 1), (&"a".repeat(64), u64::MAX)] {
        let stream = format!("default/order#{id}").parse().expect("a stream");
        let issued = ConsistencyToken { stream, version: Version::new(version) }.to_text();
        assert!(token.is_valid(&json!(issued)), "{issued}");
    }
}

/// Checks an answer against the document's response for its operation and status.
fn check(method: &str, template: &str, answer: &Answer) {
    let status = answer.status.to_string();
    let mut response = operation(method, template)["responses"][&status].clone();
    let mut place = format!(
        "#/paths/{}/{method}/responses/{status}",
        template.replace('/', "~1").replace('{', "%7B").replace('}', "%7D")
    );
    if let Some(reference) = response["$ref"].as_str() {
        place = reference.to_owned();
        let pointer = reference.trim_start_matches('#').to_owned();
        response = document().pointer(&pointer).expect("the reference exists").clone();
    }
    assert!(response.is_object(), "{method} {template} does not document {status}: {answer:?}");
    let Some(media) = answer.header("Content-Type") else {
        assert_eq!((answer.status, &answer.body), (304, &Value::Null));
        return;
    };
    assert!(response["content"][media].is_object(), "{place} does not document {media}");
    let body = format!("{place}/content/{}/schema", media.replace('/', "~1"));
    let schema = schema(&body);
    let errors: Vec<_> = schema.iter_errors(&answer.body).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{method} {template} {status}: {errors:?} in {}", answer.body);
    for name in response["headers"].as_object().into_iter().flatten().map(|(name, _)| name) {
        let optional = ["Retry-After", "Preference-Applied", "WWW-Authenticate"];
        assert!(
            optional.contains(&name.as_str()) || answer.header(name).is_some(),
            "{place}: {name}"
        );
    }
}

#[tokio::test]
async fn answers_have_the_documented_form() {
    let world = World::new();
    let placed = world.post("/orders", "a", order()).await;
    check("post", "/orders", &placed);
    let id = placed.body["id"].as_str().expect("an id").to_owned();
    for step in ["pay", "ship", "deliver", "pay", "cancel"] {
        let (path, key) =
            (format!("/orders/{id}/{step}"), format!("k-{}", world.log.commits().len()));
        let answer = world.post(&path, &key, body(step)).await;
        check("post", &format!("/orders/{{id}}/{step}"), &answer);
    }
    let refunded = world.place("b").await;
    world.steps(&refunded, &["pay", "cancel"]).await;
    world.project().await;
    assert_eq!(templates("get").len(), 5);
    for query in &templates("get") {
        for entity in [&id, &refunded, "nobody", "no body"] {
            let customer = if entity == "nobody" { "c-1" } else { entity };
            let path = query.replace("{id}", entity).replace("{customerId}", customer);
            for parameters in [
                "",
                "?limit=1",
                "?version=1",
                "?from=2020-01-01&to=2020-02-01",
                "?from=2023-11-14&to=2023-11-15",
            ] {
                check("get", query, &world.get(&format!("{path}{parameters}")).await);
            }
        }
    }
    let requests: [Request; 4] = [
        post("/orders", "", order().to_string()),
        post("/orders", "a", "{"),
        post("/orders", "a", body("cancel").to_string()),
        post("/orders", "a", "x".repeat(300_000)),
    ];
    for request in requests {
        check("post", "/orders", &world.send(&request).await);
    }
    let mut deleted = get(&format!("/orders/{id}"));
    deleted.method = Method::DELETE;
    check("get", "/orders/{id}", &world.send(&deleted).await);
}

/// The commands that come before an operation, so that its example is accepted.
fn before(template: &str) -> &'static [&'static str] {
    match template {
        "/orders/{id}/ship" => &["pay"],
        "/orders/{id}/deliver" => &["pay", "ship"],
        _ => &[],
    }
}

// Guards: the-http-document-matches-the-code
#[tokio::test]
async fn every_example_gets_the_documented_answer() {
    for template in templates("post") {
        let world = World::new();
        let id = world.place("before").await;
        world.steps(&id, before(&template)).await;
        let content = &operation("post", &template)["requestBody"]["content"]["application/json"];
        let path = template.replace("{id}", &id);
        let answer = world.post(&path, "a", content["example"].clone()).await;
        assert!([200, 201].contains(&answer.status), "{template}: {answer:?}");
        check("post", &template, &answer);
    }
    for template in templates("get") {
        let world = World::new();
        let id = world.place("before").await;
        let mut path = template.clone();
        let mut query = Vec::new();
        let parameters = operation("get", &template)["parameters"].clone();
        for parameter in parameters.as_array().expect("a list") {
            let name = parameter["name"].as_str().unwrap_or_default();
            let example = &parameter["example"];
            let example = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
            match parameter["in"].as_str() {
                Some("path") if name == "id" => path = path.replace("{id}", &id),
                Some("path") => path = path.replace(&format!("{{{name}}}"), &example),
                Some("query") if example != "null" => query.push((name.to_owned(), example)),
                _ => {}
            }
        }
        let request = Request { query, ..get(&path) };
        let answer = world.send(&request).await;
        assert_eq!(answer.status, 200, "{template}: {answer:?}");
        check("get", &template, &answer);
        if let Some(tag) = answer.header("ETag") {
            let known = world.send(&with(request, "if-none-match", tag)).await;
            check("get", &template, &known);
            assert_eq!(known.status, 304);
        }
    }
}
