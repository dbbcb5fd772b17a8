//! One event as the files contain it.

use jiff::{civil::Date, tz::TimeZone};
use ledgerfold::{Envelope, Timestamp};

/// A published event as text and numbers: the columns of the table `events`.
///
/// Rows are made from stored commits only, so the same event always gives the same row. The content is the stored JSON,
/// byte by byte. Sealed fields stay sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The event's stream, `<tenant>/<category>#<id>`.
    pub stream: String,
    /// The tenant of the stream.
    pub tenant: String,
    /// The category of the stream.
    pub category: String,
    /// The entity of the stream.
    pub entity_id: String,
    /// The event's position in the stream, from 1.
    pub version: i64,
    /// The event's identity.
    pub event_id: String,
    /// The event's type.
    pub event_type: String,
    /// The version of the type's schema.
    pub schema_version: i64,
    /// The time of the commit in microseconds since 1970. A finer time is cut; the clock of the functions has milliseconds.
    pub recorded_at: i64,
    /// The versions of the first and the last event of the commit.
    pub commit: (i64, i64),
    /// The command that caused the event.
    pub command_id: String,
    /// The id that the whole conversation shares.
    pub correlation_id: String,
    /// The direct cause.
    pub causation_id: String,
    /// The person or process on whose behalf the command was sent.
    pub actor: String,
    /// The position in a distributed trace, if the caller sent one.
    pub traceparent: Option<String>,
    /// The content as JSON text.
    pub data: String,
}

/// A file is not one of the table `events`.
#[derive(Debug, thiserror::Error)]
#[error("the file cannot be read: {0}")]
pub struct UnreadableFile(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Row {
    /// The row of an event.
    pub fn of(envelope: &Envelope) -> Self {
        let Envelope { event, stream, version, commit, command_id, metadata, .. } = envelope;
        Self {
            stream: stream.to_string(),
            tenant: stream.tenant().to_string(),
            category: stream.category().to_string(),
            entity_id: stream.id().to_string(),
            version: number(version.get()),
            event_id: event.id.to_string(),
            event_type: event.event_type.to_string(),
            schema_version: i64::from(event.schema_version.get()),
            recorded_at: metadata.recorded_at.as_microsecond(),
            commit: (number(commit.0.get()), number(commit.1.get())),
            command_id: command_id.to_string(),
            correlation_id: metadata.correlation_id.to_string(),
            causation_id: metadata.causation_id.to_string(),
            actor: metadata.actor.to_string(),
            traceparent: metadata.traceparent.as_ref().map(ToString::to_string),
            data: event.data.as_str().to_owned(),
        }
    }

    /// The rows of a file of the table `events`, in its order.
    ///
    /// # Errors
    /// [`UnreadableFile`].
    pub fn read_all(content: Vec<u8>) -> Result<Vec<Self>, UnreadableFile> {
        crate::envelopes::decode(content).map_err(|error| UnreadableFile(error.into()))
    }

    /// The day of the commit in UTC.
    pub fn day(&self) -> Date {
        let at = Timestamp::from_microsecond(self.recorded_at).unwrap_or_default();
        at.to_zoned(TimeZone::UTC).date()
    }

    /// The place in the order of every file.
    pub(crate) fn place(&self) -> (&str, i64) {
        (&self.stream, self.version)
    }
}

/// No stream has as many events as a signed number can count.
fn number(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}
