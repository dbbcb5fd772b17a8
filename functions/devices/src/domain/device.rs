//! A device, from its registration to its end.

use devices_events::{DeviceDecommissioned, DeviceEvent, DeviceRegistered, Month};
use ledgerfold::{
    Access, Caller, Category, Command, CommandName, Decider, DecisionContext, Snapshots,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DevicesRejection, access};

/// The domain of devices.
#[derive(Clone, Copy, Debug)]
pub struct Devices;

/// A device; `None` if it was not registered.
pub type DeviceState = Option<Device>;

/// A registered device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    /// The month of its readings, if it has begun one. Only the device knows it, because a month can begin long after the
    /// one before.
    pub month: Option<Month>,
    /// Whether it was decommissioned.
    pub decommissioned: bool,
}

/// A command for a device.
#[derive(Clone, Debug, Serialize)]
pub enum DeviceCommand {
    /// Registers it.
    Register {
        /// The model.
        model: String,
        /// The place.
        site: String,
    },
    /// Decommissions a device that never began a month. [`StopIntake`](super::StopIntake) is for all others.
    Decommission {
        /// The reason.
        reason: String,
    },
}

impl Command for DeviceCommand {
    fn name(&self) -> CommandName {
        CommandName::from_static(match self {
            Self::Register { .. } => "RegisterDevice",
            Self::Decommission { .. } => "DecommissionDevice",
        })
    }
}

impl Decider for Devices {
    type Command = DeviceCommand;
    type Event = DeviceEvent;
    type State = DeviceState;
    type Rejection = DevicesRejection;

    const CATEGORY: Category = Category::from_static("device");

    fn initial() -> DeviceState {
        None
    }

    fn evolve(state: DeviceState, event: &DeviceEvent) -> DeviceState {
        let device = state.unwrap_or_default();
        Some(match event {
            DeviceEvent::DeviceRegistered(_) => device,
            DeviceEvent::MonthBegun(begun) => Device { month: Some(begun.month), ..device },
            DeviceEvent::DeviceDecommissioned(_) => Device { decommissioned: true, ..device },
        })
    }

    fn may(caller: &Caller, _: &DeviceCommand, _: &DeviceState) -> Access {
        access::by_operator(caller)
    }

    fn decide(
        state: &DeviceState,
        command: &DeviceCommand,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<DeviceEvent>, DevicesRejection> {
        match command {
            DeviceCommand::Register { model, site } => match state {
                Some(_) => Err(DevicesRejection::DeviceExists),
                None => {
                    let (model, site) = (model.clone(), site.clone());
                    Ok(vec![DeviceRegistered { model, site }.into()])
                }
            },
            DeviceCommand::Decommission { reason } => match active(state)?.month {
                Some(_) => Err(DevicesRejection::OtherMonth),
                None => Ok(vec![DeviceDecommissioned { reason: reason.clone() }.into()]),
            },
        }
    }

    fn snapshots() -> Option<Snapshots<DeviceState>> {
        Some(Snapshots::of::<Self>(1))
    }
}

/// The device, if it can still send readings.
///
/// # Errors
/// The device does not exist, or was decommissioned.
pub fn active(state: &DeviceState) -> Result<&Device, DevicesRejection> {
    match state {
        None => Err(DevicesRejection::NoDevice),
        Some(device) if device.decommissioned => Err(DevicesRejection::DeviceDecommissioned),
        Some(device) => Ok(device),
    }
}
