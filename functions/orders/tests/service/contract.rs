//! Checks that `openapi.json` agrees with the code: the same paths, the same accepted and refused bodies, and answers
//! of the documented form.

use jsonschema::Validator;
use ledgerfold::{Version, vocabulary::ConsistencyToken};
use ledgerfold_lambda::http::{Method, Request};
use orders::http::{COMMANDS, QUERIES};
use serde_json::{Value, json};

use crate::world::{Answer, World, body, get, is_found, order, post, with};

fn document() -> Value {
    serde_json::from_str(include_str!("../../openapi.json")).expect("the document is JSON")
}

/// A validator of a schema of the document.
fn schema(reference: &str) -> Validator {
    let mut document = document();
    document["$ref"] = json!(reference);
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&document)
        .expect("the document holds JSON Schemas")
}

fn operation(method: &str, template: &str) -> Value {
    document()["paths"][template][method].clone()
}

#[test]
fn the_document_has_the_paths_of_the_code_and_no_others() {
    let document = document();
    let mut documented = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths are an object") {
        for method in methods.as_object().expect("methods are an object").keys() {
            documented.push((method.clone(), path.clone()));
        }
    }
    let commands = COMMANDS.iter().map(|path| ("post".to_owned(), (*path).to_owned()));
    let queries = QUERIES.iter().map(|path| ("get".to_owned(), (*path).to_owned()));
    let mut known: Vec<_> = commands.chain(queries).collect();
    documented.sort();
    known.sort();
    assert_eq!(documented, known);
    for (method, template) in known {
        let path = template.replace("{id}", "a").replace("{customerId}", "c");
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
        assert!(is_found(method, &path), "{template} is documented, but not found");
    }
}

/// The path of each command, the schema of its body, and a valid body.
fn commands() -> [(&'static str, &'static str, Value); 5] {
    [
        ("/orders", "PlaceOrder", order()),
        ("/orders/{id}/pay", "PayOrder", body("pay")),
        ("/orders/{id}/cancel", "CancelOrder", body("cancel")),
        ("/orders/{id}/ship", "ShipOrder", body("ship")),
        ("/orders/{id}/deliver", "DeliverOrder", body("deliver")),
    ]
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

#[tokio::test]
async fn the_document_describes_exactly_the_accepted_bodies() {
    for (template, name, valid) in commands() {
        let schema = schema(&format!("#/components/schemas/{name}"));
        let documented = &operation("post", template)["requestBody"]["content"]["application/json"];
        assert_eq!(documented["schema"]["$ref"], json!(format!("#/components/schemas/{name}")));
        let (mut taken, mut refused) = (0, 0);
        for variant in variants(&valid) {
            let world = World::new();
            let path = template.replace("{id}", "nobody");
            let answer = world.post(&path, "a", variant.clone()).await;
            let read = answer.status != 400;
            assert_eq!(read, schema.is_valid(&variant), "{name} {variant}: {answer:?}");
            if read { taken += 1 } else { refused += 1 }
        }
        assert!(taken > 0 && refused > 10, "{name}: {taken} taken, {refused} refused");
    }
}

#[test]
fn the_document_lists_the_accepted_currencies() {
    let letters = || 'A'..='Z';
    let codes = letters().flat_map(|a| {
        letters().flat_map(move |b| letters().map(move |c| String::from_iter([a, b, c])))
    });
    let taken: Vec<_> =
        codes.filter(|code| iso_currency::Currency::from_code(code).is_some()).collect();
    assert_eq!(document()["components"]["schemas"]["CurrentCurrency"]["enum"], json!(taken));
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

/// Whether the schema of a parameter allows a text. A number is valid if JSON has it as an integer.
fn is_allowed(parameter: &str, text: &str) -> bool {
    let schema = schema(&format!("#/components/parameters/{parameter}/schema"));
    let number = serde_json::from_str::<Value>(text).ok().filter(Value::is_u64);
    schema.is_valid(&json!(text)) || number.is_some_and(|number| schema.is_valid(&number))
}

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
    for text in texts() {
        let encoded = url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let path = encoded.replace('+', "%20");
        let requests = [
            ("OrderId", get(&format!("/orders/{path}"))),
            ("CustomerId", get(&format!("/customers/{path}/orders"))),
            ("Version", query("/orders/nobody", "version", &text)),
            ("At", query("/orders/nobody", "at", &text)),
            ("Limit", query("/orders/nobody/events", "limit", &text)),
            ("From", dashboard("from", &text)),
            ("To", dashboard("to", &text)),
            ("IfMatch", header("if-match", &text)),
            ("IdempotencyKey", header("idempotency-key", &text)),
        ];
        for (parameter, request) in requests {
            let answer = World::new().send(&request).await;
            let taken = answer.status != 400;
            let empty_path = text.is_empty() && parameter.ends_with("Id");
            assert!(
                taken == is_allowed(parameter, &text) || empty_path,
                "{parameter} {text:?}: {answer:?}"
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
        let stream = format!("order#{id}").parse().expect("a stream");
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
    let media = answer.header("Content-Type").expect("an answer has a media type");
    assert!(response["content"][media].is_object(), "{place} does not document {media}");
    let body = format!("{place}/content/{}/schema", media.replace('/', "~1"));
    let schema = schema(&body);
    let errors: Vec<_> = schema.iter_errors(&answer.body).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{method} {template} {status}: {errors:?} in {}", answer.body);
    for name in response["headers"].as_object().into_iter().flatten().map(|(name, _)| name) {
        let optional = ["Retry-After"];
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
    for query in QUERIES {
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
