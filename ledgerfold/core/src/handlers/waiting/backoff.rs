use std::time::Duration;

use crate::ports::{Clock, Random};

/// Waiting before another attempt: "full jitter" below a bound that doubles, so that those who
/// collided do not collide again
/// (<https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/>).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    /// How often something is tried, the first time included.
    pub(crate) attempts: u32,
    /// The bound of the first wait.
    pub(crate) first: Duration,
    /// No wait is longer.
    pub(crate) longest: Duration,
}

impl Backoff {
    /// Waits before this attempt, counted from 0; the first is not waited for.
    pub(crate) async fn wait(&self, attempt: u32, clock: &dyn Clock, random: &dyn Random) {
        let Some(doublings) = attempt.checked_sub(1) else {
            return;
        };
        let bound = self.first.saturating_mul(1 << doublings.min(16)).min(self.longest);
        clock.sleep(jitter(random, bound)).await;
    }
}

fn jitter(random: &dyn Random, bound: Duration) -> Duration {
    let mut bytes = [0; 4];
    random.fill(&mut bytes);
    bound.mul_f64(f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX))
}
