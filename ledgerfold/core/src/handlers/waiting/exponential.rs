use std::time::Duration;

/// A wait that doubles with each failed attempt, up to a longest wait.
///
/// ```
/// # use std::time::Duration;
/// # use ledgerfold::waiting::ExponentialWait;
/// let wait = ExponentialWait::new(Duration::from_secs(1), Duration::from_secs(5));
/// let seconds = [0, 1, 2, 3, 4].map(|failures| wait.after(failures).as_secs());
/// assert_eq!(seconds, [0, 1, 2, 4, 5]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ExponentialWait {
    first: Duration,
    longest: Duration,
}

impl ExponentialWait {
    /// A wait of `first` after one failed attempt, and of at most `longest` after many.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// The wait after this many failed attempts; none after no failure.
    pub fn after(&self, failures: u32) -> Duration {
        let doubled = |doublings: u32| self.first.saturating_mul(1 << doublings.min(16));
        failures.checked_sub(1).map_or(Duration::ZERO, doubled).min(self.longest)
    }
}
