//! Bodies and parameters are checked against the JSON Schema of their type, so each bound is stated once: the schema is
//! the type's, the document's and the check's.
//!
//! The check names every wrong field at once (up to a thousand), with a sentence for people, and reads `2.0` and `2e0` as the integer 2, as
//! JSON Schema does. Every object is closed: a field that the type does not have is refused.
//!
//! We check schemas ourselves because the crate `jsonschema` makes every function 7 MB larger, half as large again, for
//! a start of 2 ms. This module knows the part of JSON Schema that `schemars` derives for plain types, and
//! [`Shape::of`] refuses everything else, so a rule is never overlooked. A test compares it with `jsonschema`.

mod check;
mod read;
mod sentence;

use std::collections::BTreeMap;

use regex_lite::Regex;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

pub(super) use check::pointer_to;

/// The keyword that states the rule of a text in words: `"x-rule": "1 to 8 capital letters"`. It completes the sentence
/// "must be …".
pub(super) const RULE: &str = "x-rule";

/// A type has a schema that the check does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}, at {place:?} of its schema: {reason}")]
pub struct UnsupportedSchema {
    /// The type.
    pub name: String,
    /// A JSON pointer into its schema.
    pub place: String,
    /// The reason.
    pub reason: String,
}

/// The values that a schema allows, ready to check.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    kind: Kind,
    /// The rule in words.
    rule: Option<String>,
}

#[derive(Clone, Debug)]
enum Kind {
    Any,
    Null,
    Boolean,
    Integer(Range<i128>),
    Number(Range<f64>),
    Text(Text),
    /// One of these values.
    Listed(Vec<Value>),
    List {
        items: Box<Shape>,
        count: Range<usize>,
        unique: bool,
    },
    Object(Object),
    Nullable(Box<Shape>),
    Either(Vec<Shape>),
}

/// Both ends are included.
#[derive(Clone, Copy, Debug)]
struct Range<T> {
    min: Option<T>,
    max: Option<T>,
}

#[derive(Clone, Debug)]
struct Text {
    length: Range<usize>,
    pattern: Option<Regex>,
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Any,
    Date,
    DateTime,
}

#[derive(Clone, Debug)]
struct Object {
    fields: BTreeMap<String, Shape>,
    required: Vec<String>,
    /// The shape of all other fields. Without one there are no others.
    others: Option<Box<Shape>>,
}

impl Shape {
    /// The shape of a type.
    ///
    /// # Errors
    /// [`UnsupportedSchema`].
    pub(super) fn of<T: JsonSchema>() -> Result<Self, UnsupportedSchema> {
        let settings = SchemaSettings::draft2020_12().with(|it| it.inline_subschemas = true);
        let schema = settings.into_generator().into_root_schema_for::<T>();
        read::shape(&schema.to_value()).map_err(|(place, reason)| {
            let name = T::schema_name().into_owned();
            UnsupportedSchema { name, place, reason }
        })
    }

    /// The shape of a field, if this is an object with the field.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Object(object) => object.fields.get(name),
            Kind::Nullable(shape) => shape.field(name),
            _ => None,
        }
    }

    /// The names of an object's fields.
    pub(super) fn fields(&self) -> Vec<&str> {
        match &self.kind {
            Kind::Object(object) => object.fields.keys().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The object without these fields.
    pub(super) fn without(mut self, names: &[&str]) -> Self {
        if let Kind::Object(object) = &mut self.kind {
            object.fields.retain(|name, _| !names.contains(&name.as_str()));
            object.required.retain(|name| !names.contains(&name.as_str()));
        }
        self
    }

    /// Whether the shape allows only whole numbers, and possibly null.
    pub(super) fn is_integer(&self) -> bool {
        match &self.kind {
            Kind::Integer(_) => true,
            Kind::Nullable(shape) => shape.is_integer(),
            _ => false,
        }
    }

    /// Whether this is an object.
    pub(super) fn is_object(&self) -> bool {
        matches!(self.kind, Kind::Object(_))
    }
}

#[cfg(test)]
mod tests;
