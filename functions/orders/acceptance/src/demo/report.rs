//! The demo's report: plain tables of less than a hundred columns, without colours.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use acceptance::report::{align_right, heading, money, percentiles, table};

use super::dashboard::ByCurrency;
use super::drive::{OrderRun, Outcome};
use super::script::{Line, Script};
use super::speed::Sent;
use crate::model::Figures;
use ledgerfold_testkit::http::Stack;

pub(super) fn opening(
    out: &mut impl Write,
    stack: &Stack,
    input: &Path,
    scripts: &[Script],
) -> io::Result<()> {
    let lines: usize = scripts.iter().map(|script| script.lines.len()).sum();
    let file = input.file_name().unwrap_or(input.as_os_str()).to_string_lossy();
    writeln!(out, "Ledgerfold: orders through its HTTP API")?;
    writeln!(out, "  service  {}", stack.contexts["orders"].api)?;
    writeln!(out, "  input    {file}: {lines} commands for {} orders", scripts.len())
}

/// Reports the commands. Returns those with an unexpected answer.
pub(super) fn commands(
    out: &mut impl Write,
    runs: &[OrderRun],
    took: Duration,
) -> io::Result<Vec<String>> {
    let mut tally = Tally::default();
    for run in runs {
        tally.add(run);
    }
    let seconds = took.as_secs_f64();
    heading(out, "Commands")?;
    writeln!(out, "  {} sent in {seconds:.1} s, different orders at the same time", tally.sent)?;
    let mut table = table(&["answer", "commands", "reason"]);
    align_right(&mut table, 1);
    for ((status, reason), count) in &tally.answers {
        table.add_row([status.to_string(), count.to_string(), reason.clone()]);
    }
    writeln!(out, "{table}")?;
    writeln!(
        out,
        "  {} sent again; {} of them answered as the first time in status, body, ETag, Location\n  \
         and Consistency-Token",
        tally.repeated, tally.repeated_alike
    )?;
    Ok(tally.differences)
}

#[derive(Default)]
struct Tally {
    sent: usize,
    answers: BTreeMap<(u16, String), usize>,
    repeated: usize,
    repeated_alike: usize,
    differences: Vec<String>,
}

impl Tally {
    fn add(&mut self, run: &OrderRun) {
        for (index, (line, outcome)) in run.script.lines.iter().zip(&run.outcomes).enumerate() {
            self.sent += 1;
            if !outcome.is_expected(line) {
                self.differences.push(unexpected(line, outcome));
            }
            match run.script.repeated_by(index).map(|first| &run.outcomes[first]) {
                Some(first) => self.add_repeat(line, outcome, first),
                None => {
                    let key = (outcome.answer.status, reason(outcome));
                    *self.answers.entry(key).or_default() += 1;
                }
            }
        }
        let unsent = run.script.lines.len() - run.outcomes.len();
        if unsent > 0 {
            self.differences.push(format!("{}: {unsent} commands not sent", run.script.order));
        }
    }

    fn add_repeat(&mut self, line: &Line, outcome: &Outcome, first: &Outcome) {
        self.repeated += 1;
        if outcome.answer == first.answer {
            self.repeated_alike += 1;
        } else {
            self.differences.push(format!(
                "{} sent again was answered otherwise\n  first: {:?}\n  again: {:?}",
                line.key, first.answer, outcome.answer
            ));
        }
    }
}

fn reason(outcome: &Outcome) -> String {
    outcome.problem.clone().unwrap_or_else(|| "accepted".to_owned())
}

fn unexpected(line: &Line, outcome: &Outcome) -> String {
    let expected = line.expect.problem.as_deref().unwrap_or_default();
    format!(
        "{} ({}): expected {} {expected}, got {} {}",
        line.key, line.command, line.expect.status, outcome.answer.status, outcome.answer.body
    )
}

/// Reports the dashboard beside the expected figures. Returns the currencies with a difference.
pub(super) fn dashboard(
    out: &mut impl Write,
    expected: &ByCurrency,
    shown: &ByCurrency,
) -> io::Result<Vec<String>> {
    heading(out, "Dashboard: figures added by this run, and the same computed from the input")?;
    let header =
        ["currency", "source", "placed", "paid", "shipped", "delivered", "cancelled", "revenue"];
    let mut table = table(&header);
    (2..header.len()).for_each(|column| align_right(&mut table, column));
    let mut differences = Vec::new();
    let mut currencies: Vec<_> = expected.keys().chain(shown.keys()).collect();
    currencies.sort_unstable();
    currencies.dedup();
    for currency in currencies {
        let of = |figures: &ByCurrency| figures.get(currency).copied().unwrap_or_default();
        table.add_row(figure_row(currency, "dashboard", of(shown)));
        table.add_row(figure_row(currency, "input", of(expected)));
        if of(shown) != of(expected) {
            differences.push(format!("the dashboard in {currency} differs from the input"));
        }
    }
    writeln!(out, "{table}")?;
    Ok(differences)
}

fn figure_row(currency: &str, source: &str, figures: Figures) -> [String; 8] {
    [
        currency.to_owned(),
        source.to_owned(),
        figures.placed.to_string(),
        figures.paid.to_string(),
        figures.shipped.to_string(),
        figures.delivered.to_string(),
        figures.cancelled.to_string(),
        money(figures.revenue, currency),
    ]
}

pub(super) fn latencies(
    out: &mut impl Write,
    runs: &[OrderRun],
    queries: &[Duration],
    projecting: Duration,
) -> io::Result<()> {
    heading(out, "Latency, in milliseconds")?;
    let commands = runs.iter().flat_map(|run| &run.outcomes).map(|outcome| outcome.took).collect();
    let mut table = table(&["", "count", "p50", "p90", "p99", "longest"]);
    (1..6).for_each(|column| align_right(&mut table, column));
    for (name, took) in [("commands", commands), ("queries", queries.to_vec())] {
        table.add_row(percentiles(name, took));
    }
    writeln!(out, "{table}")?;
    let seconds = projecting.as_secs_f64();
    writeln!(out, "  from the last answer to everything on the dashboard: {seconds:.1} s")
}

/// Reports the rates of answers and projections, by number of clients.
pub(super) fn speed(out: &mut impl Write, measured: &[(&str, &Sent)]) -> io::Result<()> {
    heading(out, "Commands: latency in milliseconds, and rates a second")?;
    let mut table =
        table(&["", "count", "p50", "p90", "p99", "longest", "answered/s", "projected/s"]);
    (1..8).for_each(|column| align_right(&mut table, column));
    for (name, sent) in measured {
        let count = u32::try_from(sent.took.len()).map_or(f64::MAX, f64::from);
        let mut row = percentiles(name, sent.took.clone());
        row.extend([sent.answered, sent.projected].map(|time| {
            let rate = count / time.as_secs_f64();
            format!("{rate:.1}")
        }));
        table.add_row(row);
    }
    writeln!(out, "{table}")
}

pub(super) fn replay(
    out: &mut impl Write,
    took: Duration,
    backlog: u64,
    compared: usize,
    differences: usize,
) -> io::Result<()> {
    heading(out, "Replay of the archive over the whole run")?;
    let seconds = took.as_secs_f64();
    writeln!(out, "  replayed and projected in {seconds:.1} s; at most {backlog} messages waited")?;
    writeln!(out, "  {compared} views and lists and the dashboard compared: {differences} differ")
}
