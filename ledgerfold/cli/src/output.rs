//! Output of commands: tables for people, JSON for programs, progress on standard error.

use std::{
    fmt::Write as _,
    io::{self, BufRead, Write},
    time::Duration,
};

use comfy_table::{Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::{error::CliError, target::TargetOptions};

/// The result of a command, in both forms.
pub(crate) trait Report: Serialize {
    /// For people, with a line feed at the end.
    fn text(&self) -> String;

    /// A hint for people, for example how to continue. It goes to standard error, because other programs may read the
    /// text on standard output.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// Standard output, with the form that the caller chose.
pub(crate) struct Output {
    json: bool,
    out: Box<dyn Write + Send>,
}

impl Output {
    pub(crate) fn of(options: &TargetOptions) -> Self {
        Self { json: options.json, out: Box::new(io::stdout()) }
    }

    /// For text that is written piece by piece and is the same in both forms.
    pub(crate) fn writer(&mut self) -> &mut (dyn Write + Send) {
        &mut *self.out
    }

    /// Writes text that is the same in both forms.
    pub(crate) fn write(&mut self, text: &[u8]) -> Result<(), CliError> {
        self.out.write_all(text)?;
        Ok(self.out.flush()?)
    }

    pub(crate) fn report(&mut self, report: &impl Report) -> Result<(), CliError> {
        self.write(rendered(report, self.json)?.as_bytes())?;
        if let (Some(hint), false) = (report.hint(), self.json) {
            eprintln!("{hint}");
        }
        Ok(())
    }
}

pub(crate) fn rendered(report: &impl Report, json: bool) -> Result<String, io::Error> {
    if !json {
        return Ok(report.text());
    }
    let mut text = serde_json::to_string(report)?;
    text.push('\n');
    Ok(text)
}

/// A plain table of text.
pub(crate) fn table<const COLUMNS: usize>(
    header: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    let mut text = String::new();
    for line in table.lines() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// The hint of a list that has more.
pub(crate) fn more_from(place: &str) -> String {
    format!("There are more: --from {place}")
}

/// Shows progress without a known end on standard error, if that is a terminal.
pub(crate) fn progress(label: &'static str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(label);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}: {pos} ({elapsed})") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Shows progress towards a known end on standard error, if that is a terminal.
pub(crate) fn progress_to(end: u64, label: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(end).with_message(label);
    if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:30}] {percent} % ({elapsed})") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Asks before an irreversible change.
pub(crate) fn confirm(question: &str, yes: bool) -> Result<(), CliError> {
    if yes {
        return Ok(());
    }
    eprint!("{question} [yes/no] ");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if answer.trim() == "yes" { Ok(()) } else { Err(CliError::NotConfirmed) }
}
