//! The table of COMPARE.md.

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};

use crate::measure::{Contestant, Figures};

const BEGIN: &str = "<!-- make coldstart: begin -->";
const END: &str = "<!-- make coldstart: end -->";

/// The figures of all contestants as a table. The first contestant is the floor.
pub(crate) fn table(contestants: &[Contestant], all: &[Figures], runs: usize) -> String {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header([
        "",
        "ready ms",
        "p99",
        "by floor",
        "answered ms",
        "p99",
        "handshakes",
        "resident MB",
        "size MB",
        "M instructions",
    ]);
    let floor = all.first().map_or(1.0, |floor| milliseconds(median(&floor.ready)));
    for (contestant, figures) in contestants.iter().zip(all) {
        let ready = milliseconds(median(&figures.ready));
        table.add_row([
            contestant.name.clone(),
            format!("{ready:.1}"),
            format!("{:.1}", milliseconds(percentile(&figures.ready, 99))),
            format!("{:.2}", ready / floor),
            format!("{:.1}", milliseconds(median(&figures.answered))),
            format!("{:.1}", milliseconds(percentile(&figures.answered, 99))),
            figures.handshakes.to_string(),
            megabytes(median(&figures.resident)),
            megabytes(figures.bytes),
            figures.instructions.map_or("–".to_owned(), megabytes),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!(
        "{runs} interleaved starts of each program, median and 99th percentile. `ready` is the time from the start of \
         the process to its first request for work, `answered` that to the answer to its first event, and `handshakes` counts those of TLS between the event \
         and its answer.\n\n{table}\n"
    )
}

/// The document with this text between its marks. `None` if it has no marks.
pub(crate) fn with_text(document: &str, text: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{text}\n{END}{after}"))
}

fn median<T: Copy + Ord + Default>(values: &[T]) -> T {
    percentile(values, 50)
}

/// The nearest rank: the smallest value that is not exceeded by this share of the values.
fn percentile<T: Copy + Ord + Default>(values: &[T], percent: usize) -> T {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Millions with one decimal.
fn megabytes(count: u64) -> String {
    let tenths = count.div_ceil(100_000);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::{percentile, with_text};

    #[test]
    fn a_percentile_is_a_value_of_the_sample() {
        let values: Vec<u32> = (1..=50).rev().collect();
        assert_eq!((percentile(&values, 50), percentile(&values, 99)), (25, 50));
        assert_eq!(percentile::<u32>(&[], 50), 0);
    }

    #[test]
    fn the_text_replaces_what_is_between_the_marks() {
        let document = "a\n<!-- make coldstart: begin -->\nold\n<!-- make coldstart: end -->\nb";
        let new = "a\n<!-- make coldstart: begin -->\n\nnew\n\n<!-- make coldstart: end -->\nb";
        assert_eq!(with_text(document, "new\n").as_deref(), Some(new));
        assert_eq!(with_text("a", "new"), None);
    }
}
