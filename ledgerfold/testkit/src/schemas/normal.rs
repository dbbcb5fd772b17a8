//! A normal form of schemas, so that a comparison finds only differences of meaning.
//!
//! Schemars has several notations for the same type: an enum gets another one when a variant gets a comment, and an
//! optional struct has another one than an optional text. The normal form has no documentation, uses one keyword for
//! `null`, and has a single sorted list for a choice of constants.

use serde_json::{Map, Value};

/// The keyword for a value that may be `null`. JSON Schema 2020-12 does not use it.
pub(super) const NULLABLE: &str = "nullable";

/// Keywords that validators ignore.
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
        // A missing default has the same meaning as `null`, because an absent field is read as `null`.
        let is_redundant = keyword == "default" && value.is_null();
        if !DOCUMENTATION.contains(&keyword.as_str()) && !is_redundant {
            normal.insert(keyword.clone(), normal_keyword(keyword, value));
        }
    }
    if let Some(value) = normal.remove("const") {
        normal.insert("enum".to_owned(), Value::Array(vec![value]));
    }
    let choices = merge_constants(without_null(normal));
    Value::Object(sorted_lists(without_unused_defaults(choices)))
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

/// Replaces `null` as a type, a value or a choice by [`NULLABLE`].
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

/// Merges a choice of constants into one list.
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

/// The constants of a choice that consists only of constants.
fn constants(choice: &Value) -> Option<&Vec<Value>> {
    let choice = choice.as_object()?;
    let plain = choice.keys().all(|keyword| keyword == "enum" || keyword == "type");
    choice.get("enum").filter(|_| plain)?.as_array()
}

/// Removes the defaults of required fields, because they are never used.
fn without_unused_defaults(mut schema: Map<String, Value>) -> Map<String, Value> {
    let Some(Value::Array(required)) = schema.get("required").cloned() else { return schema };
    for name in required.iter().filter_map(Value::as_str) {
        let field = schema.get_mut("properties").and_then(|fields| fields.get_mut(name));
        if let Some(field) = field.and_then(Value::as_object_mut) {
            field.remove("default");
        }
    }
    schema
}

/// Sorts the lists whose order has no meaning.
fn sorted_lists(mut schema: Map<String, Value>) -> Map<String, Value> {
    for keyword in ["required", "enum", "type"] {
        if let Some(Value::Array(values)) = schema.get_mut(keyword) {
            values.sort_by_key(ToString::to_string);
        }
    }
    schema
}
