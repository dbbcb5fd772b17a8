//! The commands, each in its own file: its body, its path and its answer. To add a command, add a file here and a line to
//! [`add_to`].

mod decommission_device;
mod months;
mod register_device;
mod send_readings;

use ledgerfold_lambda::http::Api;

pub use decommission_device::{DecommissionDevice, Decommissioned, Decommissions, DeviceEnd};
pub use register_device::{RegisterDevice, Registers};
pub use send_readings::{BatchAnswer, SendReadings, SentReading, TakesReadings};

/// The API with all commands.
pub fn add_to(api: Api) -> Api {
    api.command_with::<RegisterDevice, Registers>()
        .command_with::<SendReadings, TakesReadings>()
        .command_with::<DecommissionDevice, Decommissions>()
}
