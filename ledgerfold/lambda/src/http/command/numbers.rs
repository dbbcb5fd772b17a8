//! Numbers beyond the range of 64-bit floats. They are valid JSON, and the parser refuses them.

use std::borrow::Cow;

/// The same text, with 0 in place of each number that no float can hold. Texts in quotes do not change.
pub(super) fn within_range(text: &[u8]) -> Cow<'_, [u8]> {
    let mut changed: Option<Vec<u8>> = None;
    let mut copied = 0;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let end = match byte {
            b'"' => end_of_text(text, at),
            b'-' | b'0'..=b'9' => end_of_number(text, at),
            _ => at + 1,
        };
        let token = &text[at..end];
        if *byte != b'"' && is_beyond_range(token) {
            let changed = changed.get_or_insert_default();
            changed.extend_from_slice(&text[copied..at]);
            changed.push(b'0');
            copied = end;
        }
        at = end;
    }
    match changed {
        Some(mut changed) => {
            changed.extend_from_slice(&text[copied..]);
            Cow::Owned(changed)
        }
        None => Cow::Borrowed(text),
    }
}

/// The place after a text in quotes, or the end.
fn end_of_text(text: &[u8], begin: usize) -> usize {
    let mut at = begin + 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

/// The place after the characters that a number may have.
fn end_of_number(text: &[u8], begin: usize) -> usize {
    let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    let rest = text.get(begin..).unwrap_or_default();
    begin + rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len())
}

/// Whether the token is a number in the notation of JSON and exceeds every finite float.
fn is_beyond_range(token: &[u8]) -> bool {
    let text = std::str::from_utf8(token).unwrap_or_default();
    let is_large = || text.parse::<f64>().is_ok_and(f64::is_infinite);
    is_large() && serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::within_range;

    fn check(text: &str, expected: &str) {
        let changed = within_range(text.as_bytes());
        assert_eq!(String::from_utf8_lossy(&changed), expected);
    }

    #[test]
    fn only_numbers_beyond_the_range_are_replaced() {
        check(r#"{"a": 1e999, "b": [-1E+400,2]}"#, r#"{"a": 0, "b": [0,2]}"#);
        for unchanged in [
            r#"{"a": "1e999", "b": 1.5}"#,
            r#"{"\"1e999": "\\", "b": 1e308}"#,
            r#"["1e999"#,
            r#"["\"#,
            "01e999",
            "1e999.",
            "-",
            "",
        ] {
            check(unchanged, unchanged);
        }
    }
}
