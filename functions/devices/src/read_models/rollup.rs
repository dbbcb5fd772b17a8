//! Sums of readings over windows of time.

use std::collections::BTreeMap;

use devices_events::{Reading, TelemetryEvent, Value};
use jiff::{Unit, tz::TimeZone};
use ledgerfold::{EntityId, Recorded, Timestamp, ports::PartKey, project::Parted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{damaged, device_of, sum::ExactSum};

/// Sums of each metric of each device over minutes, hours and days.
#[derive(Clone, Copy, Debug)]
pub struct Rollups;

/// The length of a window.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day, in UTC.
    Day,
}

/// The readings of a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    /// Their number.
    pub count: u64,
    /// The lowest value.
    pub min: Value,
    /// The highest value.
    pub max: Value,
    /// The sum.
    pub sum: ExactSum,
    /// How many batches have changed the window.
    pub revision: u64,
}

impl Step {
    /// All steps.
    pub const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    const fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// The start of the window with this instant.
    pub fn start(self, at: Timestamp) -> Timestamp {
        let unit = match self {
            Self::Minute => Unit::Minute,
            Self::Hour => Unit::Hour,
            Self::Day => Unit::Day,
        };
        let time = at.to_zoned(TimeZone::UTC).datetime();
        let rounding =
            jiff::civil::DateTimeRound::new().smallest(unit).mode(jiff::RoundMode::Floor);
        let start = time.round(rounding).and_then(|start| start.to_zoned(TimeZone::UTC));
        start.map_or(at, |start| start.timestamp())
    }
}

/// The group of a metric's windows.
pub fn group_of(device: &str, metric: &str, step: Step) -> String {
    format!("{device}/{metric}/{}", step.name())
}

/// The order of the window with this start.
pub fn order_of(start: Timestamp) -> String {
    start.to_string()
}

impl Sums {
    fn of(value: &Value) -> Self {
        let (min, max) = (value.clone(), value.clone());
        let mut sum = ExactSum::default();
        sum.add(value.to_f64());
        Self { count: 1, min, max, sum, revision: 1 }
    }

    fn of_all(readings: &[&Reading]) -> Option<Self> {
        let all = readings.iter().map(|reading| Self::of(&reading.value));
        let all = all.reduce(|mut all, one| {
            all.merge(&one);
            all
        })?;
        Some(Self { revision: 1, ..all })
    }

    /// Adds the readings of another window, for example of the same one in another month's stream.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        if other.min.to_f64() < self.min.to_f64() {
            self.min = other.min.clone();
        }
        if other.max.to_f64() > self.max.to_f64() {
            self.max = other.max.clone();
        }
        self.sum.merge(&other.sum);
        self.revision += other.revision;
    }
}

impl Parted for Rollups {
    type Event = TelemetryEvent;
    type Part = Sums;
    type Change = Sums;

    fn changes(event: &Recorded<TelemetryEvent>) -> Result<Vec<(PartKey, Sums)>, String> {
        let TelemetryEvent::ReadingsRecorded(recorded) = &event.event else {
            return Ok(Vec::new());
        };
        let device = device_of(&event.stream)?;
        let mut changes = Vec::new();
        for (metric, column) in &recorded.metrics {
            let readings = column.readings().map_err(damaged)?;
            for step in Step::ALL {
                let mut windows = BTreeMap::<Timestamp, Vec<&Reading>>::new();
                for reading in &readings {
                    windows.entry(step.start(reading.at)).or_default().push(reading);
                }
                for (start, readings) in windows {
                    let key = PartKey::new(group_of(device, metric, step), order_of(start));
                    let key = key.map_err(|error| error.to_string())?;
                    changes.extend(Sums::of_all(&readings).map(|sums| (key, sums)));
                }
            }
        }
        Ok(changes)
    }

    fn apply(part: Option<Sums>, change: &Sums) -> Result<Option<Sums>, String> {
        Ok(Some(match part {
            None => change.clone(),
            Some(mut sums) => {
                sums.merge(change);
                sums
            }
        }))
    }
}

/// The longest device and metric together fit into a key.
const _: () = assert!(2 * 64 + "//minute".len() < 1_900, "a group is too long");

/// A metric is an id, as a device is.
pub type Metric = EntityId;
