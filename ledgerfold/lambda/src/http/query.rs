//! The parameters and headers of queries, including pages of lists.

use std::collections::BTreeMap;

use ledgerfold::{
    Category, Version,
    query::AuditPosition,
    vocabulary::{ConsistencyToken, Cursor, DamagedToken},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{Problem, Request, command::single};

/// The most items of a page. Every list has pages, so that no response grows without bound.
const MAX_LIMIT: u64 = 100;
/// The items of a page by default.
const DEFAULT_LIMIT: u64 = 20;
/// The most digits of a number in a header or parameter. Every JSON parser represents such a number exactly.
const MAX_DIGITS: usize = 15;

/// Parses a number in the only allowed notation: digits, without a sign or leading zeros.
pub fn number(text: &str) -> Option<u64> {
    let canonical = text.len() <= MAX_DIGITS
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    canonical.then(|| text.parse().ok()).flatten()
}

/// The parameters of a query: known ones only, each at most once.
#[derive(Debug)]
pub struct QueryParameters<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> QueryParameters<'a> {
    /// Reads the parameters of a request, which must all be in `known`.
    ///
    /// # Errors
    /// A problem that names the parameter, or lists the known ones.
    pub fn read(request: &'a Request, known: &[&str]) -> Result<Self, Problem> {
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

    /// A parameter as text.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied()
    }

    /// A parameter, parsed.
    ///
    /// # Errors
    /// A problem that states the rule for the parameter.
    pub fn parsed<T>(
        &self,
        name: &str,
        rule: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let wrong = || Problem::bad_request(format!("{name} must be {rule}."));
        parse(text).map(Some).ok_or_else(wrong)
    }

    /// The requested page of the list called `list`.
    ///
    /// # Errors
    /// A problem that names `limit` or `cursor`.
    pub fn page<T: ListPosition>(&self, list: &str) -> Result<Page<T>, Problem> {
        let limit = self.parsed("limit", "a number from 1 to 100", |text| {
            number(text).filter(|limit| (1..=MAX_LIMIT).contains(limit))
        })?;
        let cursor = match self.text("cursor") {
            Some(text) => Some(
                Cursor::parse(text, list)
                    .map_err(|error| Problem::bad_request(format!("cursor {error}.")))?,
            ),
            None => None,
        };
        let limit = usize::try_from(limit.unwrap_or(DEFAULT_LIMIT)).unwrap_or(usize::MAX);
        Ok(Page { limit, from: cursor.map(|Cursor(from)| from) })
    }
}

/// A position in a list, as the list's cursors carry it.
///
/// Anybody can make up a cursor, so deserialization must refuse every position that the list cannot have issued. A
/// plain string is not a safe position: a store rejects an empty or oversized key, and the caller would get an internal
/// error.
pub trait ListPosition: Serialize + DeserializeOwned {}

impl ListPosition for AuditPosition {}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The most items.
    pub limit: usize,
    /// Its first position. `None` is the beginning of the list.
    pub from: Option<T>,
}

/// The version in `Consistency-Token`: the caller must see this version of its stream or a later one.
///
/// # Errors
/// A problem that names the header.
pub fn consistency_token(
    request: &Request,
    category: &Category,
) -> Result<Option<ConsistencyToken>, Problem> {
    let Some(text) = single(request, "consistency-token")? else {
        return Ok(None);
    };
    // We only issue tokens for commits, so other categories and version 0 are invalid.
    let issued = |token: &ConsistencyToken| {
        token.stream.category() == category && token.version > Version::NONE
    };
    let token = ConsistencyToken::parse(text).ok().filter(issued);
    token
        .map(Some)
        .ok_or_else(|| Problem::bad_request(format!("Consistency-Token {DamagedToken}.")))
}

#[cfg(test)]
mod tests {
    use super::number;

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
