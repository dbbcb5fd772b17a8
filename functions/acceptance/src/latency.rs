//! Percentiles.

use std::time::Duration;

/// The percentiles that the report shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// Half of the measurements took no longer.
    pub p50: Duration,
    /// 90 of 100 measurements took no longer.
    pub p90: Duration,
    /// 99 of 100 measurements took no longer.
    pub p99: Duration,
    /// The longest measurement.
    pub longest: Duration,
}

impl Latency {
    /// Percentiles by nearest rank, so that each is a measured duration. `None` without measurements.
    #[must_use]
    pub fn of(mut measured: Vec<Duration>) -> Option<Self> {
        measured.sort_unstable();
        let longest = *measured.last()?;
        let rank = |percent: usize| measured[(measured.len() * percent).div_ceil(100).max(1) - 1];
        Some(Self { p50: rank(50), p90: rank(90), p99: rank(99), longest })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Latency;

    #[test]
    fn percentiles_are_measured_values() {
        let measured = (1..=200).rev().map(Duration::from_millis).collect();
        let latency = Latency::of(measured).expect("two hundred values");
        let millis =
            [latency.p50, latency.p90, latency.p99, latency.longest].map(|d| d.as_millis());
        assert_eq!(millis, [100, 180, 198, 200]);
    }

    #[test]
    fn one_value_is_every_percentile_and_none_has_none() {
        let one = Latency::of(vec![Duration::from_millis(7)]).expect("one value");
        assert_eq!((one.p50, one.p99), (one.longest, one.longest));
        assert_eq!(Latency::of(Vec::new()), None);
    }
}
