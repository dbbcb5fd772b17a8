//! The reasons for which a command is rejected.

use devices_events::Month;
use ledgerfold::{Rejection, RejectionKind, Version};

/// The reason why a command is rejected. The names of the rules are part of the HTTP contract, except those that the
/// service answers itself: it opens a month, follows a closed one to the next, and decides again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DevicesRejection {
    /// The device does not exist.
    #[error("The device does not exist.")]
    NoDevice,
    /// A device can only be registered once.
    #[error("The device already exists.")]
    DeviceExists,
    /// A decommissioned device sends nothing.
    #[error("The device was decommissioned.")]
    DeviceDecommissioned,
    /// The stream of the month has no events.
    #[error("The month was not begun.")]
    MonthNotBegun,
    /// The readings go to another month.
    #[error("The month is over; {next} has begun.")]
    MonthClosed {
        /// The next month.
        next: Month,
    },
    /// The device is not at the version of `If-Match`.
    #[error("The device is at version {actual}, not {expected}.")]
    OtherVersion {
        /// The expected version.
        expected: Version,
        /// The version of the device.
        actual: Version,
    },
    /// The month of the device is not the expected one.
    #[error("The readings of the device go to another month.")]
    OtherMonth,
}

impl Rejection for DevicesRejection {
    fn rule(&self) -> &'static str {
        match self {
            Self::NoDevice => "no-device",
            Self::DeviceExists => "device-exists",
            Self::DeviceDecommissioned => "device-decommissioned",
            Self::MonthNotBegun => "month-not-begun",
            Self::MonthClosed { .. } => "month-closed",
            Self::OtherMonth => "other-month",
            Self::OtherVersion { .. } => "other-version",
        }
    }

    fn kind(&self) -> RejectionKind {
        match self {
            Self::NoDevice => RejectionKind::NotFound,
            _ => RejectionKind::Conflict,
        }
    }
}
