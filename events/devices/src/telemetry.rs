//! The events of a device's readings in one month.

use std::collections::BTreeMap;

use ledgerfold::events;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Column, Month, Range};

events! {
    /// The events of a device's readings in one month.
    pub enum TelemetryEvent {
        MonthOpened: 1,
        ReadingsRecorded: 1,
        IntakeStopped: 1,
        MonthClosed: 1,
    }
}

/// The month began. The event carries over what the stream of the month before knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MonthOpened {
    /// The month before with readings of the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Month>,
    /// The version that the device had, over all months.
    pub base: u64,
    /// The numbers that arrived, for each epoch that is still known, by ascending epoch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
    /// No reading of this epoch or an older one is taken, unless it has a window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_through: Option<u32>,
}

/// The sequence numbers of an epoch that arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// The epoch.
    pub epoch: u32,
    /// The highest number that arrived.
    pub highest: u64,
    /// The numbers below it that are missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Range>,
    /// Up to this number, only the numbers in `missing` are known to be missing. Others arrived or were given up.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub forgotten: u64,
}

/// A batch of readings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReadingsRecorded {
    /// The epoch: a counter of the device's restarts.
    pub epoch: u32,
    /// Whether a later epoch had begun before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub outdated: bool,
    /// The readings that were taken, by metric.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, Column>,
    /// The numbers that had arrived before, once for each repetition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duplicates: Vec<Range>,
    /// The readings that were refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<Rejected>,
    /// The changes of the missing numbers.
    #[serde(default, skip_serializing_if = "Gaps::is_none")]
    pub gaps: Gaps,
    /// No reading of this epoch or an older one is taken from now on, unless its window is still known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_through: Option<u32>,
}

/// The changes of the missing numbers of one epoch, or of older ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gaps {
    /// The numbers that are missing now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opened: Vec<Range>,
    /// The numbers that were missing and arrived.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<Range>,
    /// The numbers that are given up: too many were missing. Each begins with its epoch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub abandoned: Vec<[u64; 3]>,
}

/// A reading that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rejected {
    /// Its number.
    pub seq: u64,
    /// The rule that it breaks.
    pub rule: Rule,
}

/// A rule for readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The value must be finite.
    ValueNotFinite,
    /// The notation of the value must not be longer than 64 characters.
    ValueTooLong,
    /// The epoch is so old that it is not known any more which of its readings arrived.
    EpochClosed,
    /// The number is so old that it is not known any more whether it arrived.
    NumberForgotten,
}

/// The device was decommissioned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IntakeStopped {
    /// The reason.
    pub reason: String,
}

/// The readings of the device go to another month from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MonthClosed {
    /// The next month.
    pub next: Month,
}

impl Gaps {
    /// Whether nothing changed.
    pub const fn is_none(&self) -> bool {
        self.opened.is_empty() && self.closed.is_empty() && self.abandoned.is_empty()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}
