//! Exact sums of floats. Their order does not matter, so sums of two streams, of a rebuild and of the input are equal to
//! the last bit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A sum of finite floats, without rounding: the sum of its terms, of which no two overlap
/// (Shewchuk, "Adaptive Precision Floating-Point Arithmetic", 1997).
///
/// ```
/// # use devices::read_models::sum::ExactSum;
/// let mut sum = ExactSum::default();
/// [1e100, 1.0, -1e100].into_iter().for_each(|it| sum.add(it));
/// assert_eq!(sum.rounded(), Some(1.0));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExactSum {
    /// By ascending magnitude. At most about 40, because each covers 53 of 2,098 bits.
    terms: Vec<f64>,
    /// Whether a partial sum left the range of floats. It stays unknown then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    overflown: bool,
}

impl ExactSum {
    /// Adds a finite float.
    pub fn add(&mut self, float: f64) {
        let mut carry = float;
        let mut terms = Vec::with_capacity(self.terms.len() + 1);
        for term in &self.terms {
            let (large, small) =
                if carry.abs() < term.abs() { (*term, carry) } else { (carry, *term) };
            carry = large + small;
            let error = small - (carry - large);
            if error != 0.0 {
                terms.push(error);
            }
        }
        if carry != 0.0 {
            terms.push(carry);
        }
        self.overflown |= !carry.is_finite();
        self.terms = if self.overflown { Vec::new() } else { terms };
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: &Self) {
        self.overflown |= other.overflown;
        other.terms.iter().for_each(|term| self.add(*term));
        if self.overflown {
            self.terms.clear();
        }
    }

    /// The nearest float; `None` if the sum left the range of floats.
    pub fn rounded(&self) -> Option<f64> {
        if self.overflown {
            return None;
        }
        let mut rest = self.terms.iter().rev().copied();
        let mut high = rest.next().unwrap_or(0.0);
        for term in rest.by_ref() {
            let sum = high + term;
            let error = term - (sum - high);
            high = sum;
            if error != 0.0 {
                // Halfway between two floats, the next term decides the direction.
                let next = rest.next().unwrap_or(0.0);
                let twice = error * 2.0;
                let other = high + twice;
                if error * next > 0.0 && other - high == twice {
                    return Some(other);
                }
                return Some(high);
            }
        }
        Some(high)
    }
}

#[cfg(test)]
mod tests {
    use super::ExactSum;

    fn sum(floats: impl IntoIterator<Item = f64>) -> ExactSum {
        let mut sum = ExactSum::default();
        floats.into_iter().for_each(|float| sum.add(float));
        sum
    }

    #[test]
    fn a_sum_is_rounded_once() {
        assert_eq!(sum([0.1; 10]).rounded(), Some(1.0));
        assert_eq!(sum([]).rounded(), Some(0.0));
        let half = f64::EPSILON / 2.0;
        assert_eq!(sum([1.0, half]).rounded(), Some(1.0), "halfway, to the even float");
        assert_eq!(sum([1.0, half, 1e-300]).rounded(), Some(1.0 + f64::EPSILON), "above halfway");
        assert_eq!(sum([1.0, half, -1e-300]).rounded(), Some(1.0), "below halfway");
    }

    #[test]
    fn the_order_and_the_grouping_do_not_matter() {
        let floats = [1e308, -3.7, 5e-324, 1e-9, 2.5e10, -1e308, 0.1, 7e200, -0.1, 1e16, 1.0];
        let expected = sum(floats).rounded();
        for split in 0..floats.len() {
            let (one, other) = floats.split_at(split);
            let mut merged = sum(other.iter().rev().copied());
            merged.merge(&sum(one.iter().copied()));
            assert_eq!(merged.rounded(), expected, "split at {split}");
        }
    }

    #[test]
    fn a_sum_beyond_the_range_is_unknown_and_stays_so() {
        let mut large = sum([f64::MAX, f64::MAX]);
        large.add(-f64::MAX);
        assert_eq!(large.rounded(), None);
        let mut other = sum([1.0]);
        other.merge(&large);
        assert_eq!(other.rounded(), None);
        let text = serde_json::to_string(&other).expect("it is JSON");
        assert_eq!(serde_json::from_str::<ExactSum>(&text).expect("a sum"), other);
    }
}
