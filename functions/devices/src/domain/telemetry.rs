//! The readings of a device in one month.

use devices_events::{Month, Range, ReadingsRecorded, TelemetryEvent, Window};
use ledgerfold::{
    Access, Caller, Category, Command, CommandName, Decider, DecisionContext, EntityId, InvalidId,
    Snapshots, StreamId, Version,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DevicesRejection, Sent, access, batch::recorded, window};

/// The longest id of a device: a stream's id of 64 characters also has the month.
pub const LONGEST_ID: usize = 64 - 1 - Month::LENGTH;

/// The most ranges of missing numbers in an answer.
pub const MAX_MISSING: usize = 100;

/// The domain of readings.
#[derive(Clone, Copy, Debug)]
pub struct Telemetry;

/// The state of a month. Its size is bounded, however many readings the device has sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TelemetryState {
    /// Whether the month takes readings.
    pub intake: Intake,
    /// The version of the device, over all months: its registration, each batch and its end count.
    pub version: u64,
    /// The numbers that arrived, by ascending epoch. At most [`MAX_EPOCHS`](super::MAX_EPOCHS) epochs and
    /// [`MAX_GAPS`](super::MAX_GAPS) ranges.
    pub windows: Vec<Window>,
    /// An epoch without a window is taken only if it is above this one.
    pub closed_through: Option<u32>,
}

/// Whether a month takes readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Intake {
    /// It has not begun.
    #[default]
    NotBegun,
    /// It takes readings.
    Open,
    /// The device was decommissioned.
    Stopped,
    /// The readings go to this month.
    Closed(Month),
}

/// A batch of readings of one epoch.
#[derive(Clone, Debug, Serialize)]
pub struct RecordReadings {
    /// The device.
    pub device: EntityId,
    /// The epoch.
    pub epoch: u32,
    /// The readings, in the order in which the device sent them.
    pub readings: Vec<Sent>,
    /// Take the batch only if the device is at this version.
    #[serde(skip)]
    pub expected: Option<Version>,
}

impl Command for RecordReadings {
    fn name(&self) -> CommandName {
        CommandName::from_static("RecordReadings")
    }
}

impl TelemetryState {
    /// # Errors
    /// The month does not take readings.
    pub fn check_open(&self) -> Result<(), DevicesRejection> {
        match self.intake {
            Intake::NotBegun => Err(DevicesRejection::MonthNotBegun),
            Intake::Open => Ok(()),
            Intake::Stopped => Err(DevicesRejection::DeviceDecommissioned),
            Intake::Closed(next) => Err(DevicesRejection::MonthClosed { next }),
        }
    }

    /// # Errors
    /// The device is not at the expected version.
    pub fn check_version(&self, expected: Option<Version>) -> Result<(), DevicesRejection> {
        let actual = Version::new(self.version);
        match expected {
            Some(expected) if expected != actual => {
                Err(DevicesRejection::OtherVersion { expected, actual })
            }
            _ => Ok(()),
        }
    }

    /// The window of an epoch.
    pub fn window(&self, epoch: u32) -> Option<&Window> {
        self.windows.iter().find(|window| window.epoch == epoch)
    }

    /// The missing numbers of an epoch: the first ranges.
    pub fn missing(&self, epoch: u32) -> Vec<Range> {
        let missing = self.window(epoch).map(|window| window.missing.as_slice());
        missing.unwrap_or_default().iter().take(MAX_MISSING).copied().collect()
    }

    /// The state after a batch.
    fn after(mut self, event: &ReadingsRecorded) -> Self {
        self.version += 1;
        let at = self.windows.partition_point(|window| window.epoch < event.epoch);
        if self.windows.get(at).is_none_or(|window| window.epoch != event.epoch) {
            self.windows.insert(at, Window { epoch: event.epoch, ..Window::default() });
        }
        let seqs =
            event.metrics.values().filter_map(|column| column.seqs.numbers().ok()?.last().copied());
        let highest = seqs.max().unwrap_or_default();
        let of_epoch = &mut self.windows[at];
        of_epoch.highest = of_epoch.highest.max(highest);
        let rest = window::without(&of_epoch.missing, &event.gaps.closed);
        of_epoch.missing = window::with(&rest, &event.gaps.opened);
        for [epoch, first, last] in &event.gaps.abandoned {
            let of_it = self.windows.iter_mut().find(|window| u64::from(window.epoch) == *epoch);
            if let Some(window) = of_it {
                window.missing.retain(|range| range != &[*first, *last]);
                window.forgotten = window.forgotten.max(*last);
            }
        }
        if let Some(closed) = event.closed_through {
            self.windows.retain(|window| window.epoch > closed);
            self.closed_through = self.closed_through.max(Some(closed));
        }
        self
    }
}

impl Decider for Telemetry {
    type Command = RecordReadings;
    type Event = TelemetryEvent;
    type State = TelemetryState;
    type Rejection = DevicesRejection;

    const CATEGORY: Category = Category::from_static("telemetry");

    fn initial() -> TelemetryState {
        TelemetryState::default()
    }

    fn evolve(state: TelemetryState, event: &TelemetryEvent) -> TelemetryState {
        match event {
            TelemetryEvent::MonthOpened(opened) => TelemetryState {
                intake: Intake::Open,
                version: opened.base,
                windows: opened.windows.clone(),
                closed_through: opened.closed_through,
            },
            TelemetryEvent::ReadingsRecorded(recorded) => state.after(recorded),
            TelemetryEvent::IntakeStopped(_) => {
                TelemetryState { intake: Intake::Stopped, version: state.version + 1, ..state }
            }
            TelemetryEvent::MonthClosed(closed) => {
                TelemetryState { intake: Intake::Closed(closed.next), ..state }
            }
        }
    }

    fn may(caller: &Caller, command: &RecordReadings, _: &TelemetryState) -> Access {
        access::by_device(caller, &command.device)
    }

    fn decide(
        state: &TelemetryState,
        command: &RecordReadings,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<TelemetryEvent>, DevicesRejection> {
        state.check_open()?;
        state.check_version(command.expected)?;
        let event = recorded(state, command.epoch, &command.readings);
        let is_new = !event.metrics.is_empty() || !event.duplicates.is_empty();
        Ok(if is_new { vec![event.into()] } else { Vec::new() })
    }

    fn snapshots() -> Option<Snapshots<TelemetryState>> {
        Some(Snapshots::of::<Self>(1))
    }
}

/// The stream of a device's readings in a month, beside the stream of the device.
///
/// # Errors
/// The device's id has more than [`LONGEST_ID`] characters.
pub fn stream_of(device: &StreamId, month: Month) -> Result<StreamId, InvalidId> {
    let id = EntityId::new(format!("{}.{month}", device.id()))?;
    Ok(device.beside(Telemetry::CATEGORY, id))
}

/// The device of a stream of readings.
pub fn device_of(stream: &StreamId) -> Option<&str> {
    stream.id().as_str().rsplit_once('.').map(|(device, _)| device)
}

/// The month of a stream of readings.
pub fn month_of(stream: &StreamId) -> Option<Month> {
    stream.id().as_str().rsplit_once('.').and_then(|(_, month)| month.parse().ok())
}
