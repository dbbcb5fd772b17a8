//! Answers of the service.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, ETAG, HeaderMap, LOCATION};
use serde::de::DeserializeOwned;

use super::{Accepted, ClientError, Problem};

/// The header with the consistency token, in requests and answers.
pub const CONSISTENCY_TOKEN: &str = "consistency-token";

/// An answer, unparsed.
#[derive(Debug, Clone)]
pub struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) took: Duration,
}

/// The parts of an answer that a repeated command must receive again. Headers that any server may vary, such as `Date`,
/// are not included.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Essence {
    /// HTTP status.
    pub status: u16,
    /// The body as text.
    pub body: String,
    /// `ETag`.
    pub etag: Option<String>,
    /// `Location`.
    pub location: Option<String>,
    /// `Consistency-Token`.
    pub consistency_token: Option<String>,
}

impl Answer {
    /// HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// The time from the first byte sent to the last byte read, including repeated attempts.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.took
    }

    /// A header's value, if it is there and readable.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The media type without its parameters.
    #[must_use]
    pub fn media_type(&self) -> Option<&str> {
        self.header(CONTENT_TYPE.as_str())?.split(';').next().map(str::trim)
    }

    /// The version in `ETag`, if it has the form `"<version>"` exactly.
    #[must_use]
    pub fn version(&self) -> Option<u64> {
        let digits = self.header(ETAG.as_str())?.strip_prefix('"')?.strip_suffix('"')?;
        let canonical = digits.bytes().all(|digit| digit.is_ascii_digit());
        if canonical { digits.parse().ok() } else { None }
    }

    /// The consistency token of a successful command.
    #[must_use]
    pub fn consistency_token(&self) -> Option<&str> {
        self.header(CONSISTENCY_TOKEN)
    }

    /// The parts that a repeated command must receive again.
    #[must_use]
    pub fn essence(&self) -> Essence {
        let owned = |name: &str| self.header(name).map(str::to_owned);
        Essence {
            status: self.status(),
            body: self.text(),
            etag: owned(ETAG.as_str()),
            location: owned(LOCATION.as_str()),
            consistency_token: owned(CONSISTENCY_TOKEN),
        }
    }

    /// Checks the status.
    ///
    /// # Errors
    /// If the answer has another status. The error includes the body.
    pub fn expect_status(self, status: u16) -> Result<Self, ClientError> {
        if self.status() == status {
            return Ok(self);
        }
        Err(ClientError::Status { expected: status, actual: self.status(), body: self.text() })
    }

    /// Parses the body.
    ///
    /// # Errors
    /// If the body is not JSON of this form.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        serde_json::from_slice(&self.body)
            .map_err(|source| ClientError::Body { source, body: self.text() })
    }

    /// Parses the answer to a successful command.
    ///
    /// # Errors
    /// If the status is neither 200 nor 201, or the body is not that of a success.
    pub fn accepted(&self) -> Result<Accepted, ClientError> {
        if !self.status.is_success() {
            return Err(ClientError::Status {
                expected: 200,
                actual: self.status(),
                body: self.text(),
            });
        }
        self.json()
    }

    /// Parses a problem.
    ///
    /// # Errors
    /// If the body is not a problem document.
    pub fn problem(&self) -> Result<Problem, ClientError> {
        self.json()
    }
}
