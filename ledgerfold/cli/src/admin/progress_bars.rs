//! Progress of the segments of a rebuild or a build of claims, shown on a terminal.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use ledgerfold::{
    ports::{SegmentPlace, SegmentProgress},
    rebuild::Step,
};

/// One line on standard error for each segment of a projection or category.
pub(super) struct ProgressBars {
    lines: MultiProgress,
    /// A mutex because segments run concurrently and report through `&self`; each creates its bar on its
    /// first step, and `clear` removes them all.
    segments: Mutex<BTreeMap<(String, u32), ProgressBar>>,
}

impl ProgressBars {
    pub(super) fn new() -> Self {
        Self { lines: MultiProgress::new(), segments: Mutex::default() }
    }

    pub(super) fn show(&self, projection: &str, step: &Step) {
        match step {
            Step::Filled(progress) => self.segment(projection, "streams filled", progress),
            Step::Verified(progress) => self.segment(projection, "streams verified", progress),
            Step::Removed(items) => {
                let bar = self.line(projection, 0);
                bar.set_message(format!("{projection}: items removed"));
                bar.set_position(*items);
            }
        }
    }

    pub(super) fn segment(&self, name: &str, done: &str, progress: &SegmentProgress) {
        let SegmentProgress { index, of, streams, failed, at } = progress;
        let end = if *at == SegmentPlace::End { ", done" } else { "" };
        let failed = if *failed > 0 { format!(", {failed} failed") } else { String::new() };
        let segment = index + 1;
        let bar = self.line(name, *index);
        bar.set_message(format!("{name} {segment}/{of}: {done}{failed}{end}"));
        bar.set_position(*streams);
    }

    fn line(&self, projection: &str, segment: u32) -> ProgressBar {
        let mut segments = self.segments.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            let bar = self.lines.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}: {pos} ({elapsed})") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        };
        segments.entry((projection.to_owned(), segment)).or_insert_with(new).clone()
    }

    /// Removes the bars, so that text can be printed.
    pub(super) fn clear(&self) {
        let mut segments = self.segments.lock().unwrap_or_else(PoisonError::into_inner);
        for bar in std::mem::take(&mut *segments).into_values() {
            bar.finish_and_clear();
        }
    }
}
