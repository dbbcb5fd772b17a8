//! Durations, and when a commit becomes visible in its row.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ledgerfold::{StreamId, Version};

/// Durations of one kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Durations(Vec<Duration>);

impl Durations {
    pub(crate) fn add(&mut self, duration: Duration) {
        self.0.push(duration);
    }

    /// The duration that this share of them does not exceed.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let place = Duration::from_secs(u64::try_from(sorted.len()).unwrap_or(u64::MAX));
        let place = usize::try_from(place.mul_f64(share).as_secs()).unwrap_or(usize::MAX);
        sorted.get(place).or(sorted.last()).copied().unwrap_or_default()
    }
}

/// The commands whose commits are not in their rows yet.
#[derive(Default)]
pub(crate) struct Visible(Mutex<State>);

#[derive(Default)]
struct State {
    /// The rows' versions. A row may be newer than the answer of the command.
    shown: HashMap<StreamId, (Version, Duration)>,
    /// By stream and version, when the command was sent.
    waiting: HashMap<StreamId, BTreeMap<Version, Duration>>,
    durations: Durations,
}

impl Visible {
    /// A command that was sent at this time has committed this version.
    pub(crate) fn expect(&self, stream: &StreamId, version: Version, sent: Duration) {
        let mut state = self.lock();
        match state.shown.get(stream).copied() {
            Some((shown, at)) if shown >= version => state.durations.add(at.saturating_sub(sent)),
            _ => {
                state.waiting.entry(stream.clone()).or_default().insert(version, sent);
            }
        }
    }

    /// The row shows this version now.
    pub(crate) fn show(&self, stream: &StreamId, version: Version, now: Duration) {
        let mut state = self.lock();
        state.shown.insert(stream.clone(), (version, now));
        let Some(mut waiting) = state.waiting.remove(stream) else { return };
        let later = waiting.split_off(&version.next());
        for sent in waiting.into_values() {
            state.durations.add(now.saturating_sub(sent));
        }
        if !later.is_empty() {
            state.waiting.insert(stream.clone(), later);
        }
    }

    pub(crate) fn durations(&self) -> Durations {
        self.lock().durations.clone()
    }

    /// How many commits are in no row.
    pub(crate) fn missing(&self) -> usize {
        self.lock().waiting.values().map(BTreeMap::len).sum()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
