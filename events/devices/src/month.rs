//! Months, in UTC.

use std::{borrow::Cow, fmt, str::FromStr};

use jiff::{civil::Date, tz::TimeZone};
use ledgerfold::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A month in UTC, for example `2026-11`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month(Date);

/// A text that is not a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a month, for example 2026-11")]
pub struct InvalidMonth;

impl Month {
    /// The number of characters of every month.
    pub const LENGTH: usize = "2026-11".len();

    /// The month of an instant.
    ///
    /// ```
    /// # use devices_events::Month;
    /// let last: ledgerfold::Timestamp = "2026-11-30T23:59:59.999Z".parse()?;
    /// assert_eq!(Month::of(last).to_string(), "2026-11");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(instant: Timestamp) -> Self {
        Self(instant.to_zoned(TimeZone::UTC).date().first_of_month())
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m"))
    }
}

impl FromStr for Month {
    type Err = InvalidMonth;

    fn from_str(text: &str) -> Result<Self, InvalidMonth> {
        let is_short = text.len() == Self::LENGTH;
        let day = format!("{text}-01").parse().ok().filter(|_| is_short);
        day.map(Self).ok_or(InvalidMonth)
    }
}

impl TryFrom<String> for Month {
    type Error = InvalidMonth;

    fn try_from(text: String) -> Result<Self, InvalidMonth> {
        text.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

impl JsonSchema for Month {
    fn schema_name() -> Cow<'static, str> {
        "Month".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": r"^\d{4}-(0[1-9]|1[0-2])$"})
    }
}
