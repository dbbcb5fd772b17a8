//! The report of a demo: plain tables of less than a hundred columns, without colours.

use std::io::{self, Write};
use std::time::Duration;

use comfy_table::{CellAlignment, LineStyle, Table, presets};

use crate::latency::Latency;

// A longer list of differences would not help.
const MOST_DIFFERENCES: usize = 20;
const CURRENCIES_WITHOUT_MINOR_UNIT: [&str; 3] = ["JPY", "KRW", "ISK"];

/// Writes a heading.
///
/// # Errors
/// If the report cannot be written.
pub fn heading(out: &mut impl Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{text}\n{}", "─".repeat(text.chars().count()))
}

/// An empty table.
#[must_use]
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    let rule = LineStyle::none().fill('─');
    table.load_style(presets::NOTHING.header_separator(rule)).set_header(header.to_vec());
    table
}

/// Aligns the numbers of a column.
pub fn align_right(table: &mut Table, column: usize) {
    if let Some(column) = table.column_mut(column) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

/// An amount of minor units in the currency's own units, with commas between thousands.
#[must_use]
pub fn money(minor: i64, currency: &str) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let minor = minor.unsigned_abs();
    if CURRENCIES_WITHOUT_MINOR_UNIT.contains(&currency) {
        return format!("{sign}{}", grouped(minor));
    }
    format!("{sign}{}.{:02}", grouped(minor / 100), minor % 100)
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A row of latencies in milliseconds: the name, the count, p50, p90, p99 and the longest.
#[must_use]
pub fn percentiles(name: &str, took: Vec<Duration>) -> Vec<String> {
    let mut row = vec![name.to_owned(), took.len().to_string()];
    if let Some(latency) = Latency::of(took) {
        let shown = [latency.p50, latency.p90, latency.p99, latency.longest];
        row.extend(shown.map(|duration| duration.as_millis().to_string()));
    }
    row
}

/// Reports the duration of each step of the demo.
///
/// # Errors
/// If the report cannot be written.
pub fn steps(out: &mut impl Write, steps: &[(&str, Duration)]) -> io::Result<()> {
    let seconds = |(name, time): &(&str, Duration)| format!("{name} {:.1} s", time.as_secs_f64());
    let steps: Vec<_> = steps.iter().map(seconds).collect();
    writeln!(out, "\nSteps: {}", steps.join(", "))
}

/// Ends the report with the differences, or with `equal` if there are none.
///
/// # Errors
/// If the report cannot be written.
pub fn closing(out: &mut impl Write, equal: &str, differences: &[String]) -> io::Result<()> {
    writeln!(out)?;
    if differences.is_empty() {
        return writeln!(out, "{equal}");
    }
    let count = differences.len();
    writeln!(out, "{count} {}:", if count == 1 { "difference" } else { "differences" })?;
    for difference in differences.iter().take(MOST_DIFFERENCES) {
        writeln!(out, "- {difference}")?;
    }
    match differences.len().saturating_sub(MOST_DIFFERENCES) {
        0 => Ok(()),
        more => writeln!(out, "- and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::money;

    #[test]
    fn money_reads_in_the_currency_s_own_units() {
        assert_eq!(money(123_456_705, "EUR"), "1,234,567.05");
        assert_eq!(money(1_234, "JPY"), "1,234");
        assert_eq!(money(-50, "EUR"), "-0.50");
    }
}
