//! The events of a device.

use ledgerfold::events;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Month;

events! {
    /// The events of a device.
    pub enum DeviceEvent {
        DeviceRegistered: 1,
        MonthBegun: 1,
        DeviceDecommissioned: 1,
    }
}

/// A device was registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceRegistered {
    /// The model.
    pub model: String,
    /// The place of the device.
    pub site: String,
}

/// The device's readings go to the stream of this month from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MonthBegun {
    /// The month.
    pub month: Month,
}

/// The device sends no more readings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceDecommissioned {
    /// The reason.
    pub reason: String,
}
