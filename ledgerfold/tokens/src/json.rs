//! The JSON objects of a token.
//!
//! `serde_json` keeps the last of two members with the same name, and other parsers keep the first. A token that two
//! programs read differently is an attack, so RFC 7515 (section 4) and RFC 7519 (section 4) let a parser reject it. We
//! reject repeated names in every object, however deep.

use ledgerfold::vocabulary::{StrictJsonError, strict_json};
use serde_json::Value;

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
    match strict_json(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Err(StrictJsonError::Repeated { name, .. }) => Err(JsonError::Repeated(name)),
        Ok(_) | Err(StrictJsonError::Malformed(_)) => Err(JsonError::Malformed),
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
