//! The state of a device.

use std::collections::BTreeMap;

use devices_events::{Month, ReadingsRecorded, TelemetryEvent, Value};
use ledgerfold::{Decider, Recorded, Timestamp, project::Projection};
use serde::{Deserialize, Serialize};

use super::damaged;
use crate::domain::{Telemetry, TelemetryState};

/// The most metrics in a view. A device that sends more keeps those with the highest sequence numbers.
const MAX_METRICS: usize = 256;

/// The state of each device, a row for each month with its readings.
#[derive(Clone, Copy, Debug)]
pub struct DeviceViews;

/// A device in a month.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceView {
    /// The same state on which batches are decided.
    pub telemetry: TelemetryState,
    /// The month before with readings.
    pub previous: Option<Month>,
    /// When the last batch of this month was recorded.
    pub last_seen_at: Option<Timestamp>,
    /// The latest reading of each metric, in the order of the device: by epoch and number.
    pub latest: BTreeMap<String, Latest>,
}

/// The latest reading of a metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latest {
    /// The value.
    pub value: Value,
    /// The time, by the clock of the device.
    pub at: Timestamp,
    /// The epoch.
    pub epoch: u32,
    /// The number.
    pub seq: u64,
}

impl Projection for DeviceViews {
    type Event = TelemetryEvent;
    type Row = DeviceView;

    fn evolve(
        row: Option<DeviceView>,
        event: &Recorded<TelemetryEvent>,
    ) -> Result<Option<DeviceView>, String> {
        let mut view = row.unwrap_or_default();
        view.telemetry = Telemetry::evolve(view.telemetry, &event.event);
        match &event.event {
            TelemetryEvent::MonthOpened(opened) => view.previous = opened.previous,
            TelemetryEvent::ReadingsRecorded(recorded) => {
                view.last_seen_at = Some(event.recorded_at);
                view.see(recorded)?;
            }
            TelemetryEvent::IntakeStopped(_) | TelemetryEvent::MonthClosed(_) => {}
        }
        Ok(Some(view))
    }
}

impl DeviceView {
    fn see(&mut self, recorded: &ReadingsRecorded) -> Result<(), String> {
        let epoch = recorded.epoch;
        for (metric, column) in &recorded.metrics {
            let readings = column.readings().map_err(damaged)?;
            let Some(last) = readings.into_iter().last() else { continue };
            let known = self.latest.get(metric);
            if known.is_none_or(|known| (known.epoch, known.seq) < (epoch, last.seq)) {
                let latest = Latest { value: last.value, at: last.at, epoch, seq: last.seq };
                self.latest.insert(metric.clone(), latest);
            }
        }
        while self.latest.len() > MAX_METRICS {
            let oldest = self.latest.iter().min_by_key(|(_, it)| (it.epoch, it.seq));
            let Some(metric) = oldest.map(|(metric, _)| metric.clone()) else { break };
            self.latest.remove(&metric);
        }
        Ok(())
    }
}
