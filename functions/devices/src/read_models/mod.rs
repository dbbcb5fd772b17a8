//! The read models: folds of events for queries. Pure functions without input or output.
//!
//! | module | projection | content |
//! | --- | --- | --- |
//! | [`site_devices`] | `sites` | the devices of a site |
//! | [`device_views`] | `device-view` | the state of a device, a row for each month |
//! | [`timeline`] | `timeline` | the readings, a part for each batch, metric and hour |
//! | [`rollup`] | `rollup` | sums over windows, a part for each window |
//! | [`fleet`] | `fleet` | counts over all devices by hour |

pub mod device_views;
pub mod fleet;
pub mod rollup;
pub mod site_devices;
pub mod sum;
pub mod timeline;

pub use device_views::{DeviceView, DeviceViews, Latest};
pub use fleet::Fleet;
pub use rollup::{Rollups, Step, Sums};
pub use site_devices::{SiteDevice, SiteDevices, Status};
pub use timeline::{Chunk, Timeline};

use std::time::Duration;

use devices_events::Damaged;
use ledgerfold::Timestamp;

/// A reading that is this much older than its record is late.
const LATE_AFTER: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// A reading that is this far ahead of its record is early.
const EARLY_AFTER: Duration = Duration::from_secs(10 * 60);

/// Whether a reading of this time came late.
pub fn is_late(at: Timestamp, recorded_at: Timestamp) -> bool {
    recorded_at.as_nanosecond() - at.as_nanosecond() > nanoseconds(LATE_AFTER)
}

/// Whether the clock of the reading's device is ahead.
pub fn is_early(at: Timestamp, recorded_at: Timestamp) -> bool {
    at.as_nanosecond() - recorded_at.as_nanosecond() > nanoseconds(EARLY_AFTER)
}

fn nanoseconds(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX)
}

/// The reason why columns cannot be applied.
fn damaged(error: Damaged) -> String {
    error.to_string()
}

/// The device of a stream of readings.
fn device_of(stream: &ledgerfold::StreamId) -> Result<&str, String> {
    crate::domain::telemetry::device_of(stream).ok_or_else(|| format!("{stream} names no month"))
}
