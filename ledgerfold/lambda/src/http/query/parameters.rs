//! The parameters of a query, in its path and after the question mark.

use std::collections::BTreeMap;

use ledgerfold::{Timestamp, ports::IndexOrder, query::AuditPosition, vocabulary::Cursor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::http::{FieldError, Problem, Request, schema::Shape};

/// The most digits of a number in a header or parameter. Every JSON parser represents such a number exactly.
const MAX_DIGITS: usize = 15;

/// Parses a number in the only allowed notation: digits, without a sign or leading zeros.
pub(in crate::http) fn number(text: &str) -> Option<u64> {
    let canonical = text.len() <= MAX_DIGITS
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    canonical.then(|| text.parse().ok()).flatten()
}

/// Parses an integer in the only allowed notation: a number, or a minus sign and a number other than zero.
fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let value = i64::try_from(number(digits)?).ok()?;
    (sign == 1 || value != 0).then_some(sign * value)
}

/// A parameter as JSON, in the type that the shape has for it.
pub(in crate::http) fn parameter(text: &str, shape: &Shape) -> Value {
    let number = shape.is_integer().then(|| integer(text)).flatten();
    number.map_or_else(|| Value::from(text), Value::from)
}

/// The parameter of this name. An unknown one stays a text, and the check refuses it.
pub(super) fn field(name: &str, text: &str, shape: &Shape) -> (String, Value) {
    let value = shape.field(name).map_or_else(|| Value::from(text), |it| parameter(text, it));
    (name.to_owned(), value)
}

/// The parameters of a query: known ones only, each at most once.
#[derive(Debug)]
pub(in crate::http) struct QueryParameters<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> QueryParameters<'a> {
    /// Reads the parameters of a request, which must all be in `known`.
    ///
    /// # Errors
    /// A problem that names the parameter, or lists the known ones.
    pub(in crate::http) fn read(request: &'a Request, known: &[&str]) -> Result<Self, Problem> {
        let mut parameters = BTreeMap::new();
        for (name, value) in &request.query {
            if !known.contains(&name.as_str()) {
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(Problem::bad_request(format!(
                    "The query has an unknown parameter; known are: {known}."
                )));
            }
            if parameters.insert(name.as_str(), value.as_str()).is_some() {
                return Err(Problem::bad_request(format!(
                    "The parameter {name} occurs more than once."
                )));
            }
        }
        Ok(Self(parameters))
    }

    /// The parameters as JSON, in the types that the shape has for them.
    pub(super) fn to_json(&self, shape: &Shape) -> Map<String, Value> {
        let parameters = self.0.iter();
        parameters.map(|(name, text)| field(name, text, shape)).collect()
    }
}

/// The problem of one wrong parameter.
pub(in crate::http) fn broken(name: &str, errors: Vec<FieldError>) -> Problem {
    let named = |error: FieldError| FieldError { pointer: format!("/{name}"), ..error };
    broken_parameters(errors.into_iter().map(named).collect())
}

/// The problem of wrong parameters, with a sentence for each.
pub(super) fn broken_parameters(errors: Vec<FieldError>) -> Problem {
    let sentences = errors.into_iter().map(|FieldError { pointer, detail }| {
        format!("{} {detail}.", pointer.trim_start_matches('/'))
    });
    Problem::bad_request(sentences.collect::<Vec<_>>().join(" "))
}

/// The most items of a page: 1 to 100, and 20 by default. Every list has pages, so that no answer grows without bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Limit(#[schemars(range(min = 1, max = 100))] u8);

impl Default for Limit {
    fn default() -> Self {
        Self(20)
    }
}

/// The `nextCursor` of the previous page of the same list. Any other value is refused with 400.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    rename = "Cursor",
    extend(
        "pattern" = "^[A-Za-z0-9_-]{10,150}$",
        "format" = "cursor",
        "x-rule" = "the nextCursor of the previous page of the same list"
    )
)]
pub struct PageCursor(String);

/// An instant in UTC, to the nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "String", into = "Timestamp")]
#[schemars(
    inline,
    with = "Timestamp",
    extend(
        "pattern" = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$",
        "x-rule" = "an RFC 3339 instant in UTC, for example 2026-11-23T09:00:00Z"
    )
)]
pub struct Instant(pub Timestamp);

/// The schema has refused every other text.
///
/// The last day of the calendar ends after the last instant that can be represented. No event is recorded later.
impl From<String> for Instant {
    fn from(text: String) -> Self {
        Self(text.parse().unwrap_or(Timestamp::MAX))
    }
}

impl From<Instant> for Timestamp {
    fn from(Instant(at): Instant) -> Self {
        at
    }
}

/// A position in a list, as the list's cursors carry it.
///
/// Anybody can make up a cursor, so deserialization must refuse every position that the list cannot have issued. A
/// plain string is not a safe position: a store rejects an empty or oversized key, and the caller would get an internal
/// error.
pub trait ListPosition: Serialize + DeserializeOwned {}

impl ListPosition for AuditPosition {}

/// Its deserialization refuses an empty or oversized key.
impl ListPosition for IndexOrder {}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The most items.
    pub limit: usize,
    /// Its first position. `None` is the beginning of the list.
    pub from: Option<T>,
}

impl<T: ListPosition> Page<T> {
    /// The requested page of the list called `list`.
    ///
    /// # Errors
    /// 400 if the cursor belongs to another list.
    pub fn of(
        list: &str,
        Limit(limit): Limit,
        cursor: Option<&PageCursor>,
    ) -> Result<Self, Problem> {
        let from = cursor.map(|PageCursor(text)| Cursor::parse(text, list)).transpose();
        let from = from.map_err(|error| Problem::bad_request(format!("cursor {error}.")))?;
        Ok(Self { limit: limit.into(), from: from.map(|Cursor(from)| from) })
    }
}

#[cfg(test)]
mod tests {
    use super::{integer, number};

    #[test]
    fn an_integer_may_be_negative() {
        assert_eq!(["0", "7", "-7"].map(integer), [Some(0), Some(7), Some(-7)]);
        for other in ["", "-", "-0", "--1", "+1", "-01", "1-"] {
            assert_eq!(integer(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_number_is_written_in_one_way() {
        assert_eq!(
            ["0", "7", "999999999999999"].map(number),
            [Some(0), Some(7), Some(999_999_999_999_999)]
        );
        for other in ["", "+1", "-1", "01", "00", "1.0", " 1", "1 ", "\u{0661}", "1000000000000000"]
        {
            assert_eq!(number(other), None, "{other:?}");
        }
    }
}
