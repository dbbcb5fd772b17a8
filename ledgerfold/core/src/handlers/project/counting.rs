//! Adds the counts of many streams with few transactions: one for each shard of the counters, with summed additions.
//!
//! All counters of a shard are the same items for every stream, so transactions on one shard collide. The shards are
//! visited in a circle, and a transaction that met another one is sent again at once: the other one has then moved on to
//! the next shard, and both continue one after the other without meeting again.

use std::collections::{BTreeMap, VecDeque};

use crate::{
    StreamId,
    ports::{Added, Count, CounterShard, CountsOfShard, ReadStoreError, TallyStore, Written},
};

/// The number of attempts for a transaction that meets others. Each attempt is a round trip.
const ATTEMPTS: u32 = 20;

/// The result for one stream.
type Outcome = Result<Written, ReadStoreError>;

/// Adds these counts. The results are in the order of the counts. A count is superseded if the memo of its stream has
/// another version, or if other writers were busy on every attempt.
pub(super) async fn add_all(store: &dyn TallyStore, counts: Vec<Count>) -> Vec<Outcome> {
    let streams: Vec<_> = counts.iter().map(|count| count.stream().clone()).collect();
    let mut outcomes = Outcomes::default();
    let mut waiting: VecDeque<_> = together(counts, &mut outcomes).into();
    while let Some((counts, attempt)) = waiting.pop_front() {
        match store.add(&counts).await {
            Ok(Added::Done) => outcomes.written(&counts, Written::Done),
            Ok(Added::Superseded(streams)) => {
                let before = counts.counts().len();
                let rest = counts.without(&streams);
                streams
                    .into_iter()
                    .for_each(|stream| outcomes.add(stream, Ok(Written::Superseded)));
                waiting.extend(
                    rest.filter(|rest| rest.counts().len() < before).map(|rest| (rest, attempt)),
                );
            }
            Ok(Added::Busy) if attempt < ATTEMPTS => waiting.push_front((counts, attempt + 1)),
            Ok(Added::Busy) => outcomes.written(&counts, Written::Superseded),
            Err(error) if concerns_one(&error) && counts.counts().len() > 1 => {
                waiting.extend(counts.into_single().map(|count| (count, attempt)));
            }
            Err(error) => outcomes.failed(&counts, &error),
        }
    }
    streams.iter().map(|stream| outcomes.take(stream)).collect()
}

/// The counts in as few transactions as possible, by shard. A count that no transaction can hold gets its result.
fn together(counts: Vec<Count>, outcomes: &mut Outcomes) -> Vec<(CountsOfShard, u32)> {
    let Some(start) = counts.first().map(|count| CounterShard::of(count.stream())) else {
        return Vec::new();
    };
    let mut checked = Vec::new();
    for count in counts {
        let stream = count.stream().clone();
        match CountsOfShard::of(count) {
            Ok(one) => checked.push(one),
            Err(error) => outcomes.add(stream, Err(error)),
        }
    }
    checked.sort_by_key(|one| one.shard().distance_from(start));
    let mut together: Vec<CountsOfShard> = Vec::new();
    for one in checked {
        let separate = match together.last_mut() {
            Some(last) => last.join(one).err(),
            None => Some(one),
        };
        together.extend(separate);
    }
    together.into_iter().map(|counts| (counts, 1)).collect()
}

/// Whether a single count may be the reason, so that the others can be added without it.
const fn concerns_one(error: &ReadStoreError) -> bool {
    match error {
        ReadStoreError::Invalid(_)
        | ReadStoreError::Newer { .. }
        | ReadStoreError::Corrupt { .. } => true,
        ReadStoreError::Port(_) => false,
    }
}

/// The results by stream.
#[derive(Default)]
struct Outcomes(BTreeMap<StreamId, Outcome>);

impl Outcomes {
    fn add(&mut self, stream: StreamId, outcome: Outcome) {
        self.0.insert(stream, outcome);
    }

    fn written(&mut self, counts: &CountsOfShard, written: Written) {
        counts.counts().iter().for_each(|count| self.add(count.stream().clone(), Ok(written)));
    }

    fn failed(&mut self, counts: &CountsOfShard, error: &ReadStoreError) {
        counts.counts().iter().for_each(|it| self.add(it.stream().clone(), Err(error.repeated())));
    }

    /// The result for a stream. If two counts have the same stream, the second one is superseded by the first.
    fn take(&mut self, stream: &StreamId) -> Outcome {
        self.0.remove(stream).unwrap_or(Ok(Written::Superseded))
    }
}
