//! The demo's progress: a bar on a terminal, otherwise a few lines.

use std::cell::Cell;
use std::fmt;
use std::io::{IsTerminal as _, stderr};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

// In a log, one line per quarter shows enough progress.
const QUARTERS: u64 = 4;

/// The progress of one part of the demo, on standard error.
#[derive(Debug)]
pub struct Progress {
    label: &'static str,
    total: u64,
    /// A cell because concurrent futures of one task advance it through `&self`.
    done: Cell<u64>,
    started: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Begins a part with this many steps.
    #[must_use]
    pub fn new(label: &'static str, total: u64) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let template = "{prefix:>12} {bar:30} {pos}/{len}  {rate}  {eta} left";
            let style = ProgressStyle::with_template(template)
                .expect("the template is well formed")
                .with_key("rate", |state: &ProgressState, text: &mut dyn fmt::Write| {
                    // The bar is drawn again, and then a failed write is repeated.
                    let _ = write!(text, "{:.0}/s", state.per_sec());
                });
            ProgressBar::new(total).with_style(style).with_prefix(label)
        });
        Self { label, total, done: Cell::new(0), started: Instant::now(), bar }
    }

    /// Advances by one step.
    pub fn step(&self) {
        self.reach(self.done.get() + 1);
    }

    /// Advances to this step.
    pub fn reach(&self, done: u64) {
        let before = self.done.replace(done);
        match &self.bar {
            Some(bar) => bar.set_position(done),
            None if self.quarter(before) < self.quarter(done) => self.print_line(done),
            None => {}
        }
    }

    /// Removes the bar.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    fn quarter(&self, done: u64) -> u64 {
        done * QUARTERS / self.total.max(1)
    }

    fn print_line(&self, done: u64) {
        let seconds = self.started.elapsed().as_secs_f64();
        eprintln!("{:>12} {done}/{} after {seconds:.1} s", self.label, self.total);
    }
}
