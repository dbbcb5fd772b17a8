use std::collections::{BTreeMap, BTreeSet};

use jsonschema::{Validator, error::ValidationErrorKind};
use schemars::{JsonSchema, schema_for};
use serde_json::{Value, json};

use super::Shape;

/// A type with everything that a shape knows.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "only its schema is used")]
struct Sample {
    /// A count.
    #[schemars(range(min = 1, max = 10))]
    count: u32,
    #[schemars(range(min = -1.5, max = 1.5))]
    ratio: f64,
    #[schemars(length(min = 1, max = 3))]
    name: String,
    #[schemars(regex(pattern = "^[a-z]+$"), extend("x-rule" = "small letters"))]
    code: Option<String>,
    kind: Kind,
    other_kind: Option<Kind>,
    #[schemars(length(max = 2))]
    parts: Vec<Part>,
    part: Option<Part>,
    tags: BTreeSet<u8>,
    #[schemars(range(min = 0))]
    by_name: BTreeMap<String, i64>,
    day: Option<jiff::civil::Date>,
    at: Option<jiff::Timestamp>,
    flag: bool,
    anything: Value,
    shape: Option<Form>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[allow(dead_code, reason = "only its schema is used")]
enum Kind {
    /// The first.
    One,
    Two,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "only its schema is used")]
struct Part {
    #[schemars(range(max = 5))]
    size: i64,
}

#[derive(JsonSchema)]
#[schemars(tag = "type", rename_all = "lowercase")]
#[allow(dead_code, reason = "only its schema is used")]
enum Form {
    Circle { radius: u8 },
    Square { side: u8 },
}

fn sample() -> Value {
    json!({
        "count": 2, "ratio": 0.5, "name": "ab", "code": "abc", "kind": "one", "other_kind": null,
        "parts": [{"size": 1}], "part": {"size": 5}, "tags": [1, 2], "by_name": {"a/b": 1},
        "day": "2026-11-23", "at": "2026-11-23T09:00:00Z", "flag": true, "anything": [1],
        "shape": {"type": "circle", "radius": 3},
    })
}

fn errors(value: &Value) -> Vec<(String, String)> {
    let shape = Shape::of::<Sample>().expect("a supported schema");
    let errors = shape.check(&mut value.clone()).into_iter();
    errors.map(|error| (error.pointer, error.detail)).collect()
}

#[test]
fn every_error_says_what_is_wrong_and_what_is_allowed() {
    let wrong = json!({
        "count": 11, "ratio": "1", "name": "", "code": "A", "kind": "three", "other_kind": 1,
        "parts": [{"size": 6, "a~b/c": 1}, 1, {}], "part": {"size": "x"}, "tags": [1, 1],
        "by_name": {"a/b": null}, "day": "today", "at": "now", "flag": 1,
        "shape": {"type": "circle", "radius": -1},
    });
    let expected = [
        ("/anything", "is missing; must be any JSON value"),
        ("/at", "must be an RFC 3339 instant, for example 2026-11-23T09:00:00Z, or null"),
        ("/by_name/a~1b", "must be an integer"),
        ("/code", "must be small letters, or null"),
        ("/count", "must be an integer from 1 to 10"),
        ("/day", "must be a date, for example 2026-11-23, or null"),
        ("/flag", "must be true or false"),
        ("/kind", "must be one of two, one"),
        ("/name", "must be a text of 1 to 3 characters"),
        ("/other_kind", "must be one of two, one, or null"),
        ("/part/size", "must be an integer of at most 5"),
        ("/parts", "must be a list of at most 2 items"),
        ("/parts/0/a~0b~1c", "is not known; known fields are: size"),
        ("/parts/0/size", "must be an integer of at most 5"),
        ("/parts/1", "must be an object"),
        ("/parts/2/size", "is missing; must be an integer of at most 5"),
        ("/ratio", "must be a number from -1.5 to 1.5"),
        ("/shape/radius", "must be an integer from 0 to 255"),
        ("/tags", "must be a list, all different"),
    ];
    let expected = expected.map(|(pointer, detail)| (pointer.to_owned(), detail.to_owned()));
    let mut found = errors(&wrong);
    found.sort();
    assert_eq!(found, expected);
}

/// Values of all kinds, at and around the bounds of the sample.
fn odd_values() -> Vec<Value> {
    let texts = ["", "a", "abc", "abcd", "äöü", "A", "one", "2026-02-30", "2026-1-1", "20261123"];
    let instants = [
        "2026-11-23T09:00:00Z",
        "2026-11-23T09:00:00.5+01:00",
        "2026-11-23T09:00:00",
        "2026-11-23 09:00:00Z",
        "2026-11-23T09:00:00.Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T09:00Z",
    ];
    let numbers = [0.0, -0.0, 1.0, 10.0, 11.0, 1.5, 1.6, -1.5, 2.5, 255.0, 256.0, 1e300];
    let mut values = vec![
        json!(null),
        json!(true),
        json!(1),
        json!(5),
        json!(6),
        json!(-1),
        json!(u64::MAX),
        json!(i64::MIN),
        json!([]),
        json!([1]),
        json!([1, 1]),
        json!([{"size": 1}, {"size": 1}]),
        json!([{"size": 1}, {"size": 1}, {"size": 1}]),
        json!({}),
        json!({"size": 5.0}),
        json!({"size": 5, "x": 1}),
        json!({"type": "square", "side": 1}),
    ];
    values.extend(texts.into_iter().chain(instants).map(Value::from));
    values.extend(numbers.map(Value::from));
    values
}

/// The places at which a validator finds errors. Errors inside alternatives count as errors of the whole value.
fn wrong_places(validator: &Validator, value: &Value) -> BTreeSet<String> {
    let places = validator.iter_errors(value).flat_map(|error| {
        let place = error.instance_path().to_string();
        match error.kind() {
            ValidationErrorKind::Required { property } => {
                vec![format!("{place}/{}", property.as_str().unwrap_or_default())]
            }
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                unexpected.iter().map(|name| format!("{place}/{name}")).collect()
            }
            _ => vec![place],
        }
    });
    places.collect()
}

// Guards: a-body-is-checked-as-json-schema-says
#[test]
fn the_check_agrees_with_a_validator_of_json_schema() {
    let validator = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(schema_for!(Sample).as_value())
        .expect("a valid schema");
    assert_eq!(errors(&sample()), []);
    let mut compared = 0;
    for name in sample().as_object().expect("an object").keys() {
        let mut missing = sample();
        missing.as_object_mut().expect("an object").remove(name);
        for value in odd_values() {
            let mut variant = sample();
            variant[name] = value;
            // Alternatives report the errors of the best one, so only the verdict is compared.
            let coarse = ["part", "shape"].contains(&name.as_str());
            for variant in [&variant, &missing] {
                let found: BTreeSet<_> = errors(variant).into_iter().map(|(at, _)| at).collect();
                let expected = wrong_places(&validator, variant);
                if coarse {
                    assert_eq!(found.is_empty(), expected.is_empty(), "{variant}: {found:?}");
                } else {
                    assert_eq!(found, expected, "{variant}");
                }
                compared += 1;
            }
        }
    }
    assert!(compared > 1_000, "{compared}");
}

#[test]
fn an_integer_may_be_written_as_a_fraction_or_a_power() {
    let shape = Shape::of::<Part>().expect("a supported schema");
    for (number, integer) in
        [(json!(2), 2), (json!(2.0), 2), (json!(-0.0), 0), (json!(-2e3), -2_000)]
    {
        let mut value = json!({"size": number});
        assert_eq!(shape.check(&mut value), []);
        assert_eq!(value.to_string(), format!("{{\"size\":{integer}}}"));
    }
    let mut ratio = sample();
    ratio["ratio"] = json!(1.0);
    let shape = Shape::of::<Sample>().expect("a supported schema");
    assert_eq!(shape.check(&mut ratio), []);
    assert_eq!(ratio["ratio"].to_string(), "1.0", "a number that need not be an integer is kept");
}

// Guards: a-body-is-checked-as-json-schema-says
#[test]
fn a_schema_with_an_unknown_rule_is_refused() {
    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is used")]
    struct Odd {
        #[schemars(extend("multipleOf" = 5))]
        steps: u32,
    }
    let refused = Shape::of::<Odd>().map(|_| ()).expect_err("the rule is not checked");
    assert_eq!(
        refused.to_string(),
        "Odd, at \"/properties/steps\" of its schema: the keyword multipleOf is not supported"
    );
    let pair = Shape::of::<(u8, String)>().map(|_| ()).expect_err("a tuple is not supported");
    assert!(pair.reason.contains("prefixItems"), "{pair}");
}
