use std::fmt;

use serde_json::Value;

/// One difference between the stored schema and the present type.
///
/// It is *compatible* if every stored event of this version can still be read with the same meaning, and every reader
/// that knows the stored schema can read every new event. Both conditions together allow little: you may add a field
/// if nobody needs it.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Titles, descriptions and examples; or a spelling of the schema that says the same.
    Documentation,
    /// A field that was not there before.
    FieldAdded {
        /// Where.
        field: Place,
        /// The demand on readers and writers that do not have it.
        added: Added,
    },
    /// A field that is not there any more. A renamed field is one removed and one added.
    FieldRemoved {
        /// Where.
        field: Place,
    },
    /// A field that could be left out must be there now.
    BecameRequired(Place),
    /// A field that was always there may be left out now.
    BecameOptional(Place),
    /// `null` is allowed now.
    BecameNullable(Place),
    /// `null` is not allowed any more.
    NotNullable(Place),
    /// The written value has another type.
    Type {
        /// Where.
        at: Place,
        /// The type it had.
        from: String,
        /// The type it has.
        to: String,
    },
    /// One more value, or one more variant.
    ValueAdded {
        /// Where.
        at: Place,
        /// Which.
        value: String,
    },
    /// One value or variant less.
    ValueRemoved {
        /// Where.
        at: Place,
        /// Which.
        value: String,
    },
    /// A bound, as `minimum`, `maxLength` or `pattern`.
    Bound {
        /// Where.
        at: Place,
        /// Its keyword in JSON Schema.
        keyword: String,
        /// The former value.
        from: Option<Value>,
        /// The present value.
        to: Option<Value>,
    },
    /// The meaning of an absent field.
    Default {
        /// Where.
        at: Place,
        /// The former value.
        from: Option<Value>,
        /// The present value.
        to: Option<Value>,
    },
    /// Fields that are not listed were passed over, and are refused now.
    Closed(Place),
    /// Fields that are not listed were refused, and are passed over now.
    Opened(Place),
    /// Something that the check knows no rule for.
    Unclear {
        /// Where.
        at: Place,
        /// Its keyword in JSON Schema.
        keyword: String,
    },
}

/// The demand of a new field on readers and writers that do not have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// None: it is optional, and a reader that does not know it ignores it.
    Optional,
    /// It must be there.
    Required,
    /// It is optional, but a reader that does not know it refuses it (`deny_unknown_fields`).
    Refused,
}

/// A place within an event's content: `total.amount`, `items[].sku`, or nothing for the event itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place(String);

impl Place {
    /// The field of this name, here.
    #[must_use]
    pub(super) fn field(&self, name: &str) -> Self {
        if self.0.is_empty() { Self(name.to_owned()) } else { Self(format!("{}.{name}", self.0)) }
    }

    /// Within here, with something appended that says where.
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
    /// Whether older events and older readers survive it.
    pub const fn is_compatible(&self) -> bool {
        matches!(self, Self::Documentation | Self::FieldAdded { added: Added::Optional, .. })
    }
}

/// The change, and the readers that it breaks.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Documentation => write!(f, "only its documentation was changed"),
            Self::FieldAdded { field, added } => added.sentence(field, f),
            Self::FieldRemoved { field } => write!(
                f,
                "the field {field} was removed: what older events say in it would be lost, and older \
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
                write!(f, "{at} may not be null any more: older events may hold null")
            }
            Self::Type { at, from, to } => write!(
                f,
                "{at} was changed from {from} to {to}: older events and older readers know it as {from}"
            ),
            Self::ValueAdded { at, value } => {
                write!(f, "the value `{value}` was added to {at}: older readers do not know it")
            }
            Self::ValueRemoved { at, value } => {
                write!(f, "the value `{value}` was removed from {at}: older events may hold it")
            }
            Self::Bound { at, keyword, from, to } => {
                write!(f, "`{keyword}` of {at} was {}: ", moved(from.as_ref(), to.as_ref()))?;
                f.write_str(match tightened(keyword, from.as_ref(), to.as_ref()) {
                    Some(true) => "older events may break it",
                    Some(false) => "older readers refuse what it allows now",
                    None => "older events may break it, and older readers rely on what it was",
                })
            }
            Self::Default { at, from, to } => write!(
                f,
                "the default of {at} was {}: older events without it would say something else",
                moved(from.as_ref(), to.as_ref())
            ),
            Self::Closed(at) => write!(
                f,
                "{at} refuses unknown fields now: events could no longer be read once a field is added"
            ),
            Self::Opened(at) => {
                write!(f, "{at} takes unknown fields now: older readers refuse them")
            }
            Self::Unclear { at, keyword } => write!(
                f,
                "`{keyword}` of {at} was changed: what older events and older readers make of it \
                 cannot be told"
            ),
        }
    }
}

impl Added {
    fn sentence(self, field: &Place, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Optional => write!(
                f,
                "the optional field {field} was added: older events and older readers do without it"
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
        (Some(from), None) => format!("removed, which was {from}"),
        (None, None) => "changed".to_owned(),
    }
}

/// Whether a bound allows less than it did; `None` if that cannot be told from its numbers.
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
