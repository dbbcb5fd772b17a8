use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    ports::{Clock, Counter, CounterKey},
    project::{Comparison, Counts, ProjectError, Verifiable},
};

/// How often differing counters are read. A transaction becomes visible step by step, normally within milliseconds.
/// If a node fails, DynamoDB completes the transaction within seconds.
const READS: usize = 3;
/// The wait between two reads.
const BETWEEN_READS: Duration = Duration::from_secs(2);

/// Adds up the contributions of all streams to a tally, and compares the sums with its counters.
///
/// Counters are sums over all streams. So the comparison is only valid if it covers all streams, and if nothing is
/// counted meanwhile.
#[derive(Clone, Debug)]
pub struct Counters {
    before: Vec<Counter>,
    expected: BTreeMap<CounterKey, BTreeMap<String, i128>>,
}

/// The verdict on a tally's counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CountersVerdict {
    /// The counters are the sums over all streams.
    Equal,
    /// The counters changed during the comparison, so it proves nothing. Repeat it at a quiet time.
    Moved,
    /// Some counters are not the sum over all streams.
    Differ(Vec<Difference>),
}

/// A counter that differs from the sum over all streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The group.
    pub key: CounterKey,
    /// The counter's name.
    pub counter: String,
    /// The sum over all streams.
    pub expected: i128,
    /// The counter's value.
    pub shown: i128,
}

impl Counters {
    /// Begins a comparison of a model's counters; `None` if the model has rows.
    ///
    /// # Errors
    /// [`ProjectError`] if the read table fails.
    pub async fn begin(model: &dyn Verifiable) -> Result<Option<Self>, ProjectError> {
        let before = model.counters().await?;
        Ok(before.map(|before| Self { before, expected: BTreeMap::new() }))
    }

    /// Adds the contribution of a stream.
    pub fn add(&mut self, comparison: &Comparison) {
        for (key, amounts) in comparison.counted.iter().flat_map(Counts::iter) {
            let group = self.expected.entry(key.clone()).or_default();
            for (counter, amount) in amounts {
                *group.entry(counter.clone()).or_default() += i128::from(*amount);
            }
        }
    }

    /// Compares the counters. Call it after every stream was added. Differing counters are read again a little later: a
    /// transaction may have been half visible during the comparison. When its other half becomes visible, the counters
    /// have changed.
    ///
    /// # Errors
    /// [`ProjectError`] if the read table fails.
    pub async fn end(
        self,
        model: &dyn Verifiable,
        clock: &dyn Clock,
    ) -> Result<CountersVerdict, ProjectError> {
        let mut differences = Vec::new();
        for read in 0..READS {
            if read > 0 {
                clock.sleep(BETWEEN_READS).await;
            }
            let shown = model.counters().await?.unwrap_or_default();
            if shown != self.before {
                return Ok(CountersVerdict::Moved);
            }
            differences = self.differences(&shown);
            if differences.is_empty() {
                return Ok(CountersVerdict::Equal);
            }
        }
        Ok(CountersVerdict::Differ(differences))
    }

    fn differences(&self, shown: &[Counter]) -> Vec<Difference> {
        let expected = self.expected.iter().flat_map(|(key, amounts)| names(key, amounts.keys()));
        let stored = shown.iter().flat_map(|counter| names(&counter.key, counter.amounts.keys()));
        let all: BTreeSet<_> = expected.chain(stored).collect();
        all.into_iter()
            .map(|(key, counter)| Difference {
                expected: self
                    .expected
                    .get(key)
                    .and_then(|group| group.get(counter))
                    .copied()
                    .unwrap_or_default(),
                shown: shown
                    .iter()
                    .find(|group| group.key == *key)
                    .and_then(|group| group.amounts.get(counter))
                    .copied()
                    .unwrap_or_default(),
                key: key.clone(),
                counter: counter.clone(),
            })
            .filter(|difference| difference.expected != difference.shown)
            .collect()
    }
}

fn names<'a>(
    key: &'a CounterKey,
    counters: impl Iterator<Item = &'a String>,
) -> impl Iterator<Item = (&'a CounterKey, &'a String)> {
    counters.map(move |counter| (key, counter))
}
