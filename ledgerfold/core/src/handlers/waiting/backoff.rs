use std::time::Duration;

use super::ExponentialWait;
use crate::ports::{Clock, Random};

/// A bounded number of attempts with waits between them. The wait has "full jitter": it is anywhere below an
/// [`ExponentialWait`], so that callers which collided do not collide again
/// (<https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/>).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    /// The number of attempts, including the first one.
    pub(crate) attempts: u32,
    /// The longest wait before each attempt.
    pub(crate) wait: ExponentialWait,
}

impl Backoff {
    /// Waits before this attempt, counted from 0. There is no wait before the first attempt.
    pub(crate) async fn wait(&self, attempt: u32, clock: &dyn Clock, random: &dyn Random) {
        if attempt > 0 {
            clock.sleep(jitter(random, self.wait.after(attempt))).await;
        }
    }
}

fn jitter(random: &dyn Random, longest: Duration) -> Duration {
    let mut bytes = [0; 4];
    random.fill(&mut bytes);
    longest.mul_f64(f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX))
}
