//! The readings of one metric in columns.

use std::borrow::Cow;

use ledgerfold::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::Value;

/// The most readings of one batch.
pub const MAX_READINGS: usize = 500;

/// A reading of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Its number in the epoch.
    pub seq: u64,
    /// The time, by the clock of the device.
    pub at: Timestamp,
    /// The value.
    pub value: Value,
}

/// Readings of one metric by ascending sequence number. Each column has one entry for each reading.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Column {
    /// The sequence numbers.
    pub seqs: Seqs,
    /// The times. Each item begins with an instant of its own, and nearly always one is enough.
    pub times: Vec<Times>,
    /// The values.
    pub values: Vec<Run<Value>>,
}

/// Ascending sequence numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Seqs {
    /// The first one.
    pub from: u64,
    /// The distance from each number to the next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Run<u64>>,
}

/// Some instants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Times {
    /// The first one.
    pub from: Timestamp,
    /// The unit of the steps.
    pub unit: Unit,
    /// The distance from each instant to the next, in this unit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Run<i64>>,
}

/// A unit of time.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum Unit {
    /// Nanoseconds.
    #[serde(rename = "ns")]
    Nanosecond,
    /// Microseconds.
    #[serde(rename = "us")]
    Microsecond,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Millisecond,
    /// Seconds.
    #[serde(rename = "s")]
    Second,
}

/// One item, or an item that is repeated some times: `7` or `[7, 99]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Run<T> {
    /// The item and its number of repetitions.
    Many(T, u32),
    /// The item, once.
    One(T),
}

/// Columns that do not belong together: no device and no service writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the columns do not have one entry for each reading, or too many, or an instant out of range"
)]
pub struct Damaged;

impl Column {
    /// The columns of these readings, which are in the order of their sequence numbers.
    pub fn of(readings: &[Reading]) -> Self {
        let seqs: Vec<_> = readings.iter().map(|reading| reading.seq).collect();
        let ats: Vec<_> = readings.iter().map(|reading| reading.at).collect();
        let values = readings.iter().map(|reading| reading.value.clone());
        Self { seqs: Seqs::of(&seqs), times: Times::all(&ats), values: runs(values) }
    }

    /// The readings.
    ///
    /// # Errors
    /// [`Damaged`].
    pub fn readings(&self) -> Result<Vec<Reading>, Damaged> {
        let values = items(&self.values)?;
        let seqs = self.seqs.numbers()?;
        let mut ats = Vec::new();
        for times in &self.times {
            ats.extend(times.instants()?);
        }
        if seqs.len() != values.len() || ats.len() != values.len() {
            return Err(Damaged);
        }
        let readings = seqs.into_iter().zip(ats).zip(values);
        Ok(readings.map(|((seq, at), value)| Reading { seq, at, value }).collect())
    }
}

impl Seqs {
    fn of(numbers: &[u64]) -> Self {
        let steps = numbers.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
        Self { from: numbers.first().copied().unwrap_or_default(), steps: runs(steps) }
    }

    /// The numbers.
    ///
    /// # Errors
    /// [`Damaged`].
    pub fn numbers(&self) -> Result<Vec<u64>, Damaged> {
        let mut numbers = vec![self.from];
        let mut last = self.from;
        for step in items(&self.steps)? {
            last = last.checked_add(step).ok_or(Damaged)?;
            numbers.push(last);
        }
        Ok(numbers)
    }
}

impl Times {
    fn all(instants: &[Timestamp]) -> Vec<Self> {
        let unit = instants.iter().map(|at| Unit::of(*at)).min().unwrap_or(Unit::Second);
        let mut all = Vec::new();
        let mut rest = instants;
        while let Some(from) = rest.first() {
            let pairs = rest.windows(2);
            let steps: Vec<_> = pairs.map_while(|pair| unit.between(pair[0], pair[1])).collect();
            rest = &rest[steps.len() + 1..];
            all.push(Self { from: *from, unit, steps: runs(steps) });
        }
        all
    }

    fn instants(&self) -> Result<Vec<Timestamp>, Damaged> {
        let mut instants = vec![self.from];
        let mut last = self.from.as_nanosecond();
        for step in items(&self.steps)? {
            last += i128::from(step) * self.unit.nanoseconds();
            instants.push(Timestamp::from_nanosecond(last).map_err(|_| Damaged)?);
        }
        Ok(instants)
    }
}

impl Unit {
    /// The largest unit of which the instant is a multiple.
    fn of(at: Timestamp) -> Self {
        let units = [Self::Second, Self::Millisecond, Self::Microsecond];
        let is_whole = |unit: &Self| at.as_nanosecond() % unit.nanoseconds() == 0;
        units.into_iter().find(is_whole).unwrap_or(Self::Nanosecond)
    }

    const fn nanoseconds(self) -> i128 {
        match self {
            Self::Nanosecond => 1,
            Self::Microsecond => 1_000,
            Self::Millisecond => 1_000_000,
            Self::Second => 1_000_000_000,
        }
    }

    /// The distance in this unit, if 64 bits can hold it.
    fn between(self, one: Timestamp, other: Timestamp) -> Option<i64> {
        let distance = (other.as_nanosecond() - one.as_nanosecond()) / self.nanoseconds();
        i64::try_from(distance).ok()
    }
}

/// Items in runs. Two equal items are shorter as they are.
fn runs<T: Clone + PartialEq>(items: impl IntoIterator<Item = T>) -> Vec<Run<T>> {
    let items: Vec<_> = items.into_iter().collect();
    let mut runs = Vec::new();
    for equal in items.chunk_by(|one, next| one == next) {
        match (equal, u32::try_from(equal.len())) {
            ([first, _, _, ..], Ok(count)) => runs.push(Run::Many(first.clone(), count)),
            _ => runs.extend(equal.iter().cloned().map(Run::One)),
        }
    }
    runs
}

/// The items of runs.
fn items<T: Clone>(runs: &[Run<T>]) -> Result<Vec<T>, Damaged> {
    let mut items = Vec::new();
    for run in runs {
        let (item, count) = match run {
            Run::One(item) => (item, 1),
            Run::Many(item, count) => (item, usize::try_from(*count).map_err(|_| Damaged)?),
        };
        if count > MAX_READINGS - items.len() {
            return Err(Damaged);
        }
        items.extend(std::iter::repeat_n(item.clone(), count));
    }
    Ok(items)
}

impl<T: JsonSchema> JsonSchema for Run<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("RunOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let item = generator.subschema_for::<T>();
        let count = json_schema!({"type": "integer", "format": "uint32", "minimum": 1});
        json_schema!({
            "description": "An item, or a pair of an item and the number of its repetitions.",
            "anyOf": [
                {"type": "array", "prefixItems": [item.clone(), count], "minItems": 2, "maxItems": 2},
                item,
            ],
        })
    }
}
