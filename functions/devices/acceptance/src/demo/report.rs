//! The report of the demo.

use std::io::{self, Write};
use std::time::Duration;

use acceptance::report::{align_right, heading, percentiles, table};
use ledgerfold_testkit::http::Stack;

use super::fleet::Device;
use super::read::Found;
use super::verdict::Sums;
use super::{DemoError, Options, Sent, plot};
use crate::model::FleetCounts;

/// How many devices with gaps are listed.
const LISTED: usize = 12;

pub(super) fn opening(
    out: &mut impl Write,
    stack: &Stack,
    options: &Options,
    fleet: &[Device],
) -> io::Result<()> {
    let taken: usize = fleet.iter().map(|device| device.taken().len()).sum();
    writeln!(
        out,
        "Devices at {}: {} devices send {taken} readings",
        stack.endpoint, options.devices
    )?;
    for device in fleet.iter().filter(|device| !device.clock.is_zero()) {
        writeln!(out, "  the clock of {} is off by {:#}", device.id, device.clock)?;
    }
    Ok(())
}

pub(super) fn sent(out: &mut impl Write, fleet: &[Device], sent: &Sent) -> io::Result<()> {
    heading(out, "Batches")?;
    let readings: usize =
        fleet.iter().flat_map(|device| &device.batches).map(|batch| batch.readings.len()).sum();
    let sum = |of: fn(&Device) -> usize| fleet.iter().map(of).sum::<usize>();
    let mut rows = table(&["", "count"]);
    align_right(&mut rows, 1);
    for (name, count) in [
        ("batches sent", sent.answers.len()),
        ("readings sent", readings),
        ("restarts of devices", sum(|device| device.incidents.restarts)),
        ("batches sent twice", sum(|device| device.incidents.repeated)),
        ("batches sent late", sum(|device| device.incidents.late)),
        ("batches lost on the way", sum(|device| device.incidents.lost)),
        ("processes of functions killed", sent.killed),
    ] {
        rows.add_row([name.to_owned(), count.to_string()]);
    }
    writeln!(out, "{rows}")?;
    writeln!(out, "  {:.0} readings per second", per_second(readings, sent.took))?;
    heading(out, "Latency, in milliseconds")?;
    let mut rows = table(&["", "count", "p50", "p90", "p99", "longest"]);
    (1..6).for_each(|column| align_right(&mut rows, column));
    rows.add_row(percentiles("batches", sent.latencies.clone()));
    writeln!(out, "{rows}")
}

fn per_second(readings: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(readings).unwrap_or(u32::MAX)) / took.as_secs_f64().max(f64::EPSILON)
}

/// Reports the counts of the fleet, and checks those that the input determines.
pub(super) fn counts(
    out: &mut impl Write,
    fleet: &[Device],
    counts: &FleetCounts,
) -> Result<(), DemoError> {
    heading(out, "The fleet")?;
    let mut rows = table(&["", "input", "service"]);
    (1..3).for_each(|column| align_right(&mut rows, column));
    let sum = |of: fn(&Device) -> usize| fleet.iter().map(of).sum::<usize>();
    let taken = sum(|device| device.taken().len());
    let repetitions = sum(Device::repetitions);
    rows.add_row(["readings".to_owned(), taken.to_string(), counts.readings.to_string()]);
    let duplicates = counts.duplicates.to_string();
    rows.add_row(["deduplicated".to_owned(), format!("≥ {repetitions}"), duplicates]);
    let missing: u64 = fleet.iter().map(missing).sum();
    let still = counts.gaps.saturating_sub(counts.closed);
    rows.add_row(["still missing".to_owned(), missing.to_string(), still.to_string()]);
    rows.add_row(["late".to_owned(), String::new(), counts.late.to_string()]);
    rows.add_row(["early".to_owned(), String::new(), counts.early.to_string()]);
    writeln!(out, "{rows}")?;
    // A request that a killed function did not answer is repeated, so there may be more duplicates.
    if counts.duplicates < u64::try_from(repetitions).unwrap_or_default() {
        let found = counts.duplicates;
        let text = format!("{found} readings were deduplicated, of at least {repetitions}");
        return Err(DemoError::Differs(text));
    }
    if still != missing {
        let text = format!("{still} numbers are missing, and the input lost {missing}");
        return Err(DemoError::Differs(text));
    }
    Ok(())
}

fn missing(device: &Device) -> u64 {
    let gaps = device.gaps();
    gaps.values().flatten().map(|[first, last]| last - first + 1).sum()
}

pub(super) fn gaps(out: &mut impl Write, fleet: &[Device]) -> io::Result<()> {
    heading(out, "Gaps that remain")?;
    let mut lines = fleet.iter().flat_map(|device| {
        device
            .gaps()
            .into_iter()
            .map(|(epoch, gaps)| format!("  {} epoch {epoch}: {gaps:?}", device.id))
    });
    for line in lines.by_ref().take(LISTED) {
        writeln!(out, "{line}")?;
    }
    match lines.count() {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more"),
    }
}

pub(super) fn plot(out: &mut impl Write, fleet: &[Device], found: &[Found]) -> io::Result<()> {
    let last = fleet.iter().zip(found).next_back();
    let Some((device, found)) = last else { return Ok(()) };
    heading(out, &format!("The timeline of {}", device.id))?;
    plot::draw(out, &found.timeline)
}

/// Reports the sums that are equal. They could not be here otherwise.
pub(super) fn verdict(out: &mut impl Write, found: &[Found]) -> io::Result<()> {
    heading(out, "Sums of all devices")?;
    let mut sums = Sums::default();
    found.iter().for_each(|it| sums.add(it.verdict.sums.count, it.verdict.sums.sum));
    let mut rows = table(&["source", "readings", "sum"]);
    (1..3).for_each(|column| align_right(&mut rows, column));
    let sources = found.first().map(|it| it.verdict.sources.as_slice()).unwrap_or_default();
    for source in sources {
        let sum = format!("{:.3}", sums.sum);
        rows.add_row([(*source).to_owned(), sums.count.to_string(), sum]);
    }
    writeln!(out, "{rows}")
}
