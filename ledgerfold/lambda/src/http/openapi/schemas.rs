//! The schemas of a document.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::http::api::{ApiError, Generators};

/// The named schemas of requests and answers.
pub(super) struct Schemas(BTreeMap<String, Value>);

impl Schemas {
    /// The schemas that the described operations refer to.
    ///
    /// # Errors
    /// [`ApiError::TwoSchemas`].
    pub(super) fn of(generators: &mut Generators) -> Result<Self, ApiError> {
        let mut schemas = Self(BTreeMap::new());
        for generator in [&mut generators.requests, &mut generators.answers] {
            for (name, schema) in generator.take_definitions(true) {
                schemas.add(name, schema)?;
            }
        }
        Ok(schemas)
    }

    /// Adds a schema under its name.
    ///
    /// # Errors
    /// [`ApiError::TwoSchemas`].
    pub(super) fn add(&mut self, name: String, mut schema: Value) -> Result<(), ApiError> {
        tidy(&mut schema);
        match self.0.get(&name) {
            Some(other) if *other != schema => Err(ApiError::TwoSchemas(name)),
            _ => {
                self.0.insert(name, schema);
                Ok(())
            }
        }
    }

    pub(super) fn into_components(self) -> Map<String, Value> {
        self.0.into_iter().collect()
    }
}

/// Brings a generated schema into the form of the document: closed objects, no formats of Rust's numbers, and one line
/// for each paragraph.
pub(super) fn tidy(schema: &mut Value) {
    if let Value::Object(keywords) = schema {
        if let Some(Value::String(text)) = keywords.get_mut("description") {
            *text = paragraphs(text).join("\n\n");
        }
        let kind = keywords.get("type");
        let has_type = |name: &str| {
            kind.is_some_and(|kind| kind == name)
                || kind.and_then(Value::as_array).is_some_and(|kinds| kinds.contains(&name.into()))
        };
        let is_number = has_type("integer") || has_type("number");
        let is_object = has_type("object");
        if is_number {
            keywords.remove("format");
        }
        if is_object && !keywords.contains_key("additionalProperties") {
            keywords.insert("additionalProperties".to_owned(), Value::Bool(false));
            keywords.entry("properties").or_insert_with(|| Value::Object(Map::new()));
        }
    }
    for child in children(schema) {
        tidy(child);
    }
}

/// The schemas inside a schema.
fn children(schema: &mut Value) -> Vec<&mut Value> {
    let Value::Object(keywords) = schema else { return Vec::new() };
    let mut children = Vec::new();
    for (keyword, value) in keywords {
        match (keyword.as_str(), value) {
            ("properties" | "$defs", Value::Object(schemas)) => {
                children.extend(schemas.values_mut());
            }
            ("anyOf" | "oneOf" | "allOf", Value::Array(schemas)) => children.extend(schemas),
            ("items" | "additionalProperties", schema) => children.push(schema),
            _ => {}
        }
    }
    children
}

/// The paragraphs of a description, each in one line.
pub(super) fn paragraphs(text: &str) -> Vec<String> {
    text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect()
}
