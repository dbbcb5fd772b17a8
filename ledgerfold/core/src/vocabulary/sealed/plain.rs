use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::Error};

use super::scope;

/// Personal data in clear, on its way in or out. `Debug` shows nothing of it.
///
/// A command may contain it, and read it from its body. It cannot be written anywhere: its `Serialize` fails, except
/// into the keyed [`Fingerprint`](crate::vocabulary::Fingerprint) of a command. To show the content, take it out with
/// [`Plain::expose`], which a reviewer can search for.
///
/// ```
/// # use ledgerfold::sealed::Plain;
/// let name: Plain<String> = serde_json::from_str("\"Ada\"")?;
/// assert_eq!(name.expose(), "Ada");
/// assert_eq!(format!("{name:?}"), "Plain(..)");
/// assert!(serde_json::to_string(&name).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Plain<T>(T);

impl<T> Plain<T> {
    /// This content.
    pub const fn new(content: T) -> Self {
        Self(content)
    }

    /// The content, for a decision, or for an answer to a caller who may see it.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The content by value.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> From<T> for Plain<T> {
    fn from(content: T) -> Self {
        Self(content)
    }
}

impl<T> fmt::Debug for Plain<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plain(..)")
    }
}

impl<T: Serialize> Serialize for Plain<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if scope::is_revealing() {
            return self.0.serialize(serializer);
        }
        Err(S::Error::custom("personal data in clear is never stored: seal it first"))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Plain<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The error of a type may quote the content, and errors end in answers and logs.
        T::deserialize(deserializer)
            .map(Self)
            .map_err(|_| de::Error::custom("the content does not have the form of its type"))
    }
}

impl<T: JsonSchema> JsonSchema for Plain<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
