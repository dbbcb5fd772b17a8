//! `openapi.json` says what the code does: the same paths, the same bodies taken and refused, and
//! answers of the shape that it promises.

use jsonschema::Validator;
use ledgerfold_lambda::http::{Method, Request};
use orders::http::{COMMANDS, QUERIES};
use serde_json::{Value, json};

use crate::world::{Answer, World, body, get, is_found, order, post};

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
        assert!(is_found(method, &path), "{template} is listed, and not found");
    }
}

/// Where each command's body is described, and a body that is taken.
fn commands() -> [(&'static str, &'static str, Value); 5] {
    [
        ("/orders", "PlaceOrder", order()),
        ("/orders/{id}/pay", "PayOrder", body("pay")),
        ("/orders/{id}/cancel", "CancelOrder", body("cancel")),
        ("/orders/{id}/ship", "ShipOrder", body("ship")),
        ("/orders/{id}/deliver", "DeliverOrder", body("deliver")),
    ]
}

/// The body with one thing changed, in every way that comes to mind.
fn variants(body: &Value) -> Vec<Value> {
    let odd = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1),
        json!(10_000),
        json!(10_001),
        json!(1.5),
        json!(100_000_000),
        json!(100_000_001),
        json!(""),
        json!("a"),
        json!("a b"),
        json!("EUR"),
        json!("eur"),
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

/// JSON pointers to everything in a body, itself included.
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
async fn the_document_describes_exactly_the_bodies_that_are_taken() {
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

/// Holds an answer to what the document says of its operation and status.
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
        response = document().pointer(&pointer).expect("the reference leads somewhere").clone();
    }
    assert!(response.is_object(), "{method} {template} does not document {status}: {answer:?}");
    let media = answer.header("Content-Type").expect("an answer says what it is");
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
async fn answers_have_the_shape_that_the_document_promises() {
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
