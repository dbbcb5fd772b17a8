//! Devices: telemetry in volume on Ledgerfold. Each reading is taken once, and missing ones are known.
//!
//! | module | content |
//! | --- | --- |
//! | [`domain`] | the states of devices and of their months, and the reasons to refuse a command; pure |
//! | [`commands`] | one file for each command: its body, its path and its answer |
//! | [`queries`] | one file for each query: its parameters, its path and its answer |
//! | [`read_models`] | folds of events for queries; pure |
//!
//! [`context`] and [`api`] declare all of them. The program of the functions, `devices-admin` and the OpenAPI document
//! derive their parts from these declarations.

pub mod commands;
pub mod domain;
pub mod queries;
pub mod read_models;

use ledgerfold::{Role, context::Context};
use ledgerfold_lambda::{http::Api, service::Service};

use domain::{Devices, Telemetry};
use read_models::{DeviceViews, Fleet, Rollups, SiteDevices, Timeline};

/// The declaration of devices.
pub fn context() -> Context {
    Context::new("devices")
        .decider::<Devices>()
        .decider::<Telemetry>()
        .rows::<SiteDevices>("sites")
        .listed_by("by-site")
        .of_decider::<Devices>()
        .rows::<DeviceViews>("device-view")
        .of_decider::<Telemetry>()
        .parted::<Timeline>("timeline")
        .of_decider::<Telemetry>()
        .parted::<Rollups>("rollup")
        .of_decider::<Telemetry>()
        .tally::<Fleet>("fleet")
        .of_decider::<Telemetry>()
}

/// The HTTP operations of devices. `openapi.json` in this package describes them for other programs.
pub fn api() -> Api {
    let api = Api::new("Devices", "1.0.0")
        .described("A reading is identified by its device, its epoch and its sequence number, and taken once.")
        .licensed("Apache-2.0 OR MIT")
        .tried_as([Role::from_static("operator")]);
    queries::add_to(commands::add_to(api))
}

/// The declaration with the HTTP operations.
pub fn service() -> Service {
    Service::new(context(), api())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_declaration_does_not_contradict_itself() {
        assert_eq!(super::context().check(), Ok(()));
    }
}
