//! The contract of a context's events: the JSON Schema of every type in every readable version, generated from the
//! types.
//!
//! The schemas are stored beside the types, and the testkit's check compares the two; see
//! `ledgerfold_testkit::schemas`.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use crate::{Event, EventType, SchemaVersion};

mod ids;

/// Events with a published contract. [`events!`](crate::events) implements this trait.
pub trait Contract: Event {
    /// All types and versions that this context can read.
    fn catalog() -> Catalog;
}

/// The types and versions that a context can read, in the order of declaration.
///
/// ```
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// /// An amount was deposited.
/// #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
/// pub struct Deposited {
///     /// The amount in cents.
///     pub amount: u64,
/// }
///
/// ledgerfold::events! {
///     /// The events of an account.
///     pub enum AccountEvent { Deposited: 1 }
/// }
///
/// use ledgerfold::schema::{Contract, Standing};
/// let catalog = AccountEvent::catalog();
/// let [entry] = catalog.entries() else { unreachable!("there is one type") };
/// let Standing::Written(schema) = &entry.standing else { unreachable!("it is written") };
/// assert_eq!(schema["required"], serde_json::json!(["amount"]));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog(Vec<Entry>);

/// One version of one type.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The type.
    pub event_type: EventType,
    /// The version.
    pub version: SchemaVersion,
    /// How events of this version are read.
    pub standing: Standing,
}

/// How events of one version are read, with the JSON Schema (draft 2020-12) of their content.
///
/// A schema accepts all content that was ever stored in its version. So a field that was added with a default is
/// not required, although every new event has it.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// The version that is written today.
    Written(Value),
    /// An older version. An upcaster translates it to today's events.
    Upcast(Value),
    /// The event is read as no event. Its type does not exist any more, so the only schema is the stored one.
    Retired,
}

impl Standing {
    /// The schema, if there is still a type to generate it from.
    pub const fn schema(&self) -> Option<&Value> {
        match self {
            Self::Written(schema) | Self::Upcast(schema) => Some(schema),
            Self::Retired => None,
        }
    }
}

impl Catalog {
    /// All entries.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// The entry of this version of this type.
    pub fn entry(&self, kind: &EventType, version: SchemaVersion) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.event_type == *kind && entry.version == version)
    }

    /// The version in which this type is written today.
    pub fn written(&self, kind: &EventType) -> Option<SchemaVersion> {
        let of_kind = self.0.iter().filter(|entry| entry.event_type == *kind);
        let mut written = of_kind.filter(|entry| matches!(entry.standing, Standing::Written(_)));
        written.next().map(|entry| entry.version)
    }

    #[doc(hidden)]
    #[must_use]
    pub fn current<T: JsonSchema>(self, kind: &'static str, version: u32) -> Self {
        self.with(kind, version, Standing::Written(schema_of::<T>(kind)))
    }

    #[doc(hidden)]
    #[must_use]
    pub fn upcast<T: JsonSchema>(self, kind: &'static str, version: u32) -> Self {
        self.with(kind, version, Standing::Upcast(schema_of::<T>(kind)))
    }

    #[doc(hidden)]
    #[must_use]
    pub fn retired(self, kind: &'static str, version: u32) -> Self {
        self.with(kind, version, Standing::Retired)
    }

    fn with(mut self, kind: &'static str, version: u32, standing: Standing) -> Self {
        let event_type = EventType::of_type(kind);
        let version = SchemaVersion::new(version);
        self.0.push(Entry { event_type, version, standing });
        self
    }
}

/// The schema of a type, without references, so that it can be embedded in another document. Its title is the event's
/// type, even if the struct of an old version has another name.
fn schema_of<T: JsonSchema>(kind: &str) -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), Value::from(kind));
    schema.to_value()
}
