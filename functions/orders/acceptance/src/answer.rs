//! What the service answered.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, ETAG, HeaderMap, LOCATION};
use serde::de::DeserializeOwned;

use crate::client::ClientError;
use crate::model::{Accepted, Problem};

/// The header that carries a consistency token, both ways.
pub const CONSISTENCY_TOKEN: &str = "consistency-token";

/// One answer, kept byte for byte.
#[derive(Debug, Clone)]
pub struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) took: Duration,
}

/// The parts of an answer that a repeated command must give again. Headers that any server may vary,
/// such as `Date`, are not among them.
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

    /// From the first byte sent to the last byte read, including the attempts that had to be repeated.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.took
    }

    /// A header's value, if it is there and readable.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as text, whatever it is.
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

    /// The consistency token of a command's success.
    #[must_use]
    pub fn consistency_token(&self) -> Option<&str> {
        self.header(CONSISTENCY_TOKEN)
    }

    /// What a repeated command must give again.
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

    /// Insists on a status.
    ///
    /// # Errors
    /// When the answer has another status; the error quotes its body.
    pub fn expect_status(self, status: u16) -> Result<Self, ClientError> {
        if self.status() == status {
            return Ok(self);
        }
        Err(ClientError::Status { expected: status, actual: self.status(), body: self.text() })
    }

    /// Reads the body.
    ///
    /// # Errors
    /// When the body is not JSON of this shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        serde_json::from_slice(&self.body)
            .map_err(|source| ClientError::Body { source, body: self.text() })
    }

    /// Reads a command's success.
    ///
    /// # Errors
    /// When the status is neither 200 nor 201, or the body is not that of a success.
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

    /// Reads an error's body.
    ///
    /// # Errors
    /// When the body is not a problem document.
    pub fn problem(&self) -> Result<Problem, ClientError> {
        self.json()
    }
}
