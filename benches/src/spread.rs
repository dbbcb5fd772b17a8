//! Statistics of repeated measurements.

use std::fmt;

/// Median, lowest and highest value over the repetitions.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

impl Spread {
    /// `None` without values.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let low = *values.first()?;
        let high = *values.last()?;
        Some(Self { low, median: quantile(&values, 50), high })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { low, median, high } = self;
        let digits = f.precision().unwrap_or(0);
        write!(f, "{median:.digits$} [{low:.digits$}–{high:.digits$}]")
    }
}

/// The value at this percentile of sorted values.
pub fn quantile(sorted: &[f64], percent: usize) -> f64 {
    sorted[(sorted.len() - 1) * percent / 100]
}
