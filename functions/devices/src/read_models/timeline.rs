//! The readings of each metric in the order of their times.

use std::collections::BTreeMap;

use devices_events::{Column, Reading, TelemetryEvent};
use ledgerfold::{Recorded, Timestamp, ports::PartKey, project::Parted};
use serde::{Deserialize, Serialize};

use super::{Step, damaged, device_of};

/// The readings of each metric of each device. A part has the readings of one batch in one hour, and is written once: so a
/// part costs no more than its batch, however many readings an hour has. A query merges the parts of a range.
#[derive(Clone, Copy, Debug)]
pub struct Timeline;

/// The readings of one batch, metric and hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chunk {
    /// The epoch.
    pub epoch: u32,
    /// Whether a later epoch had begun before.
    pub outdated: bool,
    /// When the batch was recorded.
    pub recorded_at: Timestamp,
    /// The readings.
    pub column: Column,
}

/// The group of a metric's readings.
pub fn group_of(device: &str, metric: &str) -> String {
    format!("{device}/{metric}")
}

/// The start of the order of parts that begin at this instant. Parts are sorted by their first reading, and a part ends
/// with the hour in which it begins.
pub fn order_from(at: Timestamp) -> String {
    // All nine digits, so that the order of the bytes is the order of the times.
    format!("{at:.9}")
}

impl Parted for Timeline {
    type Event = TelemetryEvent;
    type Part = Chunk;
    type Change = Chunk;

    fn changes(event: &Recorded<TelemetryEvent>) -> Result<Vec<(PartKey, Chunk)>, String> {
        let TelemetryEvent::ReadingsRecorded(recorded) = &event.event else {
            return Ok(Vec::new());
        };
        let device = device_of(&event.stream)?;
        let mut chunks = Vec::new();
        for (metric, column) in &recorded.metrics {
            let mut hours = BTreeMap::<Timestamp, Vec<Reading>>::new();
            for reading in column.readings().map_err(damaged)? {
                hours.entry(Step::Hour.start(reading.at)).or_default().push(reading);
            }
            for readings in hours.into_values() {
                let first = readings.iter().min_by_key(|reading| (reading.at, reading.seq));
                let Some(first) = first else { continue };
                let begin = order_from(first.at);
                let order = format!("{begin}#{:010}#{:016}", recorded.epoch, first.seq);
                let key = PartKey::new(group_of(device, metric), order);
                let key = key.map_err(|error| error.to_string())?;
                chunks.push((
                    key,
                    Chunk {
                        epoch: recorded.epoch,
                        outdated: recorded.outdated,
                        recorded_at: event.recorded_at,
                        column: Column::of(&readings),
                    },
                ));
            }
        }
        Ok(chunks)
    }

    fn apply(part: Option<Chunk>, change: &Chunk) -> Result<Option<Chunk>, String> {
        match part {
            None => Ok(Some(change.clone())),
            Some(_) => Err("a reading with this number was recorded before".to_owned()),
        }
    }
}
