//! JSON without repeated names.
//!
//! `serde_json` keeps the last of two members with the same name, and other parsers keep the first. A token that two
//! programs read differently is an attack, so RFC 7515 (section 4) and RFC 7519 (section 4) let a parser reject it. We
//! reject repeated names in every object, however deep. Depth is bounded by `serde_json`, at 128.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Text that is no JSON object, or repeats a name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// An object has two members with this name.
    Repeated(String),
    /// It is not one JSON object and nothing else.
    Malformed,
}

/// Reads a JSON object. The value is a [`Value::Object`].
pub(crate) fn object(text: &[u8]) -> Result<Value, JsonError> {
    let repeated = Cell::new(None);
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Strict(&repeated).deserialize(&mut deserializer);
    match (value, deserializer.end()) {
        (Ok(value @ Value::Object(_)), Ok(())) => Ok(value),
        _ => Err(repeated.take().map_or(JsonError::Malformed, JsonError::Repeated)),
    }
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
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                self.0.set(Some(name));
                return Err(A::Error::custom("a name is repeated"));
            }
            let value = members.next_value_seed(self)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_is_read_as_serde_json_reads_it() {
        let text =
            r#" {"a": [1, -2, 1.5, "x\u00e9", true, null, {"b": {}}], "c": 18446744073709551615} "#;
        let expected: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(object(text.as_bytes()), Ok(expected));
        assert_eq!(object(b"{}"), Ok(json!({})));
    }

    #[test]
    fn a_repeated_name_is_refused_wherever_it_is_and_however_it_is_spelled() {
        for text in [
            r#"{"a": 1, "a": 1}"#,
            r#"{"a": 1, "b": 2, "\u0061": 3}"#,
            r#"{"x": [{"y": {"a": 1, "a": 2}}]}"#,
        ] {
            assert_eq!(object(text.as_bytes()), Err(JsonError::Repeated("a".to_owned())), "{text}");
        }
    }

    #[test]
    fn anything_but_one_object_is_refused() {
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        let open = "[".repeat(1_000_000);
        let other =
            ["", "null", "[]", "\"a\"", "{", "{} {}", "{}x", "{\"a\": 1e999}", &deep, &open];
        for text in other {
            assert_eq!(object(text.as_bytes()), Err(JsonError::Malformed));
        }
        assert_eq!(object(b"{\"a\": \"\xff\"}"), Err(JsonError::Malformed));
        assert_eq!(object(b"\xef\xbb\xbf{}"), Err(JsonError::Malformed));
    }
}
