//! The parts of the HTTP contract that all services share.

use serde::Deserialize;

/// Body of the answer to a successful command.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Accepted {
    /// The id of the stream, such as an order.
    pub id: String,
    /// Its version after the command.
    pub version: u64,
    /// The events of the command.
    pub events: Vec<NewEvent>,
}

/// One event of a successful command.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct NewEvent {
    /// The event's id.
    pub id: String,
    /// Its type, such as `OrderPlaced`.
    pub r#type: String,
    /// The version of the stream with this event.
    pub version: u64,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// The cursor of the next page, or `None` on the last page.
    pub next_cursor: Option<String>,
}

/// Body of an error (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Problem {
    /// `/problems/<name>`.
    pub r#type: String,
    /// The title of this type of problem.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The description of this problem.
    pub detail: String,
    /// The id of the request.
    pub instance: String,
    /// The errors in the body, if it is invalid.
    #[serde(default)]
    pub errors: Vec<FieldError>,
}

impl Problem {
    /// The name at the end of the type, for example `order-already-paid`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.r#type.rsplit('/').next().unwrap_or_default()
    }
}

/// One error in a body.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FieldError {
    /// JSON Pointer (RFC 6901) into the body.
    pub pointer: String,
    /// The description of the error.
    pub detail: String,
}
