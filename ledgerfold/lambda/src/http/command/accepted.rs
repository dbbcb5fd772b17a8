//! The answer to a command that took effect.

use ledgerfold::{EntityId, EventId, Version, command::Answer, vocabulary::ConsistencyToken};
use schemars::JsonSchema;
use serde::Serialize;

use crate::http::{Response, StatusCode};

/// The effect of a command on its stream.
#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct Accepted {
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

/// The answer to a command that took effect, now or on an earlier attempt.
pub fn accepted(status: StatusCode, answer: &Answer) -> Response {
    let events = answer.events.iter().map(|event| AcceptedEvent {
        id: event.id,
        event_type: event.event_type.to_string(),
        version: event.version,
    });
    let id = answer.stream.id().clone();
    let body = Accepted { id, version: answer.version, events: events.collect() };
    let token = ConsistencyToken { stream: answer.stream.clone(), version: answer.version };
    Response::json(status, &body)
        .with_header("ETag", format!("\"{}\"", answer.version))
        .with_header("Consistency-Token", token.to_text())
}
