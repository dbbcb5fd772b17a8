use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    ports::{Clock, Counter, CounterKey},
    project::{Comparison, Counts, ProjectError, Verifiable},
};

/// How often counters are read that differ, and how far apart. A transaction shows all of itself within
/// milliseconds, and within seconds where DynamoDB has to complete it for a node that failed.
const LOOKS: usize = 3;
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// Adds up the contributions of all streams to a tally, and compares the sum with its counters.
///
/// Counters are sums over all streams, so only a comparison of all streams counts, and only if nothing is counted
/// meanwhile.
#[derive(Clone, Debug)]
pub struct Counters {
    before: Vec<Counter>,
    expected: BTreeMap<CounterKey, BTreeMap<String, i128>>,
}

/// A verdict on a tally's counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CountersVerdict {
    /// They are the sum of all streams.
    Equal,
    /// They moved while the streams were compared, which proves nothing: audit again at a quiet time.
    Moved,
    /// They are not the sum of all streams.
    Differ(Vec<Difference>),
}

/// A counter that differs from the sum of all streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The group.
    pub key: CounterKey,
    /// The counter's name.
    pub counter: String,
    /// The sum of all streams.
    pub expected: i128,
    /// The counter.
    pub shown: i128,
}

impl Counters {
    /// Begins an audit of a model's counters; `None` if it has rows instead.
    ///
    /// # Errors
    /// [`ProjectError`] where the read table fails.
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

    /// Compares, once every stream was added. Counters that differ are read again a little later: a transaction may
    /// have shown one half of its counts when the streams were compared, and then the counters have moved once it
    /// shows the other half.
    ///
    /// # Errors
    /// [`ProjectError`] where the read table fails.
    pub async fn end(
        self,
        model: &dyn Verifiable,
        clock: &dyn Clock,
    ) -> Result<CountersVerdict, ProjectError> {
        let mut differences = Vec::new();
        for look in 0..LOOKS {
            if look > 0 {
                clock.sleep(BETWEEN_LOOKS).await;
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
        let there = shown.iter().flat_map(|counter| names(&counter.key, counter.amounts.keys()));
        let all: BTreeSet<_> = expected.chain(there).collect();
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
