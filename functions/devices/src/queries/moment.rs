//! The ends of ranges of time.

use std::borrow::Cow;

use jiff::{civil::Date, tz::TimeZone};
use ledgerfold::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// An instant, or a day: as the beginning of a range its first instant, as the end its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Moment {
    /// A day, in UTC.
    Day(Date),
    /// An instant.
    Instant(Timestamp),
}

impl Moment {
    /// The first instant of a range that begins here.
    pub fn begin(self) -> Timestamp {
        match self {
            Self::Instant(instant) => instant,
            Self::Day(day) => start_of(day).unwrap_or(Timestamp::MIN),
        }
    }

    /// The last instant of a range that ends here.
    pub fn end(self) -> Timestamp {
        match self {
            Self::Instant(instant) => instant,
            Self::Day(day) => {
                let next = day.tomorrow().ok().and_then(start_of);
                let last = next
                    .and_then(|next| next.checked_sub(jiff::SignedDuration::from_nanos(1)).ok());
                last.unwrap_or(Timestamp::MAX)
            }
        }
    }
}

fn start_of(day: Date) -> Option<Timestamp> {
    day.to_zoned(TimeZone::UTC).ok().map(|start| start.timestamp())
}

impl TryFrom<String> for Moment {
    type Error = jiff::Error;

    fn try_from(text: String) -> Result<Self, jiff::Error> {
        match text.contains('T') {
            true => text.parse().map(Self::Instant),
            false => text.parse().map(Self::Day),
        }
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        match moment {
            Moment::Day(day) => day.to_string(),
            Moment::Instant(instant) => instant.to_string(),
        }
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?Z)?$",
            "x-rule": "an instant in UTC, for example 2026-11-23T09:00:00Z, or a day, for example 2026-11-23",
        })
    }
}
