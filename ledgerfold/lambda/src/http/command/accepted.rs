//! The answer to a command that took effect.

use ledgerfold::{EntityId, EventId, Version, command::Answer, vocabulary::ConsistencyToken};
use schemars::JsonSchema;
use serde::Serialize;

use crate::http::{Response, StatusCode};

/// The effect of a command on its stream.
#[derive(Serialize, JsonSchema)]
pub struct Accepted {
    /// The changed resource.
    id: EntityId,
    /// Its version after the command.
    #[schemars(with = "u64", range(min = 1))]
    version: Version,
    /// The events of the command.
    events: Vec<AcceptedEvent>,
}

/// An event of the command.
#[derive(Serialize, JsonSchema)]
struct AcceptedEvent {
    /// Its id.
    id: EventId,
    /// Its type.
    #[serde(rename = "type")]
    event_type: String,
    /// The version of the resource after it.
    #[schemars(with = "u64", range(min = 1))]
    version: Version,
}

impl Accepted {
    /// The effect on one stream.
    pub fn of(answer: &Answer) -> Self {
        let events = answer.events.iter().map(|event| AcceptedEvent {
            id: event.id,
            event_type: event.event_type.to_string(),
            version: event.version,
        });
        let id = answer.stream.id().clone();
        Self { id, version: answer.version, events: events.collect() }
    }
}

/// The answer to a command that took effect, now or on an earlier attempt.
pub fn accepted(status: StatusCode, answer: &Answer) -> Response {
    with_version(Response::json(status, &Accepted::of(answer)), answer, true)
}

/// The response with the token of a stream, and with its version as the tag if the body shows the stream.
pub(super) fn with_version(response: Response, answer: &Answer, has_tag: bool) -> Response {
    let token = ConsistencyToken { stream: answer.stream.clone(), version: answer.version };
    let response = match has_tag {
        true => response.with_header("ETag", format!("\"{}\"", answer.version)),
        false => response,
    };
    response.with_header("Consistency-Token", token.to_text())
}
