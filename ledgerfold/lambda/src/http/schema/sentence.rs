//! The rule of a shape in words.

use std::fmt::Display;

use serde_json::Value;

use super::{Format, Kind, Range, Shape, Text};

/// The most values that a sentence lists.
const MAX_LISTED: usize = 20;

impl Shape {
    /// The allowed values, to complete the sentence "must be …".
    pub(super) fn rule(&self) -> String {
        if let Some(rule) = &self.rule {
            return rule.clone();
        }
        match &self.kind {
            Kind::Any => "any JSON value".to_owned(),
            Kind::Null => "null".to_owned(),
            Kind::Boolean => "true or false".to_owned(),
            Kind::Integer(range) => format!("an integer{}", bounds(range, "")),
            Kind::Number(range) => format!("a number{}", bounds(range, "")),
            Kind::Text(text) => text.rule(),
            Kind::Listed(values) => listed(values),
            Kind::List { count, unique, .. } => {
                let different = if *unique { ", all different" } else { "" };
                format!("a list{}{different}", counted(count, "items"))
            }
            Kind::Object(_) => "an object".to_owned(),
            Kind::Nullable(shape) => format!("{}, or null", shape.rule()),
            Kind::Either(shapes) => shapes.iter().map(Self::rule).collect::<Vec<_>>().join(", or "),
        }
    }
}

impl Text {
    fn rule(&self) -> String {
        match (self.format, &self.pattern) {
            (Format::Date, _) => "a date, for example 2026-11-23".to_owned(),
            (Format::DateTime, _) => {
                "an RFC 3339 instant, for example 2026-11-23T09:00:00Z".to_owned()
            }
            (Format::Any, Some(pattern)) => format!("a text that matches {pattern}"),
            (Format::Any, None) => format!("a text{}", counted(&self.length, "characters")),
        }
    }
}

fn listed(values: &[Value]) -> String {
    let shown = values.iter().take(MAX_LISTED).map(|value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    let more = if values.len() > MAX_LISTED { " and others" } else { "" };
    match values {
        [_] => shown,
        _ => format!("one of {shown}{more}"),
    }
}

fn bounds(range: &Range<impl Display>, unit: &str) -> String {
    match (&range.min, &range.max) {
        (Some(min), Some(max)) => format!(" from {min} to {max}{unit}"),
        (Some(min), None) => format!(" of at least {min}{unit}"),
        (None, Some(max)) => format!(" of at most {max}{unit}"),
        (None, None) => String::new(),
    }
}

fn counted(range: &Range<usize>, unit: &str) -> String {
    match (range.min, range.max) {
        (Some(min), Some(max)) => format!(" of {min} to {max} {unit}"),
        (Some(min), None) => format!(" of at least {min} {unit}"),
        (None, Some(max)) => format!(" of at most {max} {unit}"),
        (None, None) => String::new(),
    }
}
