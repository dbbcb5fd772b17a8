use ledgerfold::{
    Actor, CausationId, CommandId, CommitEvent, CorrelationId, Envelope, EventId, EventType,
    Metadata, Payload, SchemaVersion, StreamId, Timestamp, Traceparent, Version,
};
use serde::{Deserialize, Serialize};

/// An event as it travels: CloudEvents 1.0 in JSON, with what this house adds as extensions.
///
/// Fields of CloudEvents that are not listed here are not read; another producer may add them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CloudEvent {
    specversion: SpecVersion,
    id: EventId,
    source: String,
    #[serde(rename = "type")]
    event_type: EventType,
    subject: StreamId,
    time: Timestamp,
    datacontenttype: ContentType,
    /// `urn:ledgerfold:<context>:<event type>:<schema version>`
    dataschema: String,
    data: Payload,
    /// The event's version: its place in the stream.
    sequence: Version,
    /// Version of the first event of its commit.
    commitfrom: Version,
    /// Version of the last event of its commit.
    committo: Version,
    commandid: CommandId,
    correlationid: CorrelationId,
    causationid: CausationId,
    actor: Actor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traceparent: Option<Traceparent>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum SpecVersion {
    #[serde(rename = "1.0")]
    V1,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum ContentType {
    #[serde(rename = "application/json")]
    Json,
}

/// A CloudEvent that is none of this house's.
#[derive(Debug, thiserror::Error)]
pub enum NotACloudEvent {
    /// It is not JSON, or a field is missing or of another type.
    #[error("the message is no event of this house: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Its `dataschema` does not end in a version.
    #[error("the dataschema {0:?} names no version")]
    Schema(String),
}

impl CloudEvent {
    /// The event as the context named `context` publishes it.
    pub fn new(context: &str, envelope: &Envelope) -> Self {
        let CommitEvent { id, event_type, schema_version, data } = envelope.event.clone();
        let metadata = envelope.metadata.clone();
        Self {
            specversion: SpecVersion::V1,
            id,
            source: format!("/ledgerfold/{context}"),
            subject: envelope.stream.clone(),
            time: metadata.recorded_at,
            datacontenttype: ContentType::Json,
            dataschema: format!("urn:ledgerfold:{context}:{event_type}:{schema_version}"),
            event_type,
            data,
            sequence: envelope.version,
            commitfrom: envelope.commit.0,
            committo: envelope.commit.1,
            commandid: envelope.command_id.clone(),
            correlationid: metadata.correlation_id,
            causationid: metadata.causation_id,
            actor: metadata.actor,
            traceparent: metadata.traceparent,
        }
    }

    /// The event as handlers take it.
    ///
    /// # Errors
    /// [`NotACloudEvent`] if its schema has no version.
    pub fn into_envelope(self) -> Result<Envelope, NotACloudEvent> {
        let version = self.dataschema.rsplit(':').next().and_then(|text| text.parse().ok());
        let version = version.ok_or_else(|| NotACloudEvent::Schema(self.dataschema.clone()))?;
        Ok(Envelope {
            event: CommitEvent {
                id: self.id,
                event_type: self.event_type,
                schema_version: SchemaVersion::new(version),
                data: self.data,
            },
            stream: self.subject,
            version: self.sequence,
            commit: (self.commitfrom, self.committo),
            command_id: self.commandid,
            metadata: Metadata {
                recorded_at: self.time,
                correlation_id: self.correlationid,
                causation_id: self.causationid,
                actor: self.actor,
                traceparent: self.traceparent,
            },
        })
    }
}
