use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::{Timestamp, ports::Clock};

/// Limits work to a number of pieces per second. Concurrent tasks can share one limit.
///
/// ```
/// # use std::num::NonZeroU32;
/// # use ledgerfold::{ports::Clock, waiting::RateLimit};
/// # async fn slowly(clock: &dyn Clock, streams: &[u8]) {
/// let pace = RateLimit::new(NonZeroU32::new(50), clock);
/// for stream in streams {
///     pace.take(1).await;
///     // …
/// }
/// # }
/// ```
pub struct RateLimit<'a> {
    clock: &'a dyn Clock,
    per_second: Option<NonZeroU32>,
    begun: Timestamp,
    taken: AtomicU64,
}

impl<'a> RateLimit<'a> {
    /// A limit of this many pieces per second from now on; no limit if it is `None`.
    pub fn new(per_second: Option<NonZeroU32>, clock: &'a dyn Clock) -> Self {
        Self { clock, per_second, begun: clock.now(), taken: AtomicU64::new(0) }
    }

    /// Waits until this many more pieces may be processed.
    pub async fn take(&self, pieces: usize) {
        let Some(per_second) = self.per_second else { return };
        let pieces = u64::try_from(pieces).unwrap_or(u64::MAX);
        let before = self.taken.fetch_add(pieces, Ordering::Relaxed);
        let due = Duration::from_millis(before.saturating_mul(1_000) / u64::from(per_second.get()));
        let passed = self.clock.now().duration_since(self.begun);
        // If the clock was set back, no time counts as passed.
        let passed = Duration::try_from(passed).unwrap_or_default();
        if let Some(left) = due.checked_sub(passed).filter(|left| !left.is_zero()) {
            self.clock.sleep(left).await;
        }
    }
}
