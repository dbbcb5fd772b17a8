//! The decision on a batch of readings.

use std::collections::BTreeMap;

use devices_events::{
    Column, Gaps, InvalidValue, Reading, ReadingsRecorded, Rejected, Rule, Value, Window, ranges_of,
};
use ledgerfold::Timestamp;
use serde::Serialize;

use super::{
    TelemetryState,
    window::{Arrival, take, without},
};

/// The most ranges of missing numbers that a device may have over all epochs. The lowest are given up, so that the state
/// stays small. A batch of 500 readings can leave out 500 ranges.
pub const MAX_GAPS: usize = 1_024;
/// The most epochs of which the arrived numbers are known. Older ones are closed.
pub const MAX_EPOCHS: usize = 16;

/// A reading as a device sends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// Its number in the epoch.
    pub seq: u64,
    /// The time, by the clock of the device.
    pub at: Timestamp,
    /// The name of the metric.
    pub metric: String,
    /// The value as JSON text.
    pub value: String,
}

/// The event of a batch in a state. Nothing needs to be recorded if it has neither readings nor duplicates.
pub fn recorded(state: &TelemetryState, epoch: u32, readings: &[Sent]) -> ReadingsRecorded {
    let newest = state.windows.last().map(|window| window.epoch);
    let mut event = ReadingsRecorded {
        epoch,
        outdated: newest.is_some_and(|newest| epoch < newest),
        ..ReadingsRecorded::default()
    };
    let known = state.windows.iter().find(|window| window.epoch == epoch);
    if known.is_none() && state.closed_through.is_some_and(|closed| epoch <= closed) {
        let refused = |reading: &Sent| Rejected { seq: reading.seq, rule: Rule::EpochClosed };
        event.rejected = readings.iter().map(refused).collect();
        return event;
    }
    let before = known.cloned().unwrap_or_else(|| Window { epoch, ..Window::default() });
    let after = sort(&mut event, &before, readings);
    event.gaps.opened = without(&after.missing, &before.missing);
    event.gaps.closed = without(&before.missing, &after.missing);
    forget(&mut event, state, after);
    event
}

/// Sorts the readings into taken, repeated and refused ones. Returns the window after them.
fn sort(event: &mut ReadingsRecorded, before: &Window, readings: &[Sent]) -> Window {
    let mut window = before.clone();
    let mut duplicates = Vec::new();
    let mut taken = BTreeMap::<&str, Vec<Reading>>::new();
    for Sent { seq, at, metric, value } in readings {
        let refused = |rule| Rejected { seq: *seq, rule };
        match Value::parse(value) {
            Ok(value) => match take(&mut window, *seq) {
                Arrival::New => {
                    let reading = Reading { seq: *seq, at: *at, value };
                    taken.entry(metric).or_default().push(reading);
                }
                Arrival::Duplicate => duplicates.push(*seq),
                Arrival::Forgotten => event.rejected.push(refused(Rule::NumberForgotten)),
            },
            Err(InvalidValue::TooLong) => event.rejected.push(refused(Rule::ValueTooLong)),
            Err(_) => event.rejected.push(refused(Rule::ValueNotFinite)),
        }
    }
    event.duplicates = ranges_of(duplicates);
    for (metric, mut readings) in taken {
        readings.sort_by_key(|reading| reading.seq);
        event.metrics.insert(metric.to_owned(), Column::of(&readings));
    }
    window
}

/// Gives up the oldest missing numbers and epochs if there are too many.
fn forget(event: &mut ReadingsRecorded, state: &TelemetryState, after: Window) {
    let Gaps { abandoned, .. } = &mut event.gaps;
    let epoch = after.epoch;
    let others = state.windows.iter().filter(|window| window.epoch != epoch);
    let mut windows: Vec<_> = others.cloned().chain([after]).collect();
    windows.sort_by_key(|window| window.epoch);
    if windows.len() > MAX_EPOCHS {
        let oldest = windows.remove(0);
        event.closed_through = Some(oldest.epoch);
        abandoned.extend(gaps_of(&oldest));
    }
    let gaps: usize = windows.iter().map(|window| window.missing.len()).sum();
    let surplus = gaps.saturating_sub(MAX_GAPS);
    abandoned.extend(windows.iter().flat_map(gaps_of).take(surplus));
}

fn gaps_of(window: &Window) -> impl Iterator<Item = [u64; 3]> {
    window.missing.iter().map(|[first, last]| [u64::from(window.epoch), *first, *last])
}
