//! The requests and responses of services, independent of the gateway.

use ledgerfold::Caller;
use serde::Serialize;

use super::{Path, Problem};

pub use http::{Method, StatusCode};

/// An HTTP request, reduced to the parts that services use.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path. The service's own path is at its end.
    pub path: Path,
    /// The decoded query parameters, in order and including repeated ones.
    pub query: Vec<(String, String)>,
    /// The headers with lower-case names, including repeated ones.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The gateway's id of the request. It becomes the `instance` of a problem.
    pub id: String,
    /// The caller, whose credentials have been verified.
    pub caller: Caller,
}

impl Request {
    /// The values of a header, by its name in lower case.
    pub fn header_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The value of a header that may occur at most once, by its name in lower case.
    ///
    /// # Errors
    /// 400 if the header occurs more than once.
    pub fn single_header<'a>(&'a self, name: &'a str) -> Result<Option<&'a str>, Problem> {
        let mut values = self.header_values(name);
        let first = values.next();
        if values.next().is_some() {
            return Err(Problem::bad_request(format!("The header {name} occurs more than once.")));
        }
        // White space around a value is not part of it; only these two count (RFC 9110, section 5.6.3).
        Ok(first.map(|value| value.trim_matches([' ', '\t'])))
    }
}

/// An HTTP response. Its body is JSON, or empty.
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
    /// A response with this body.
    pub fn json(status: StatusCode, body: &impl Serialize) -> Self {
        match serde_json::to_string(body) {
            Ok(body) => Self { status, headers: vec![("Content-Type", JSON.to_owned())], body },
            Err(error) => {
                tracing::error!(%error, "a response could not be written as JSON");
                Problem::internal().into_response("")
            }
        }
    }

    /// A response without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    /// The answer to HEAD: the same headers, with the length of the body that GET would get (RFC 9110, sections 8.6 and
    /// 9.3.2). Without it, a gateway would send the length 0.
    #[must_use]
    pub(super) fn without_body(mut self) -> Self {
        if !self.body.is_empty() {
            self.headers.push(("Content-Length", self.body.len().to_string()));
            self.body.clear();
        }
        self
    }

    /// The response with this `Content-Type` in place of JSON's.
    #[must_use]
    pub(super) fn with_media_type(mut self, media_type: &str) -> Self {
        for (name, value) in &mut self.headers {
            if *name == "Content-Type" && value == JSON {
                media_type.clone_into(value);
            }
        }
        self
    }

    /// The response with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

const JSON: &str = "application/json";
