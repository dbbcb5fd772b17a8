//! The contract of the devices service, as a client program would define it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The body of `POST /devices`.
#[derive(Clone, Debug, Serialize)]
pub struct RegisterDevice {
    /// The id, or none if the service chooses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The model.
    pub model: String,
    /// The place.
    pub site: String,
}

/// The body of `POST /devices/{id}/readings`.
#[derive(Clone, Debug, Serialize)]
pub struct Batch {
    /// A counter of restarts.
    pub epoch: u32,
    /// The readings.
    pub readings: Vec<Reading>,
}

/// A reading.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reading {
    /// Its number in the epoch.
    pub seq: u64,
    /// The time of the device's clock.
    pub at: Timestamp,
    /// The name of the metric.
    pub metric: String,
    /// The value.
    pub value: f64,
}

/// The answer to a batch.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchAnswer {
    /// How many were taken.
    pub accepted: usize,
    /// The numbers that had arrived before.
    pub duplicates: Vec<u64>,
    /// The readings that were refused.
    pub rejected: Vec<Rejected>,
    /// The missing numbers.
    pub missing: Vec<[u64; 2]>,
    /// The version of the device.
    pub version: u64,
}

/// A reading that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Rejected {
    /// Its number.
    pub seq: u64,
    /// The rule.
    pub rule: String,
}

/// The answer to `GET /devices/{id}`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Device {
    /// Its id.
    pub id: String,
    /// The model.
    pub model: String,
    /// The place.
    pub site: String,
    /// The status.
    pub status: String,
    /// The newest epoch.
    pub epoch: Option<u32>,
    /// The highest number without a missing one before it.
    pub up_to: u64,
    /// The missing numbers of the epoch.
    pub missing: Vec<[u64; 2]>,
    /// When its last batch was recorded.
    pub last_seen_at: Option<Timestamp>,
    /// The latest reading of each metric.
    pub latest: BTreeMap<String, Latest>,
    /// The version.
    pub version: u64,
}

/// The latest reading of a metric.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latest {
    /// The value.
    pub value: f64,
    /// The time of the device's clock.
    pub at: Timestamp,
    /// The number.
    pub seq: u64,
}

/// A reading in a timeline.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TimelineReading {
    /// The number.
    pub seq: u64,
    /// The epoch.
    pub epoch: u32,
    /// The time of the device's clock.
    pub at: Timestamp,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The value.
    pub value: f64,
    /// Whether it came late.
    pub late: bool,
}

/// The answer to `GET /devices/{id}/rollup`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollup {
    /// The windows.
    pub windows: Vec<Window>,
}

/// A window of a rollup.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Its start.
    pub start: Timestamp,
    /// The number of readings.
    pub count: u64,
    /// The lowest value.
    pub min: f64,
    /// The highest value.
    pub max: f64,
    /// The sum.
    pub sum: f64,
    /// The mean.
    pub mean: f64,
    /// How many batches have changed it.
    pub revision: u64,
}

/// A device in the list of its site.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListedDevice {
    /// Its id.
    pub id: String,
    /// The model.
    pub model: String,
    /// The place.
    pub site: String,
    /// The status.
    pub status: String,
    /// When it was registered.
    pub registered_at: Timestamp,
}

/// The answer to `GET /fleet`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    /// The counts by hour.
    pub hours: Vec<FleetHour>,
    /// The counts of all hours.
    pub totals: FleetCounts,
}

/// The counts of an hour.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FleetHour {
    /// Its start.
    pub hour: Timestamp,
    /// The counts.
    #[serde(flatten)]
    pub counts: FleetCounts,
}

/// Counts over all devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct FleetCounts {
    /// Batches.
    pub batches: u64,
    /// Readings that were taken.
    pub readings: u64,
    /// Readings that had arrived before.
    pub duplicates: u64,
    /// Readings that were refused.
    pub rejected: u64,
    /// Readings that came late.
    pub late: u64,
    /// Readings of clocks that are ahead.
    pub early: u64,
    /// Numbers that became missing.
    pub gaps: u64,
    /// Missing numbers that arrived.
    pub closed: u64,
}
