//! The contract of the devices context: its events. Any team may depend on this crate to read them from the bus. It
//! contains nothing about how devices are stored or decided.
//!
//! | stream | events | content |
//! | --- | --- | --- |
//! | `device#<id>` | [`DeviceEvent`] | a device from its registration to its decommissioning, and the months of its readings |
//! | `telemetry#<id>.<month>` | [`TelemetryEvent`] | the readings that were recorded in a month, whatever their own times are |
//!
//! A batch of readings is one event, [`ReadingsRecorded`], in columns: at one reading a second, a reading of a slowly
//! changing metric takes few bytes. [`Column::readings`] gives the readings again, with each value exactly as the device
//! sent it.
//!
//! A reading is identified by its device, its epoch (a counter of the device's restarts) and its sequence number. A stream
//! contains each reading once, and so do all streams of a device together.

mod column;
mod device;
mod month;
mod ranges;
mod telemetry;
mod value;

pub use column::{Column, Damaged, MAX_READINGS, Reading, Run, Seqs, Times, Unit};
pub use device::{DeviceDecommissioned, DeviceEvent, DeviceRegistered, MonthBegun};
pub use month::{InvalidMonth, Month};
pub use ranges::{Range, numbers, ranges_of};
pub use telemetry::{
    Gaps, IntakeStopped, MonthClosed, MonthOpened, ReadingsRecorded, Rejected, Rule,
    TelemetryEvent, Window,
};
pub use value::{InvalidValue, Value};
