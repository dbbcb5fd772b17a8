//! Counts over all devices by hour.

use devices_events::{ReadingsRecorded, TelemetryEvent, numbers};
use ledgerfold::{
    InvalidId, Recorded, Timestamp,
    ports::CounterKey,
    project::{Counts, Tally},
};
use serde::{Deserialize, Serialize};

use super::{Step, damaged, is_early, is_late};

/// The names of the counters.
pub mod counter {
    /// Readings that were taken.
    pub const READINGS: &str = "readings";
    /// Batches.
    pub const BATCHES: &str = "batches";
    /// Readings that had arrived before.
    pub const DUPLICATES: &str = "duplicates";
    /// Readings that were refused in batches of which something was taken.
    pub const REJECTED: &str = "rejected";
    /// Readings that came late.
    pub const LATE: &str = "late";
    /// Readings from clocks that are ahead.
    pub const EARLY: &str = "early";
    /// Numbers that became missing.
    pub const GAPS: &str = "gaps";
    /// Missing numbers that arrived.
    pub const CLOSED: &str = "closed";
}

/// The most numbers that one gap counts, so that a device with wild numbers cannot make a sum leave its range.
const MAX_NUMBERS: u64 = 1_000_000_000;

/// Counts over all devices of a tenant, by the hour in which a batch was recorded.
#[derive(Clone, Copy, Debug)]
pub struct Fleet;

/// The memory of a stream: none is needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoMemo {}

/// The key of the counters of the hour with this instant, for example `2026-11-29T08`.
///
/// # Errors
/// None in practice: every hour is a valid key.
pub fn key_of(at: Timestamp) -> Result<CounterKey, InvalidId> {
    CounterKey::new(Step::Hour.start(at).strftime("%Y-%m-%dT%H").to_string())
}

impl Tally for Fleet {
    type Event = TelemetryEvent;
    type Memo = NoMemo;

    fn count(
        _: &mut NoMemo,
        event: &Recorded<TelemetryEvent>,
        counts: &mut Counts,
    ) -> Result<(), String> {
        let TelemetryEvent::ReadingsRecorded(recorded) = &event.event else { return Ok(()) };
        let key = key_of(event.recorded_at).map_err(|error| error.to_string())?;
        for (counter, amount) in amounts(recorded, event.recorded_at)? {
            if amount > 0 {
                counts.add(key.clone(), counter, i64::try_from(amount).unwrap_or(i64::MAX))?;
            }
        }
        Ok(())
    }
}

fn amounts(
    recorded: &ReadingsRecorded,
    recorded_at: Timestamp,
) -> Result<[(&'static str, u64); 8], String> {
    let mut readings = 0;
    let mut late = 0;
    let mut early = 0;
    for column in recorded.metrics.values() {
        for reading in column.readings().map_err(damaged)? {
            readings += 1;
            late += u64::from(recorded.outdated || is_late(reading.at, recorded_at));
            early += u64::from(is_early(reading.at, recorded_at));
        }
    }
    let size = |[first, last]: &[u64; 2]| (last - first).saturating_add(1).min(MAX_NUMBERS);
    let duplicates = u64::try_from(numbers(&recorded.duplicates).count()).unwrap_or(u64::MAX);
    Ok([
        (counter::READINGS, readings),
        (counter::BATCHES, 1),
        (counter::DUPLICATES, duplicates),
        (counter::REJECTED, u64::try_from(recorded.rejected.len()).unwrap_or(u64::MAX)),
        (counter::LATE, late),
        (counter::EARLY, early),
        (counter::GAPS, recorded.gaps.opened.iter().map(size).sum()),
        (counter::CLOSED, recorded.gaps.closed.iter().map(size).sum()),
    ])
}
