//! A timeline as a plot in a terminal.

use std::io::{self, Write};

use crate::model::TimelineReading;

/// The size of the plot, in characters.
const COLUMNS: usize = 72;
const ROWS: u8 = 8;

/// The mean of the readings in a column, and the part of them that came late.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Column {
    count: u32,
    sum: f64,
}

impl Column {
    fn mean(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / f64::from(self.count))
    }
}

/// Draws readings over their times. A column without readings stays empty, so a gap is visible.
pub(super) fn draw(out: &mut impl Write, readings: &[TimelineReading]) -> io::Result<()> {
    let columns = columns(readings);
    let means = columns.iter().filter_map(|column| column.mean());
    let (low, high) =
        means.fold((f64::MAX, f64::MIN), |(low, high), mean| (low.min(mean), high.max(mean)));
    let height = (high - low).max(f64::EPSILON);
    for row in (0..ROWS).rev() {
        let label = match row {
            0 => format!("{low:>8.2}"),
            row if row == ROWS - 1 => format!("{high:>8.2}"),
            _ => " ".repeat(8),
        };
        let line: String = columns.iter().map(|column| mark(*column, (low, height), row)).collect();
        writeln!(out, "{label} │{}", line.trim_end())?;
    }
    writeln!(out, "{} └{}", " ".repeat(8), "─".repeat(COLUMNS))?;
    match (readings.first(), readings.last()) {
        (Some(first), Some(last)) => writeln!(out, "{} {} to {}", " ".repeat(9), first.at, last.at),
        _ => Ok(()),
    }
}

/// The mark of a column in a row, if its mean is nearest to this row.
fn mark(column: Column, (low, height): (f64, f64), row: u8) -> char {
    let top = f64::from(ROWS - 1);
    let distance = |mean: f64| (mean - low) / height * top - f64::from(row);
    match column.mean().map(distance) {
        Some(distance) if (-0.5..0.5).contains(&distance) => '●',
        _ => ' ',
    }
}

/// The readings in columns of equal time.
fn columns(readings: &[TimelineReading]) -> [Column; COLUMNS] {
    let mut columns = [Column::default(); COLUMNS];
    let first = readings.first().map_or(0, |reading| reading.at.as_millisecond());
    let last = readings.last().map_or(0, |reading| reading.at.as_millisecond());
    let length = u64::try_from(last - first).unwrap_or_default() + 1;
    for reading in readings {
        let passed = u64::try_from(reading.at.as_millisecond() - first).unwrap_or_default();
        let columns_of_it =
            passed.saturating_mul(u64::try_from(COLUMNS).unwrap_or_default()) / length;
        let at = usize::try_from(columns_of_it).unwrap_or_default().min(COLUMNS - 1);
        columns[at].count += 1;
        columns[at].sum += reading.value;
    }
    columns
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::draw;
    use crate::model::TimelineReading;

    #[test]
    fn a_gap_is_visible() {
        let reading = |second: i64| TimelineReading {
            seq: 1,
            epoch: 1,
            at: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second),
            recorded_at: Timestamp::UNIX_EPOCH,
            value: if second < 72 { 1.0 } else { 3.0 },
            late: false,
        };
        let readings: Vec<_> = (0..144).filter(|it| !(60..80).contains(it)).map(reading).collect();
        let mut out = Vec::new();
        draw(&mut out, &readings).expect("a vector takes everything");
        let text = String::from_utf8(out).expect("text");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], format!("    3.00 │{}{}", " ".repeat(40), "●".repeat(32)));
        assert_eq!(lines[7], format!("    1.00 │{}", "●".repeat(30)));
        assert_eq!(lines[9], "          1970-01-01T00:00:00Z to 1970-01-01T00:02:23Z");
    }
}
