//! Texts with placeholders such as `{uuid}`.

use std::collections::{BTreeMap, BTreeSet};

use ledgerfold::ports::Random;
use ledgerfold_aws::SystemRandom;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use uuid::Builder;

/// The characters of a value that a path cannot have.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The values of placeholders.
pub(super) type Values = BTreeMap<String, String>;

/// A fresh identifier, different in each request.
const UUID: &str = "uuid";
/// The number of the request, from 0.
const NUMBER: &str = "number";

/// The names that a placeholder may have, beside the two that always exist.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    pub(super) fn extend<'a>(&mut self, names: impl Iterator<Item = &'a String>) {
        self.0.extend(names.cloned());
    }

    pub(super) fn is_reserved(name: &str) -> bool {
        name == UUID || name == NUMBER
    }

    fn all(&self) -> String {
        let own = [UUID, NUMBER].into_iter();
        own.chain(self.0.iter().map(String::as_str)).collect::<Vec<_>>().join(", ")
    }
}

/// A text with placeholders.
#[derive(Debug)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug)]
enum Part {
    Text(String),
    Placeholder(String),
}

impl Template {
    /// # Errors
    /// A sentence, if a placeholder is unknown or not closed.
    pub(super) fn parse(text: &str, names: &Names) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after
                .split_once('}')
                .ok_or_else(|| format!("a placeholder in {text:?} has no closing brace"))?;
            if !Names::is_reserved(name) && !names.0.contains(name) {
                let known = names.all();
                return Err(format!(
                    "the value {{{name}}} is unknown; known here: {known}. Use `save` in the request that it is `after`"
                ));
            }
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Placeholder(name.to_owned()));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    pub(super) fn fill(&self, values: &Values, number: u64) -> String {
        self.fill_with(values, number, str::to_owned)
    }

    /// Fills a path. Characters of values that would change the path are escaped.
    pub(super) fn fill_path(&self, values: &Values, number: u64) -> String {
        self.fill_with(values, number, |value| utf8_percent_encode(value, ESCAPED).to_string())
    }

    fn fill_with(&self, values: &Values, number: u64, encode: fn(&str) -> String) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Placeholder(name) if name == UUID => fresh(),
            Part::Placeholder(name) if name == NUMBER => number.to_string(),
            Part::Placeholder(name) => encode(values.get(name).map_or("", String::as_str)),
        };
        self.0.iter().map(part).collect()
    }
}

fn fresh() -> String {
    let mut bytes = [0; 16];
    SystemRandom.fill(&mut bytes);
    Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// Checks the texts of a body. Names of fields have no placeholders.
pub(super) fn check(body: &Value, names: &Names) -> Result<(), String> {
    match body {
        Value::String(text) => Template::parse(text, names).map(drop),
        Value::Array(items) => items.iter().try_for_each(|item| check(item, names)),
        Value::Object(fields) => fields.values().try_for_each(|field| check(field, names)),
        _ => Ok(()),
    }
}

/// The body with values in the place of its placeholders.
pub(super) fn fill(body: &Value, values: &Values, number: u64) -> Value {
    match body {
        Value::String(text) => {
            let names = Names(values.keys().cloned().collect());
            // It was checked when the scenario was read.
            let template = Template::parse(text, &names);
            Value::String(template.map_or_else(|_| text.clone(), |it| it.fill(values, number)))
        }
        Value::Array(items) => items.iter().map(|item| fill(item, values, number)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, field)| (name.clone(), fill(field, values, number))).collect()
        }
        other => other.clone(),
    }
}
