//! Measured values, exactly as they were sent.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Number;

/// The longest notation of a value, in characters. No sensor needs more, and a batch of long ones would exceed a commit.
const LONGEST: usize = 64;

/// A value: a finite JSON number, in the notation of its sender.
///
/// In an event it is a number where a number gives back the notation, and otherwise a text: `21.5`, but `"21.50"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A number that is written as it was sent.
    Number(Number),
    /// The notation, where a number would be written in another one.
    Text(String),
}

/// A number that cannot be a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidValue {
    /// Its magnitude exceeds that of every finite 64-bit float.
    #[error("the value is not finite")]
    NotFinite,
    /// Its notation is too long.
    #[error("the value has more than {LONGEST} characters")]
    TooLong,
    /// It is not a number.
    #[error("the value is not a JSON number")]
    NotANumber,
}

impl Value {
    /// The value in this JSON text.
    ///
    /// ```
    /// # use devices_events::{InvalidValue, Value};
    /// assert_eq!(Value::parse("21.50")?.to_string(), "21.50");
    /// assert_eq!(Value::parse("1e999"), Err(InvalidValue::NotFinite));
    /// # Ok::<(), InvalidValue>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidValue`].
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let begins = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        let float = text.parse::<f64>().ok().filter(|_| begins);
        let float = float.ok_or(InvalidValue::NotANumber)?;
        if !float.is_finite() {
            return Err(InvalidValue::NotFinite);
        }
        let number: Number = serde_json::from_str(text).map_err(|_| InvalidValue::NotANumber)?;
        if number.to_string() == text {
            return Ok(Self::Number(number));
        }
        if text.len() > LONGEST {
            return Err(InvalidValue::TooLong);
        }
        Ok(Self::Text(text.to_owned()))
    }

    /// The nearest 64-bit float. Every value has a finite one.
    pub fn to_f64(&self) -> f64 {
        let float = match self {
            Self::Number(number) => number.as_f64(),
            Self::Text(text) => text.parse().ok(),
        };
        float.unwrap_or_default()
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl JsonSchema for Value {
    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A finite number. It is a text where a number would not keep the notation of its sender.",
            "type": ["number", "string"],
        })
    }
}
