//! The joint decisions over the streams of one device: a month begins, and the intake of readings stops.
//!
//! The stream of the device knows the month of its readings, and each joint decision checks it. So a month is begun once,
//! in the same transaction that closes the month before, and no batch can be recorded in a closed month. The window goes
//! over with that transaction: a batch that is repeated in another month is recognised.

use devices_events::{
    DeviceDecommissioned, DeviceEvent, IntakeStopped, Month, MonthBegun, MonthClosed, MonthOpened,
    TelemetryEvent,
};
use ledgerfold::{
    Access, Caller, Command, CommandName, DecisionContext, EntityId, Version, command::JointDecider,
};
use serde::Serialize;

use super::{
    DeviceState, Devices, DevicesRejection, Intake, Telemetry, TelemetryState, access,
    device::active,
};

/// Begins the first month of a device.
#[derive(Clone, Debug, Serialize)]
pub struct BeginFirstMonth {
    /// The device.
    pub device: EntityId,
    /// The month.
    pub month: Month,
}

/// Begins another month of a device.
#[derive(Clone, Debug, Serialize)]
pub struct BeginMonth {
    /// The device.
    pub device: EntityId,
    /// The month of its readings until now.
    pub previous: Month,
    /// The month.
    pub month: Month,
}

/// Decommissions a device, and stops the intake of its readings.
#[derive(Clone, Debug, Serialize)]
pub struct StopIntake {
    /// The month of its readings.
    pub month: Month,
    /// The reason.
    pub reason: String,
    /// Decommission the device only if it is at this version.
    #[serde(skip)]
    pub expected: Option<Version>,
}

impl Command for BeginFirstMonth {
    fn name(&self) -> CommandName {
        CommandName::from_static("BeginFirstMonth")
    }
}

impl Command for BeginMonth {
    fn name(&self) -> CommandName {
        CommandName::from_static("BeginMonth")
    }
}

impl Command for StopIntake {
    fn name(&self) -> CommandName {
        CommandName::from_static("DecommissionDevice")
    }
}

impl JointDecider for BeginFirstMonth {
    type Command = Self;
    type Parts = (Devices, Telemetry);
    type Rejection = DevicesRejection;

    fn may(caller: &Caller, command: &Self, _: &(&DeviceState, &TelemetryState)) -> Access {
        access::by_device(caller, &command.device)
    }

    fn decide(
        (device, new): (&DeviceState, &TelemetryState),
        command: &Self,
        _: &DecisionContext<'_>,
    ) -> Result<(Vec<DeviceEvent>, Vec<TelemetryEvent>), DevicesRejection> {
        if active(device)?.month.is_some() || new.intake != Intake::NotBegun {
            return Ok((Vec::new(), Vec::new()));
        }
        // The registration is the first version of a device.
        let opened =
            MonthOpened { previous: None, base: 1, windows: Vec::new(), closed_through: None };
        Ok((vec![MonthBegun { month: command.month }.into()], vec![opened.into()]))
    }
}

impl JointDecider for BeginMonth {
    type Command = Self;
    type Parts = (Devices, Telemetry, Telemetry);
    type Rejection = DevicesRejection;

    fn may(
        caller: &Caller,
        command: &Self,
        _: &(&DeviceState, &TelemetryState, &TelemetryState),
    ) -> Access {
        access::by_device(caller, &command.device)
    }

    fn decide(
        (device, previous, new): (&DeviceState, &TelemetryState, &TelemetryState),
        command: &Self,
        _: &DecisionContext<'_>,
    ) -> Result<(Vec<DeviceEvent>, Vec<TelemetryEvent>, Vec<TelemetryEvent>), DevicesRejection>
    {
        let is_begun = active(device)?.month != Some(command.previous);
        if is_begun || new.intake != Intake::NotBegun {
            return Ok((Vec::new(), Vec::new(), Vec::new()));
        }
        let opened = MonthOpened {
            previous: Some(command.previous),
            base: previous.version,
            windows: previous.windows.clone(),
            closed_through: previous.closed_through,
        };
        Ok((
            vec![MonthBegun { month: command.month }.into()],
            vec![MonthClosed { next: command.month }.into()],
            vec![opened.into()],
        ))
    }
}

impl JointDecider for StopIntake {
    type Command = Self;
    type Parts = (Devices, Telemetry);
    type Rejection = DevicesRejection;

    fn may(caller: &Caller, _: &Self, _: &(&DeviceState, &TelemetryState)) -> Access {
        access::by_operator(caller)
    }

    fn decide(
        (device, telemetry): (&DeviceState, &TelemetryState),
        command: &Self,
        _: &DecisionContext<'_>,
    ) -> Result<(Vec<DeviceEvent>, Vec<TelemetryEvent>), DevicesRejection> {
        if active(device)?.month != Some(command.month) {
            return Err(DevicesRejection::OtherMonth);
        }
        telemetry.check_open()?;
        telemetry.check_version(command.expected)?;
        let reason = || command.reason.clone();
        Ok((
            vec![DeviceDecommissioned { reason: reason() }.into()],
            vec![IntakeStopped { reason: reason() }.into()],
        ))
    }
}
