//! Events as CloudEvents on the bus.

use ledgerfold::{
    Actor, CausationId, CommandId, CorrelationId, Envelope, EventId, EventType, Payload,
    SchemaVersion, StreamId, Timestamp, Traceparent, Version,
    ports::{NewerFormat, PayloadError, PayloadStore},
    vocabulary::{CommitEvent, ContentId, Form, Metadata, public_name},
};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{SigningKey, signature::Signature};

/// An event as it is published: CloudEvents 1.0 in JSON, with our extensions.
///
/// Other CloudEvents attributes are ignored, so other producers may add them.
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
    /// The event's data, absent if it is too large for the bus.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    data: Option<Payload>,
    /// The place of absent data: a URI that ends in its SHA-256. It is an extension of CloudEvents:
    /// <https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/dataref.md>.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dataref: Option<String>,
    /// The event's version in its stream.
    sequence: Version,
    /// The version of the first event of its commit.
    commitfrom: Version,
    /// The version of the last event of its commit.
    committo: Version,
    commandid: CommandId,
    correlationid: CorrelationId,
    causationid: CausationId,
    actor: Actor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traceparent: Option<Traceparent>,
    /// Proof that the context's relay published this event: a truncated HMAC over all other fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<Signature>,
}

/// Distinguishes present data from absent data, even if it is `null`, which is valid for an event without fields.
fn present<'de, D: Deserializer<'de>>(content: D) -> Result<Option<Payload>, D::Error> {
    Payload::deserialize(content).map(Some)
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

/// The reason why a message is not an event of Ledgerfold.
#[derive(Debug, thiserror::Error)]
pub enum NotACloudEvent {
    /// It is not JSON, or a field is missing or has the wrong type.
    #[error("the message is not a valid event: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Its `dataschema` does not end in a version.
    #[error("the dataschema {0:?} has no version")]
    Schema(String),
    /// A newer program published it.
    #[error("this version of the program cannot read the message: {0}")]
    Newer(#[from] NewerFormat),
    /// Its data is in a payload store.
    #[error("the content is at {0:?}")]
    Pointer(String),
    /// Its data cannot be fetched.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// Its data is not JSON.
    #[error("the data is not valid JSON: {0}")]
    Data(String),
}

/// The newest format of events that this program reads. Events of the first format do not name it. If a program
/// publishes events that older programs would misread, it sets the extension `ledgerfoldformat`. Older programs then
/// retry the message until they are replaced.
const KNOWN: u64 = 1;

#[derive(Deserialize)]
struct Outline {
    #[serde(rename = "ledgerfoldformat")]
    format: Option<u64>,
}

/// The beginning of every source. The rest is a name: of a context, or of its public events.
const SOURCE: &str = "/ledgerfold/";

/// The name under which a context publishes an event of this form.
pub(crate) fn name_of(context: &str, form: Form) -> String {
    match form {
        Form::Public => public_name(context),
        Form::Private | Form::ReadAs(_) => context.to_owned(),
    }
}

impl CloudEvent {
    /// Parses an event from the bus.
    ///
    /// # Errors
    /// [`NotACloudEvent::Malformed`], [`NotACloudEvent::Newer`].
    pub fn parse(text: &str) -> Result<Self, NotACloudEvent> {
        match serde_json::from_str::<Outline>(text)?.format {
            Some(found) if found > KNOWN => Err(NewerFormat { found, known: KNOWN }.into()),
            _ => Ok(serde_json::from_str(text)?),
        }
    }

    /// The event as the context named `context` publishes it. A public event has the name `<context>.public` instead.
    pub fn new(context: &str, envelope: &Envelope) -> Self {
        let context = name_of(context, envelope.form);
        let CommitEvent { id, event_type, schema_version, data } = envelope.event.clone();
        let metadata = envelope.metadata.clone();
        Self {
            specversion: SpecVersion::V1,
            id,
            source: format!("{SOURCE}{context}"),
            subject: envelope.stream.clone(),
            time: metadata.recorded_at,
            datacontenttype: ContentType::Json,
            dataschema: format!("urn:ledgerfold:{context}:{event_type}:{schema_version}"),
            event_type,
            data: Some(data),
            dataref: None,
            sequence: envelope.version,
            commitfrom: envelope.commit.0,
            committo: envelope.commit.1,
            commandid: envelope.command_id.clone(),
            correlationid: metadata.correlation_id,
            causationid: metadata.causation_id,
            actor: metadata.actor,
            traceparent: metadata.traceparent,
            signature: None,
        }
    }

    /// The event with a signature by this key.
    ///
    /// # Errors
    /// The error of `serde_json`, if the event cannot be written as JSON.
    pub fn signed(self, key: &SigningKey) -> serde_json::Result<Self> {
        let unsigned = Self { signature: None, ..self };
        let signature = Some(key.sign(&unsigned)?);
        Ok(Self { signature, ..unsigned })
    }

    /// Whether the holder of this key signed exactly this event.
    pub fn is_signed_with(&self, key: &SigningKey) -> bool {
        let unsigned = Self { signature: None, ..self.clone() };
        self.signature.as_ref().is_some_and(|signature| key.verifies(&unsigned, signature))
    }

    /// The event with its data replaced by this URI.
    #[must_use]
    pub(crate) fn pointing_to(self, uri: String) -> Self {
        Self { data: None, dataref: Some(uri), ..self }
    }

    /// The event's id.
    pub(crate) const fn id(&self) -> EventId {
        self.id
    }

    /// The stream, and the version of the last event of its commit.
    pub(crate) fn place(&self) -> (StreamId, Version) {
        (self.subject.clone(), self.committo)
    }

    /// Whether it is an event as its context stores it, or a public one. The source shows it.
    pub(crate) fn form(&self) -> Form {
        match self.source.strip_prefix(SOURCE) {
            Some(name) if name.ends_with(&public_name("")) => Form::Public,
            _ => Form::Private,
        }
    }

    /// Whether the data is in a payload store.
    pub(crate) const fn is_pointer(&self) -> bool {
        self.data.is_none() && self.dataref.is_some()
    }

    /// The event with its data, fetched and verified if it is in a payload store.
    ///
    /// # Errors
    /// [`NotACloudEvent`].
    pub async fn redeem(self, payloads: &dyn PayloadStore) -> Result<Self, NotACloudEvent> {
        let Some(uri) = self.dataref.as_ref().filter(|_| self.is_pointer()) else {
            return Ok(self);
        };
        let id = uri.rsplit(['/', ':']).next().unwrap_or_default().parse::<ContentId>();
        let id = id.map_err(|_| NotACloudEvent::Pointer(uri.clone()))?;
        let data = Payload::from_text(id.fetch(payloads).await?);
        let data = data.map_err(|error| NotACloudEvent::Data(error.to_string()))?;
        Ok(Self { data: Some(data), dataref: None, ..self })
    }

    /// The event in the core's form.
    ///
    /// # Errors
    /// [`NotACloudEvent`] if its schema has no version, or its data is in a payload store.
    pub fn into_envelope(self) -> Result<Envelope, NotACloudEvent> {
        let form = self.form();
        let data = self.data.ok_or_else(|| {
            NotACloudEvent::Pointer(self.dataref.unwrap_or_else(|| "nowhere".to_owned()))
        })?;
        let version = self.dataschema.rsplit(':').next().and_then(|text| text.parse().ok());
        let version = version.ok_or_else(|| NotACloudEvent::Schema(self.dataschema.clone()))?;
        Ok(Envelope {
            event: CommitEvent {
                id: self.id,
                event_type: self.event_type,
                schema_version: SchemaVersion::new(version),
                data,
            },
            form,
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
