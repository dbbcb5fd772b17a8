use std::collections::BTreeMap;

use ledgerfold::{ConsistencyToken, Cursor};
use serde::{Serialize, de::DeserializeOwned};

use super::{Problem, Request, command::single};

/// Every list is paged, so that no answer grows without bound. A page has at most this many items …
const MAX_LIMIT: usize = 100;
/// … and this many where the caller does not say.
const DEFAULT_LIMIT: usize = 20;

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
    pub fn page<T: Serialize + DeserializeOwned>(&self, list: &str) -> Result<Page<T>, Problem> {
        let limit = self.parsed("limit", "a number from 1 to 100", |text| {
            text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit))
        })?;
        let cursor = match self.text("cursor") {
            Some(text) => Some(
                Cursor::parse(text, list)
                    .map_err(|error| Problem::bad_request(format!("cursor {error}.")))?,
            ),
            None => None,
        };
        Ok(Page { limit: limit.unwrap_or(DEFAULT_LIMIT), from: cursor.map(|Cursor(from)| from) })
    }
}

/// Which page of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The most items.
    pub limit: usize,
    /// Where it begins; at the list's own beginning if nothing is said.
    pub from: Option<T>,
}

/// What the caller has seen and wants to see at least.
///
/// # Errors
/// A problem that names the header.
pub fn consistency_token(request: &Request) -> Result<Option<ConsistencyToken>, Problem> {
    let text = single(request, "consistency-token")?;
    text.map(ConsistencyToken::parse)
        .transpose()
        .map_err(|error| Problem::bad_request(format!("Consistency-Token {error}.")))
}
