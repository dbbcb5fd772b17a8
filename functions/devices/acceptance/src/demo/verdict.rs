//! The comparison of sums from several sources.

use std::fmt;

/// The number and the sum of readings, as one source has them. Values are eighths, so the sums of floats are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    /// The number of readings.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
}

impl Sums {
    /// Adds some readings.
    pub fn add(&mut self, count: u64, sum: f64) {
        self.count += count;
        self.sum += sum;
    }
}

impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} readings with the sum {}", self.count, self.sum)
    }
}

/// The sums of one subject that were found equal to those of its input. It exists only if all are equal, so a program
/// that reports it cannot have overlooked a difference.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The sources, with the input first.
    pub sources: Vec<&'static str>,
    /// Their common sums.
    pub sums: Sums,
}

/// A source differs from the input.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{subject}: the input has {input}, but the {source_name} has {found}")]
pub struct Difference {
    /// What was summed.
    pub subject: String,
    /// The sums of the input.
    pub input: Sums,
    /// The name of the source.
    pub source_name: &'static str,
    /// Its sums.
    pub found: Sums,
}

impl Verdict {
    /// The verdict on a subject.
    ///
    /// # Errors
    /// The first source that differs from the input.
    pub fn on(
        subject: &str,
        input: Sums,
        sources: impl IntoIterator<Item = (&'static str, Sums)>,
    ) -> Result<Self, Difference> {
        let mut names = vec!["input"];
        for (source_name, found) in sources {
            if found != input {
                let subject = subject.to_owned();
                return Err(Difference { subject, input, source_name, found });
            }
            names.push(source_name);
        }
        Ok(Self { sources: names, sums: input })
    }
}

#[cfg(test)]
mod tests {
    use super::{Sums, Verdict};

    #[test]
    fn a_verdict_exists_only_if_all_sources_are_equal() {
        let sums = |count, sum| Sums { count, sum };
        let equal = Verdict::on("a", sums(2, 0.25), [("timeline", sums(2, 0.25))]);
        assert_eq!(equal.expect("they are equal").sources, ["input", "timeline"]);
        for other in [sums(3, 0.25), sums(2, 0.375), sums(0, 0.0)] {
            let sources = [("timeline", sums(2, 0.25)), ("rollup", other)];
            let difference = Verdict::on("a", sums(2, 0.25), sources).expect_err("they differ");
            assert_eq!((difference.source_name, difference.found), ("rollup", other));
        }
    }
}
