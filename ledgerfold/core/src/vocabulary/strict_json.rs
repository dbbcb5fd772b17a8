//! Strict JSON: every name of an object occurs once (RFC 7493, section 2.3).
//!
//! Parsers disagree on which of two equal names counts, so a firewall, a log or another verifier could see another text
//! than the service does.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// A text that is not strict JSON.
#[derive(Debug, thiserror::Error)]
pub enum StrictJsonError {
    /// An object has two members with this name.
    #[error("{source}")]
    Repeated {
        /// The name.
        name: String,
        /// The error, with its place in the text.
        source: serde_json::Error,
    },
    /// It is not JSON.
    #[error(transparent)]
    Malformed(serde_json::Error),
}

/// Parses one JSON text. Depth is bounded by `serde_json`, at 128.
///
/// # Errors
/// [`StrictJsonError`].
pub fn strict_json(text: &[u8]) -> Result<Value, StrictJsonError> {
    let repeated = Cell::new(None);
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Strict(&repeated).deserialize(&mut deserializer);
    let value = value.and_then(|value| deserializer.end().map(|()| value));
    value.map_err(|source| match repeated.take() {
        Some(name) => StrictJsonError::Repeated { name, source },
        None => StrictJsonError::Malformed(source),
    })
}

/// Builds a value, and keeps the first repeated name.
#[derive(Clone, Copy)]
struct Strict<'a>(&'a Cell<Option<String>>);

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(self)?;
            if object.contains_key(&name) {
                let error = A::Error::custom(format!("the name {name:?} occurs more than once"));
                self.0.set(Some(name));
                return Err(error);
            }
            object.insert(name, value);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{StrictJsonError, strict_json};

    #[test]
    fn valid_json_is_parsed_as_usual() {
        let text =
            br#"{"a": [null, true, -1, 18446744073709551615, 1.5, "\u00e4"], "b": {"a": {}}}"#;
        let plain: Value = serde_json::from_slice(text).expect("it is JSON");
        assert_eq!(strict_json(text).expect("it is JSON"), plain);
    }

    #[test]
    fn a_repeated_name_is_refused_at_any_depth() {
        for text in [r#"{"a": 1, "a": 1}"#, r#"[{"b": {"a": 1, "\u0061": 2}}]"#] {
            let error = strict_json(text.as_bytes()).expect_err("a name is repeated");
            assert!(
                matches!(&error, StrictJsonError::Repeated { name, .. } if name == "a"),
                "{error:?}"
            );
            let error = error.to_string();
            assert!(error.contains("the name \"a\" occurs more than once"), "{error}");
        }
    }
}
