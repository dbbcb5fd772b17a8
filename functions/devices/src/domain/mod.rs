//! The domain of devices: the states that decisions need, how events change them, and the reasons to refuse a command.
//! Pure functions without input or output.
//!
//! | module | content |
//! | --- | --- |
//! | [`device`] | a device from its registration to its end, and the month of its readings |
//! | [`telemetry`] | the readings of a device in one month |
//! | [`window`] | the numbers of an epoch that arrived |
//! | [`batch`] | the decision on a batch of readings |
//! | [`rollover`] | the joint decisions over the streams of one device |
//! | [`access`] | the permissions of each role |

pub mod access;
pub mod batch;
pub mod device;
mod rejection;
pub mod rollover;
pub mod telemetry;
pub mod window;

pub use batch::{MAX_EPOCHS, MAX_GAPS, Sent};
pub use device::{Device, DeviceCommand, DeviceState, Devices};
pub use rejection::DevicesRejection;
pub use rollover::{BeginFirstMonth, BeginMonth, StopIntake};
pub use telemetry::{Intake, RecordReadings, Telemetry, TelemetryState};
