//! The report of several runs: a table, plots of characters, and a sentence for each limit that was reached.

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};

use crate::{Figures, Setting};

/// From this use on, a limit counts as reached: waits for it become longer and longer.
const REACHED: f64 = 0.9;

/// The widest bar of a plot.
const WIDTH: f64 = 40.0;

/// One run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its difference from the others, if it has one.
    pub name: String,
    /// Its setting.
    pub setting: Setting,
    /// Its results.
    pub figures: Figures,
}

/// A table with one row for each run.
pub fn table(runs: &[Run]) -> String {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header([
        "streams",
        "commands/s",
        "",
        "requests",
        "write units",
        "read units",
        "USD/million",
        "command ms",
        "query ms",
        "visible ms",
        "throttled",
        "functions",
        "most used limit",
    ]);
    for column in table.column_iter_mut().skip(3).take(9) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for Run { name, setting, figures } in runs {
        table.add_row([
            power(setting.streams),
            setting.rate.to_string(),
            name.clone(),
            format!("{:.2}", figures.all_requests()),
            format!("{:.2}", figures.write_units),
            format!("{:.2}", figures.read_units),
            format!("{:.2}", figures.price),
            both(figures.command),
            both(figures.query),
            both(figures.visible),
            format!("{:.1} %", figures.throttled * 100.0),
            format!("{:.0}", figures.functions.ceil()),
            figures.limits.first().map(used).unwrap_or_default(),
        ]);
    }
    table.to_string()
}

/// Bars of one figure, as long as the figure is large.
pub fn bars<'a>(
    title: &str,
    runs: impl IntoIterator<Item = &'a Run>,
    figure: impl Fn(&Figures) -> f64,
) -> String {
    let rows: Vec<_> = runs
        .into_iter()
        .map(|run| {
            (
                format!("{} at {}/s", power(run.setting.streams), run.setting.rate),
                figure(&run.figures),
            )
        })
        .collect();
    let most = rows.iter().map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max);
    let bar = |(label, value): &(String, f64)| {
        let long = Duration::from_secs_f64((value / most * WIDTH).max(0.0)).as_secs();
        let bar = "#".repeat(usize::try_from(long).unwrap_or_default());
        format!("  {label:>14} |{bar} {value:.1}\n")
    };
    format!("{title}\n{}", rows.iter().map(bar).collect::<String>())
}

/// The limits that a run reaches, in one sentence.
pub fn first_limit(run: &Run) -> String {
    let Run { name, setting, figures } = run;
    let place =
        format!("{} streams, {} commands/s{}", power(setting.streams), setting.rate, label(name));
    let reached: Vec<_> = figures.limits.iter().filter(|(_, used)| *used >= REACHED).collect();
    let mut sentence = match (reached.as_slice(), figures.limits.first()) {
        ([], Some(most)) => format!("{place}: nothing is saturated. Most used: {}.", used(most)),
        (reached, _) => {
            let names: Vec<_> = reached.iter().map(|limit| used(limit)).collect();
            format!("{place}: saturated: {}.", names.join("; "))
        }
    };
    if figures.failed > 0 {
        sentence += &format!(" {} of {} commands failed.", figures.failed, figures.commands);
    }
    if figures.backlog > Duration::from_secs(2) {
        let backlog = figures.backlog.as_secs_f64();
        let load = setting.load.as_secs_f64();
        sentence += &format!(" After {load:.0} s of load, queues were empty {backlog:.1} s later.");
    }
    if figures.missing > 0 {
        sentence += &format!(" {} commits were not visible even then.", figures.missing);
    }
    sentence
}

fn label(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!(" ({name})") }
}

fn used((limit, used): &(String, f64)) -> String {
    format!("{limit}, {:.0} %", used * 100.0)
}

fn both([half, most]: [Duration; 2]) -> String {
    let millis = |time: Duration| time.as_secs_f64() * 1_000.0;
    format!("{:.0} / {:.0}", millis(half), millis(most))
}

/// A power of ten as such.
fn power(number: u64) -> String {
    let digits = number.checked_ilog10().unwrap_or_default();
    if number == 10_u64.pow(digits) { format!("10^{digits}") } else { number.to_string() }
}
