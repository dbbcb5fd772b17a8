use std::fmt;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{
    InvalidId,
    vocabulary::{NoPublicForm, Panicked, panics::guarded},
};

pub(crate) mod declare;
mod decoded;

pub use decoded::Decoded;

/// The events of a context, with their types, schema versions and JSON encoding.
///
/// [`events!`](crate::events) implements this trait. Implement it by hand only if the macro cannot express your
/// events.
pub trait Event: Clone + fmt::Debug + PartialEq + Send + Sync + Sized + 'static {
    /// The type of this event, for example `OrderPlaced`. Stores, routes and subscriptions use this name.
    fn event_type(&self) -> EventType;

    /// The version of the schema that [`Event::encode`] writes.
    fn schema_version(&self) -> SchemaVersion;

    /// The event's content as JSON.
    ///
    /// # Errors
    /// [`EncodeError`] if a field cannot be written as JSON, for example a map whose keys are not text, or if
    /// the JSON is not read back as an equal event. [`Payload::encode`] checks both.
    fn encode(&self) -> Result<Payload, EncodeError>;

    /// Reads an event of this type and schema version, and upcasts it to today's events. An event of an older version
    /// can become several events, or none.
    ///
    /// # Errors
    /// [`DecodeError`] if the type or version is unknown, or the content does not have the type's shape. An
    /// unknown event is an error because skipping it could change the result.
    fn decode(
        kind: &EventType,
        version: SchemaVersion,
        data: &Payload,
    ) -> Result<Decoded<Self>, DecodeError>;
}

/// The type of an event: 1 to 128 letters and digits. EventBridge's `detail-type` sets the limit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventType(String);

impl EventType {
    /// Checks a name that comes from outside.
    ///
    /// # Errors
    /// [`InvalidId`] if the name does not consist of 1 to 128 letters and digits.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidId> {
        let name = name.into();
        if declare::is_event_type(&name) {
            Ok(Self(name))
        } else {
            Err(InvalidId::new("an event type", "1 to 128 letters and digits"))
        }
    }

    /// The name of a Rust type. [`events!`](crate::events) has checked it.
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

/// The content of an event: JSON text. It is stored and passed on unchanged, byte by byte.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Payload(Box<RawValue>);

impl Payload {
    /// Writes a value as JSON, and reads it back to check it. Some values are written but not read back equal: `NaN`
    /// becomes `null`, a `#[serde(skip)]` field is lost, and deep nesting exceeds the reader's limit.
    ///
    /// ```
    /// # use ledgerfold::Payload;
    /// assert_eq!(Payload::encode(&0.5)?.as_str(), "0.5");
    /// assert!(Payload::encode(&f64::NAN).is_err());
    /// # Ok::<(), ledgerfold::EncodeError>(())
    /// ```
    ///
    /// # Errors
    /// [`EncodeError`] if the value cannot be written as JSON, or is not read back equal.
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

    /// Takes JSON text from a store or a message.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] if the text is not JSON.
    pub fn from_text(text: String) -> Result<Self, DecodeError> {
        Ok(Self(RawValue::from_string(text)?))
    }

    /// Reads the content as this type.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] if the content has another shape. [`DecodeError::Panicked`] if the type's
    /// `Deserialize` panicked.
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

/// A value cannot be stored as JSON. Only values that can be read back are stored.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The value cannot be written as JSON.
    #[error("the value cannot be written as JSON: {0}")]
    Unwritable(#[from] serde_json::Error),
    /// The JSON cannot be read back.
    #[error("the JSON of the value cannot be read back: {0}")]
    Unreadable(#[source] DecodeError),
    /// The JSON is read back as another value.
    #[error("the JSON of the value is read back as another value")]
    Changed,
    /// The value's own code panicked.
    #[error("writing the value failed: {0}")]
    Panicked(#[from] Panicked),
    /// The command contains personal data and has no key for its fingerprint.
    #[error("the command contains personal data and has no key for its fingerprint")]
    Unkeyed,
}

/// Stored content cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// This program does not know the type in this version.
    #[error("this program does not know event type {kind} in version {version}")]
    Unknown {
        /// The type found.
        kind: EventType,
        /// The schema version found.
        version: SchemaVersion,
    },
    /// The content does not have the shape of its type.
    #[error("content does not have the shape of its type: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The code that reads the content, for example an upcaster, panicked.
    #[error("reading the content failed: {0}")]
    Panicked(#[from] Panicked),
    /// The event of another context has no valid public form.
    #[error(transparent)]
    NoPublicForm(#[from] Box<NoPublicForm>),
}
