//! The answers to queries.

use std::borrow::Cow;

use ledgerfold::{Envelope, EventId, Payload, Timestamp, Version, query::Fresh};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::parameters::PageCursor;

/// An answer, and the version that it shows. A row with its version (`Fresh<Row>`) is one.
pub trait Answer: Send {
    /// The JSON of the answer.
    type Body: Serialize + JsonSchema + Send;

    /// Whether the answer has a version, which is its `ETag` then. The tag of any other answer is a digest of its body.
    const HAS_VERSION: bool;

    /// The media types that it has beside JSON, for the document. The request asks for one with `Accept`.
    const ALSO: &'static [&'static str] = &[];

    /// The media type of the body, for a query that offers several.
    fn media_type(&self) -> &'static str {
        "application/json"
    }

    /// The body and the version.
    fn into_parts(self) -> (Self::Body, Option<Version>);
}

/// An answer that shows one version of one stream. Two answers to the same request with the same version must have the same
/// body.
#[derive(Clone, Debug, PartialEq)]
pub struct AtVersion<T> {
    /// The version.
    pub version: Version,
    /// The body.
    pub body: T,
}

/// An answer about many streams, which has no version of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Unversioned<T>(pub T);

impl<T: Serialize + JsonSchema + Send> Answer for AtVersion<T> {
    type Body = T;
    const HAS_VERSION: bool = true;

    fn into_parts(self) -> (T, Option<Version>) {
        (self.body, Some(self.version))
    }
}

impl<T: Serialize + JsonSchema + Send> Answer for Unversioned<T> {
    type Body = T;
    const HAS_VERSION: bool = false;

    fn into_parts(self) -> (T, Option<Version>) {
        (self.0, None)
    }
}

impl<R: Serialize + JsonSchema + Send> Answer for Fresh<R> {
    type Body = Versioned<R>;
    const HAS_VERSION: bool = true;

    fn into_parts(self) -> (Versioned<R>, Option<Version>) {
        let version = self.version;
        (Versioned { row: self.row, version }, Some(version))
    }
}

/// A row with its version, as one object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Versioned<R> {
    #[serde(flatten)]
    row: R,
    version: Version,
}

/// The schema of the row, under its name and with its description, and the version.
impl<R: JsonSchema> JsonSchema for Versioned<R> {
    fn schema_name() -> Cow<'static, str> {
        R::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("Versioned<{}>", R::schema_id()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = R::json_schema(generator);
        if let Some(Value::Object(fields)) = schema.get_mut("properties") {
            let description = "The version that this answer shows.";
            let version = json!({"type": "integer", "minimum": 1, "description": description});
            fields.insert("version".to_owned(), version);
        }
        if let Some(Value::Array(required)) = schema.get_mut("required") {
            required.push("version".into());
        }
        schema
    }
}

impl<R> From<Fresh<R>> for Versioned<R> {
    fn from(Fresh { row, version }: Fresh<R>) -> Self {
        Self { row, version }
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "{T}List")]
pub struct List<T> {
    /// The items.
    pub items: Vec<T>,
    /// The cursor of the next page, or null on the last one.
    #[schemars(with = "Option<PageCursor>")]
    pub next_cursor: Option<String>,
}

impl<T> List<T> {
    /// The same page of other items.
    pub fn map<U>(self, item: impl FnMut(T) -> U) -> List<U> {
        List { items: self.items.into_iter().map(item).collect(), next_cursor: self.next_cursor }
    }
}

/// An event, as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Event")]
pub struct AuditedEvent {
    /// Its id.
    pub id: EventId,
    /// Its type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The version of its schema.
    #[schemars(range(min = 1))]
    pub schema_version: u32,
    /// Its position in the stream.
    #[schemars(with = "u64", range(min = 1))]
    pub version: Version,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The caller of the command.
    pub actor: String,
    /// The command.
    pub command_id: String,
    /// The conversation that the command belongs to.
    pub correlation_id: String,
    /// The command or event that caused the command.
    pub causation_id: String,
    /// The content, as the schema of the type and its version describes it.
    #[schemars(with = "Map<String, Value>")]
    pub data: Payload,
}

impl From<Envelope> for AuditedEvent {
    fn from(envelope: Envelope) -> Self {
        let event = envelope.event;
        let metadata = envelope.metadata;
        Self {
            id: event.id,
            event_type: event.event_type.to_string(),
            schema_version: event.schema_version.get(),
            version: envelope.version,
            recorded_at: metadata.recorded_at,
            actor: metadata.actor.into(),
            command_id: envelope.command_id.into(),
            correlation_id: metadata.correlation_id.into(),
            causation_id: metadata.causation_id.into(),
            data: event.data,
        }
    }
}
