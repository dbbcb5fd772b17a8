use std::{collections::BTreeSet, time::Duration};

use crate::{
    StreamId,
    ports::{Clock, Counter, CounterKey, Sums},
    project::{Comparison, Counts, ProjectError, Verifiable},
    vocabulary::OfTenant,
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
    before: Sums,
    expected: Sums,
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
    /// The group, with its tenant.
    pub key: OfTenant<CounterKey>,
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
        Ok(before.map(|before| Self { before: sums(before), expected: Sums::new() }))
    }

    /// Adds the contribution of a stream.
    pub fn add(&mut self, stream: &StreamId, comparison: &Comparison) {
        for (key, amounts) in comparison.counted.iter().flat_map(Counts::iter) {
            let key = OfTenant::of(stream, key.clone());
            let group = self.expected.entry(key).or_default();
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
            let shown = sums(model.counters().await?.unwrap_or_default());
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

    fn differences(&self, shown: &Sums) -> Vec<Difference> {
        let all: BTreeSet<_> = names(&self.expected).chain(names(shown)).collect();
        all.into_iter()
            .map(|(key, counter)| Difference {
                expected: sum(&self.expected, key, counter),
                shown: sum(shown, key, counter),
                key: key.clone(),
                counter: counter.clone(),
            })
            .filter(|difference| difference.expected != difference.shown)
            .collect()
    }
}

fn sums(counters: Vec<OfTenant<Counter>>) -> Sums {
    let by_key =
        |OfTenant { tenant, key: Counter { key, amounts } }| (OfTenant { tenant, key }, amounts);
    counters.into_iter().map(by_key).collect()
}

fn names(sums: &Sums) -> impl Iterator<Item = (&OfTenant<CounterKey>, &String)> {
    sums.iter().flat_map(|(key, amounts)| amounts.keys().map(move |counter| (key, counter)))
}

fn sum(sums: &Sums, key: &OfTenant<CounterKey>, counter: &str) -> i128 {
    sums.get(key).and_then(|amounts| amounts.get(counter)).copied().unwrap_or_default()
}
