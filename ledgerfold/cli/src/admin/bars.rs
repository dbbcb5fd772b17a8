//! How far the segments of a rebuild or a build have come, where somebody is looking.

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

/// A line for each segment of a projection or category, on standard error.
pub(super) struct Bars {
    lines: MultiProgress,
    segments: Mutex<BTreeMap<(String, u32), ProgressBar>>,
}

impl Bars {
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

    /// Makes room for what is said next.
    pub(super) fn clear(&self) {
        let mut segments = self.segments.lock().unwrap_or_else(PoisonError::into_inner);
        for bar in std::mem::take(&mut *segments).into_values() {
            bar.finish_and_clear();
        }
    }
}
