use ledgerfold::Actor;
use serde::Serialize;

use super::Path;

pub use http::{Method, StatusCode};

/// A request, as far as a service looks at it.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path, whose ending is the service's own part.
    pub path: Path,
    /// The query's parameters in order, decoded; repeated ones stand repeatedly.
    pub query: Vec<(String, String)>,
    /// The headers, names in lower case; repeated ones stand repeatedly.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// What the gateway calls the request: what a problem's `instance` shows.
    pub id: String,
    /// Who asks, as the gateway established it.
    pub caller: Actor,
}

impl Request {
    /// The values of a header, by its name in lower case.
    pub fn header_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// An answer. All bodies are JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Response {
    /// An answer with this body.
    pub fn json(status: StatusCode, body: &impl Serialize) -> Self {
        match serde_json::to_string(body) {
            Ok(body) => Self { status, headers: vec![("Content-Type", JSON.to_owned())], body },
            Err(error) => {
                tracing::error!(%error, "an answer cannot be written as JSON");
                super::Problem::internal().into_response("")
            }
        }
    }

    /// The answer with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

const JSON: &str = "application/json";
