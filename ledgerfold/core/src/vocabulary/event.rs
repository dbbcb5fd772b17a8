use std::fmt;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{
    InvalidId,
    vocabulary::{Panicked, panics::guarded},
};

pub(crate) mod declare;
mod decoded;

pub use decoded::Decoded;

/// The abilities of a context's events: to name their type, to be written, and to be read back.
///
/// Implemented by [`events!`](crate::events). Implement it by hand only for a format that JSON cannot carry.
pub trait Event: Clone + fmt::Debug + PartialEq + Send + Sync + Sized + 'static {
    /// The type of this event, as `OrderPlaced`: the name it is stored, routed and subscribed by.
    fn event_type(&self) -> EventType;

    /// The version of the schema that [`Event::encode`] writes.
    fn schema_version(&self) -> SchemaVersion;

    /// The event's content as JSON.
    ///
    /// # Errors
    /// [`EncodeError`] if a field cannot be written as JSON, as a map with keys that are no text, or if
    /// the event is not read back equal. [`Payload::encode`] holds to that.
    fn encode(&self) -> Result<Payload, EncodeError>;

    /// Reads an event of this type and schema version back in its present form: an event of an older version may have
    /// become several, or none.
    ///
    /// # Errors
    /// [`DecodeError`], if the type or version is unknown here or the content is not of its shape.
    /// An unknown event is an error, never skipped in silence: it may be the one that matters.
    fn decode(
        kind: &EventType,
        version: SchemaVersion,
        data: &Payload,
    ) -> Result<Decoded<Self>, DecodeError>;
}

/// The type of an event: 1 to 128 letters and digits, the bound of EventBridge's `detail-type`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventType(String);

impl EventType {
    /// Takes a name read from outside.
    ///
    /// # Errors
    /// [`InvalidId`] if it is not of 1 to 128 letters and digits.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidId> {
        let name = name.into();
        if declare::is_event_type(&name) {
            Ok(Self(name))
        } else {
            Err(InvalidId::new("an event type", "1 to 128 letters and digits"))
        }
    }

    /// The name of a Rust type, which [`events!`](crate::events) has checked.
    #[doc(hidden)]
    pub fn of_type(name: &'static str) -> Self {
        Self(name.to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The version of an event type's schema, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SchemaVersion(u32);

impl SchemaVersion {
    /// The version with this number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for SchemaVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The content of an event: JSON text, kept to the letter as it was written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Payload(Box<RawValue>);

impl Payload {
    /// Writes a value, and reads it again: JSON can write more than it can read. It writes a `NaN` as
    /// `null`, omits a field that is `#[serde(skip)]`, and nests deeper than it reads.
    ///
    /// ```
    /// # use ledgerfold::Payload;
    /// assert_eq!(Payload::encode(&0.5)?.as_str(), "0.5");
    /// assert!(Payload::encode(&f64::NAN).is_err());
    /// # Ok::<(), ledgerfold::EncodeError>(())
    /// ```
    ///
    /// # Errors
    /// [`EncodeError`] if it cannot be written as JSON, or is not read back equal.
    pub fn encode<T: Serialize + DeserializeOwned + PartialEq>(
        value: &T,
    ) -> Result<Self, EncodeError> {
        let payload = Self(guarded(|| serde_json::value::to_raw_value(value))??);
        let is_equal = guarded(|| payload.decode::<T>().map(|read| read == *value))?;
        if is_equal.map_err(EncodeError::Unreadable)? {
            Ok(payload)
        } else {
            Err(EncodeError::Changed)
        }
    }

    /// Takes text that was kept.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] if it is not JSON.
    pub fn from_text(text: String) -> Result<Self, DecodeError> {
        Ok(Self(RawValue::from_string(text)?))
    }

    /// Reads the value.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] if it has another shape.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        Ok(guarded(|| serde_json::from_str(self.0.get()))??)
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Payload {}

/// A value that cannot be stored as JSON. Nothing is stored that could not be read again.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// It cannot be written.
    #[error("it cannot be written as JSON: {0}")]
    Unwritable(#[from] serde_json::Error),
    /// It can be written, and not read.
    #[error("it is written as JSON that cannot be read back: {0}")]
    Unreadable(#[source] DecodeError),
    /// It is read as another value.
    #[error("it is written as JSON that is read back as another value")]
    Changed,
    /// Its own code panicked.
    #[error("writing it failed: {0}")]
    Panicked(#[from] Panicked),
}

/// Stored content that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// No event of this type and version is known here.
    #[error("event type {kind} in version {version} is not known here")]
    Unknown {
        /// The type found.
        kind: EventType,
        /// The schema version found.
        version: SchemaVersion,
    },
    /// The content does not have the shape of its type.
    #[error("content does not have the shape of its type: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The code that reads it, as an upcaster, panicked.
    #[error("reading it failed: {0}")]
    Panicked(#[from] Panicked),
}
