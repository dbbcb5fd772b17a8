//! One spelling per meaning, so that a comparison sees differences of meaning only.
//!
//! Schemars writes the same type in several ways: an enum gets another form once one of its variants
//! has a comment, an optional struct another than an optional text. Here documentation goes, `null`
//! becomes a mark of its own, and a choice of constants one sorted list.

use serde_json::{Map, Value};

/// The mark of a value that may be `null`; no keyword of JSON Schema 2020-12.
pub(super) const NULLABLE: &str = "nullable";

/// Keywords that no validator reads.
const DOCUMENTATION: [&str; 9] = [
    "$comment",
    "$id",
    "$schema",
    "deprecated",
    "description",
    "examples",
    "readOnly",
    "title",
    "writeOnly",
];

pub(super) fn normal(schema: &Value) -> Value {
    let Value::Object(schema) = schema else {
        return match schema {
            Value::Bool(true) => Value::Object(Map::new()),
            other => other.clone(),
        };
    };
    let mut normal = Map::new();
    for (keyword, value) in schema {
        // No default means the same as `null`, because an absent field is read as that.
        let says_nothing = keyword == "default" && value.is_null();
        if !DOCUMENTATION.contains(&keyword.as_str()) && !says_nothing {
            normal.insert(keyword.clone(), normal_keyword(keyword, value));
        }
    }
    if let Some(value) = normal.remove("const") {
        normal.insert("enum".to_owned(), Value::Array(vec![value]));
    }
    let choices = merge_constants(without_null(normal));
    Value::Object(sorted_lists(without_idle_defaults(choices)))
}

fn normal_keyword(keyword: &str, value: &Value) -> Value {
    match (keyword, value) {
        ("properties" | "patternProperties" | "$defs", Value::Object(schemas)) => {
            schemas.iter().map(|(name, schema)| (name.clone(), normal(schema))).collect()
        }
        ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(schemas)) => {
            schemas.iter().map(normal).collect()
        }
        ("items" | "additionalProperties" | "not", schema) => normal(schema),
        _ => value.clone(),
    }
}

/// `null` as a type, a value or a choice becomes the mark.
fn without_null(mut schema: Map<String, Value>) -> Map<String, Value> {
    let mut found = false;
    for keyword in ["type", "enum", "anyOf", "oneOf"] {
        let Some(Value::Array(choices)) = schema.get_mut(keyword) else { continue };
        let before = choices.len();
        choices.retain(|choice| !is_null(keyword, choice));
        if choices.len() == before {
            continue;
        }
        found = true;
        let [only] = &choices[..] else { continue };
        match (keyword, only.clone()) {
            ("type", only) => {
                schema.insert(keyword.to_owned(), only);
            }
            ("anyOf" | "oneOf", Value::Object(only)) => {
                schema.remove(keyword);
                schema.extend(only);
            }
            _ => {}
        }
    }
    if found {
        schema.insert(NULLABLE.to_owned(), Value::Bool(true));
    }
    schema
}

fn is_null(keyword: &str, choice: &Value) -> bool {
    match keyword {
        "type" => choice == "null",
        "enum" => choice.is_null(),
        _ => choice.get("type").is_some_and(|name| name == "null"),
    }
}

/// A choice of nothing but constants is one list of constants.
fn merge_constants(mut schema: Map<String, Value>) -> Map<String, Value> {
    for keyword in ["anyOf", "oneOf"] {
        let Some(Value::Array(choices)) = schema.get(keyword) else { continue };
        let constants: Option<Vec<&Vec<Value>>> = choices.iter().map(constants).collect();
        let Some(constants) = constants else { continue };
        let all = constants.into_iter().flatten().cloned().collect();
        if let Some(kind) = choices.first().and_then(|choice| choice.get("type")).cloned() {
            schema.insert("type".to_owned(), kind);
        }
        schema.remove(keyword);
        schema.insert("enum".to_owned(), Value::Array(all));
    }
    schema
}

/// The constants of a choice that says nothing but these.
fn constants(choice: &Value) -> Option<&Vec<Value>> {
    let choice = choice.as_object()?;
    let plain = choice.keys().all(|keyword| keyword == "enum" || keyword == "type");
    choice.get("enum").filter(|_| plain)?.as_array()
}

/// A required field is never read from its default.
fn without_idle_defaults(mut schema: Map<String, Value>) -> Map<String, Value> {
    let Some(Value::Array(required)) = schema.get("required").cloned() else { return schema };
    for name in required.iter().filter_map(Value::as_str) {
        let field = schema.get_mut("properties").and_then(|fields| fields.get_mut(name));
        if let Some(field) = field.and_then(Value::as_object_mut) {
            field.remove("default");
        }
    }
    schema
}

/// The order of these says nothing.
fn sorted_lists(mut schema: Map<String, Value>) -> Map<String, Value> {
    for keyword in ["required", "enum", "type"] {
        if let Some(Value::Array(values)) = schema.get_mut(keyword) {
            values.sort_by_key(ToString::to_string);
        }
    }
    schema
}
