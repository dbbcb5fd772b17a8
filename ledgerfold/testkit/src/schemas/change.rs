use std::fmt;

use serde_json::Value;

/// One difference between the stored schema and the current type.
///
/// It is *compatible* if every stored event of this version can still be read with the same meaning, and every reader
/// that knows the stored schema can read every new event. Only documentation and new optional fields meet both
/// conditions.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Only titles, descriptions, examples or the notation of the schema differ.
    Documentation,
    /// A new field.
    FieldAdded {
        /// The place in the event.
        field: Place,
        /// The effect on readers and writers without the field.
        added: Added,
    },
    /// A removed field. A renamed field is a removed one and an added one.
    FieldRemoved {
        /// The place in the event.
        field: Place,
    },
    /// An optional field is required now.
    BecameRequired(Place),
    /// A required field is optional now.
    BecameOptional(Place),
    /// `null` is allowed now.
    BecameNullable(Place),
    /// `null` is not allowed any more.
    NotNullable(Place),
    /// The value has another type.
    Type {
        /// The place in the event.
        at: Place,
        /// The stored type.
        from: String,
        /// The current type.
        to: String,
    },
    /// A new value or variant.
    ValueAdded {
        /// The place in the event.
        at: Place,
        /// The value or variant.
        value: String,
    },
    /// A removed value or variant.
    ValueRemoved {
        /// The place in the event.
        at: Place,
        /// The value or variant.
        value: String,
    },
    /// A changed bound, for example `minimum`, `maxLength` or `pattern`.
    Bound {
        /// The place in the event.
        at: Place,
        /// The keyword of JSON Schema.
        keyword: String,
        /// The stored value.
        from: Option<Value>,
        /// The current value.
        to: Option<Value>,
    },
    /// A changed default, which is the meaning of an absent field.
    Default {
        /// The place in the event.
        at: Place,
        /// The stored value.
        from: Option<Value>,
        /// The current value.
        to: Option<Value>,
    },
    /// Unknown fields were ignored, and are refused now.
    Closed(Place),
    /// Unknown fields were refused, and are ignored now.
    Opened(Place),
    /// A difference without a rule.
    Unclear {
        /// The place in the event.
        at: Place,
        /// The keyword of JSON Schema.
        keyword: String,
    },
}

/// The effect of a new field on readers and writers without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// No effect. The field is optional, and a reader that does not know it ignores it.
    Optional,
    /// The field is required, and older events do not have it.
    Required,
    /// The field is optional, but a reader that does not know it refuses the event (`deny_unknown_fields`).
    Refused,
}

/// A place in an event's content, for example `total.amount` or `items[].sku`. Empty for the event itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place(String);

impl Place {
    /// The field with this name at this place.
    #[must_use]
    pub(super) fn field(&self, name: &str) -> Self {
        if self.0.is_empty() { Self(name.to_owned()) } else { Self(format!("{}.{name}", self.0)) }
    }

    /// A part of this place, for example `[]` for the elements of a list.
    #[must_use]
    pub(super) fn within(&self, suffix: &str) -> Self {
        Self(format!("{}{suffix}", self.0))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("the event") } else { write!(f, "`{}`", self.0) }
    }
}

impl Change {
    /// Whether older events and older readers still work.
    pub const fn is_compatible(&self) -> bool {
        matches!(self, Self::Documentation | Self::FieldAdded { added: Added::Optional, .. })
    }
}

/// The change, and the reason why it is compatible or not.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Documentation => write!(f, "only its documentation was changed"),
            Self::FieldAdded { field, added } => added.sentence(field, f),
            Self::FieldRemoved { field } => write!(
                f,
                "the field {field} was removed: its content in older events would be lost, and older \
                 readers rely on it"
            ),
            Self::BecameRequired(at) => {
                write!(f, "the field {at} became required: older events may lack it")
            }
            Self::BecameOptional(at) => {
                write!(f, "the field {at} became optional: older readers rely on it")
            }
            Self::BecameNullable(at) => {
                write!(f, "{at} may be null now: older readers do not expect it")
            }
            Self::NotNullable(at) => {
                write!(f, "{at} may not be null any more: older events may have null")
            }
            Self::Type { at, from, to } => write!(
                f,
                "{at} was changed from {from} to {to}: older events and older readers know it as {from}"
            ),
            Self::ValueAdded { at, value } => {
                write!(f, "the value `{value}` was added to {at}: older readers do not know it")
            }
            Self::ValueRemoved { at, value } => {
                write!(f, "the value `{value}` was removed from {at}: older events may have it")
            }
            Self::Bound { at, keyword, from, to } => {
                write!(f, "`{keyword}` of {at} was {}: ", moved(from.as_ref(), to.as_ref()))?;
                f.write_str(match tightened(keyword, from.as_ref(), to.as_ref()) {
                    Some(true) => "older events may break it",
                    Some(false) => "older readers refuse the new values",
                    None => "older events may break it, and older readers rely on the old bound",
                })
            }
            Self::Default { at, from, to } => write!(
                f,
                "the default of {at} was {}: older events without it would change their meaning",
                moved(from.as_ref(), to.as_ref())
            ),
            Self::Closed(at) => write!(
                f,
                "{at} refuses unknown fields now: a later field would make events unreadable"
            ),
            Self::Opened(at) => {
                write!(f, "{at} accepts unknown fields now: older readers refuse them")
            }
            Self::Unclear { at, keyword } => write!(
                f,
                "`{keyword}` of {at} was changed: the effect on older events and older readers is \
                 unknown"
            ),
        }
    }
}

impl Added {
    fn sentence(self, field: &Place, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Optional => write!(
                f,
                "the optional field {field} was added: older events and older readers work without it"
            ),
            Self::Required => {
                write!(f, "the required field {field} was added: older events do not have it")
            }
            Self::Refused => write!(
                f,
                "the field {field} was added where unknown fields are refused: older readers refuse it"
            ),
        }
    }
}

fn moved(from: Option<&Value>, to: Option<&Value>) -> String {
    match (from, to) {
        (Some(from), Some(to)) => format!("changed from {from} to {to}"),
        (None, Some(to)) => format!("set to {to}"),
        (Some(from), None) => format!("removed (it was {from})"),
        (None, None) => "changed".to_owned(),
    }
}

/// Whether a bound allows less than before; `None` if its numbers do not show it.
fn tightened(keyword: &str, from: Option<&Value>, to: Option<&Value>) -> Option<bool> {
    let (from, to) = match (from, to) {
        (None, Some(_)) => return Some(true),
        (Some(_), None) => return Some(false),
        (from, to) => (from?.as_f64()?, to?.as_f64()?),
    };
    let lower = keyword.starts_with("min") || keyword == "exclusiveMinimum";
    let upper = keyword.starts_with("max") || keyword == "exclusiveMaximum";
    (lower || upper).then_some((to > from) == lower)
}
