use std::collections::BTreeMap;

use ledgerfold::{
    Category, Version,
    query::AuditPosition,
    vocabulary::{ConsistencyToken, Cursor, DamagedToken},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{Problem, Request, command::single};

/// Every list is paged, so that no answer grows without bound. A page has at most this many items …
const MAX_LIMIT: u64 = 100;
/// … and this many where the caller does not say.
const DEFAULT_LIMIT: u64 = 20;
/// The digits of a number in a header or a parameter. With this many, every reader of JSON knows it exactly.
const MAX_DIGITS: usize = 15;

/// A number in the one way in which a header or a parameter may write it: digits, without a sign and leading zeros.
pub fn number(text: &str) -> Option<u64> {
    let canonical = text.len() <= MAX_DIGITS
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    canonical.then(|| text.parse().ok()).flatten()
}

/// The parameters of a query: each known, each once.
#[derive(Debug)]
pub struct QueryParameters<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> QueryParameters<'a> {
    /// Takes the parameters of a request if they are all among these.
    ///
    /// # Errors
    /// A problem that names the parameter and those that are known.
    pub fn read(request: &'a Request, known: &[&str]) -> Result<Self, Problem> {
        let mut parameters = BTreeMap::new();
        for (name, value) in &request.query {
            if !known.contains(&name.as_str()) {
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(Problem::bad_request(format!(
                    "A parameter of the query is not known here; known are: {known}."
                )));
            }
            if parameters.insert(name.as_str(), value.as_str()).is_some() {
                return Err(Problem::bad_request(format!("{name} stands more than once.")));
            }
        }
        Ok(Self(parameters))
    }

    /// A parameter as text.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied()
    }

    /// A parameter in its own type.
    ///
    /// # Errors
    /// A problem that says what it must be.
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

    /// Which page of the list called `list` is asked for.
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
/// Anybody can make a cursor, so deserializing must refuse every position that the list cannot have issued. Plain text
/// is no position: a store refuses an empty key, and one over its limit, and the caller would be told of a defect of
/// ours.
pub trait ListPosition: Serialize + DeserializeOwned {}

impl ListPosition for AuditPosition {}

/// Which page of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The most items.
    pub limit: usize,
    /// Where it begins; at the list's own beginning if nothing is said.
    pub from: Option<T>,
}

/// What the caller has seen and wants to see at least: a version of a stream of this category.
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
    // Only a commit is ever shown: of another category this service has none, and there is none at version 0.
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
