use std::{collections::BTreeMap, fmt, marker::PhantomData, sync::Arc};

use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Position, ProjectError, ReadModel, Skipped,
    counting::add_all,
    gathered::Gathered,
    row::{inapplicable, open, unanswered},
};
use crate::{
    Envelope, Event, Payload, Recorded, StreamId, Version,
    ports::{Count, CounterKey, Increment, Memo, ReadStoreError, TallyStore, Written},
    vocabulary::panics::guarded,
};

/// The maximum number of counter groups in one write. A DynamoDB transaction holds 100 items, and the memo is one of
/// them.
const GROUPS_PER_WRITE: usize = 90;

/// A read model of counters over many streams, for example for a dashboard. Each event is counted exactly once, because
/// one transaction updates the stream's memo and the counters.
pub trait Tally: Send + Sync + 'static {
    /// The revision of the model. Raise it if the same events make other counters than before. The existing counters
    /// must then be rebuilt, and a [`Catalog`](super::Catalog) can have both revisions meanwhile.
    const REVISION: u32 = 1;

    /// The events that are counted.
    type Event: Event;
    /// The tally's memory of a stream, for example an order's currency.
    type Memo: Clone
        + fmt::Debug
        + Default
        + PartialEq
        + Serialize
        + DeserializeOwned
        + Send
        + Sync
        + 'static;

    /// Counts one event.
    ///
    /// # Errors
    /// A sentence that explains how the event contradicts the events before it.
    fn count(
        memo: &mut Self::Memo,
        event: &Recorded<Self::Event>,
        counts: &mut Counts,
    ) -> Result<(), String>;
}

/// The contribution of some events to the counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<CounterKey, BTreeMap<String, i64>>);

impl Counts {
    /// Adds to one counter of a group.
    ///
    /// # Errors
    /// A sentence, if the sum leaves the range of 64 bits.
    pub fn add(&mut self, key: CounterKey, counter: &str, amount: i64) -> Result<(), String> {
        let sum = self.0.entry(key).or_default().entry(counter.to_owned()).or_default();
        *sum = sum
            .checked_add(amount)
            .ok_or_else(|| format!("the sum of {counter} leaves the range of 64 bits"))?;
        Ok(())
    }

    /// The groups with the additions to their counters.
    pub fn iter(&self) -> impl Iterator<Item = (&CounterKey, &BTreeMap<String, i64>)> {
        self.0.iter()
    }

    /// The amount that is added to one counter of a group.
    pub fn get(&self, key: &CounterKey, counter: &str) -> i64 {
        self.0.get(key).and_then(|amounts| amounts.get(counter)).copied().unwrap_or_default()
    }

    pub(crate) fn merge(&mut self, other: Self) -> Result<(), String> {
        for (key, amounts) in other.0 {
            for (counter, amount) in amounts {
                self.add(key.clone(), &counter, amount)?;
            }
        }
        Ok(())
    }

    fn groups_with(&self, other: &Self) -> usize {
        self.0.len() + other.0.keys().filter(|key| !self.0.contains_key(key)).count()
    }

    fn into_increments(self) -> Vec<Increment> {
        self.0.into_iter().map(|(key, amounts)| Increment { key, amounts }).collect()
    }
}

/// The contribution of whole commits, and the memo after them. A skipped event counts nothing.
pub(crate) fn count<T: Tally>(
    memo: T::Memo,
    events: &[Envelope],
    skipped: &Skipped,
) -> Result<(T::Memo, Counts), ProjectError> {
    events.iter().try_fold((memo, Counts::default()), |counted, envelope| {
        skipped.apply(counted, envelope, |counted| count_one::<T>(counted, envelope))
    })
}

fn count_one<T: Tally>(
    (mut memo, mut counts): (T::Memo, Counts),
    envelope: &Envelope,
) -> Result<(T::Memo, Counts), ProjectError> {
    let mut events = open::<T::Event>(envelope)?.into_iter();
    guarded(|| events.try_for_each(|event| T::count(&mut memo, &event, &mut counts)))
        .unwrap_or_else(|panicked| Err(panicked.to_string()))
        .map_err(|reason| inapplicable(envelope, reason))?;
    Ok((memo, counts))
}

pub(crate) fn read_memo<T: Tally>(stored: &Memo) -> Result<T::Memo, ReadStoreError> {
    stored.body.decode().map_err(|error| ReadStoreError::Corrupt {
        key: stored.stream.to_string(),
        reason: error.to_string(),
    })
}

/// A [`Tally`] with the table of its counters.
pub struct TallyModel<T> {
    pub(crate) counters: Arc<dyn TallyStore>,
    /// Shared with the positions of all streams.
    calls: Arc<TallyCalls>,
    tally: PhantomData<fn() -> T>,
}

/// The calls of concurrent streams.
#[derive(Default)]
struct TallyCalls {
    reads: Gathered<StreamId, Result<Option<Memo>, ReadStoreError>>,
    writes: Gathered<Count, Result<Written, ReadStoreError>>,
}

impl<T: Tally> TallyModel<T> {
    /// The model with this table.
    pub fn new(counters: Arc<dyn TallyStore>) -> Self {
        Self { counters, calls: Arc::default(), tally: PhantomData }
    }
}

#[async_trait]
impl<T: Tally> ReadModel for TallyModel<T> {
    /// A transaction holds up to 100 items, and each stream needs one for its memo.
    fn streams_at_once(&self) -> usize {
        100
    }

    async fn open(&self, stream: &StreamId) -> Result<Box<dyn Position>, ProjectError> {
        let counters = &self.counters;
        let read = async |streams: Vec<StreamId>| counters.memos(&streams).await;
        let stored =
            self.calls.reads.call(stream.clone(), read).await.unwrap_or_else(unanswered)?;
        let (version, memo) = match &stored {
            Some(stored) => (stored.version, read_memo::<T>(stored)?),
            None => (Version::NONE, T::Memo::default()),
        };
        Ok(Box::new(TallyPosition::<T> {
            counters: counters.clone(),
            calls: self.calls.clone(),
            stream: stream.clone(),
            version,
            memo,
        }))
    }
}

struct TallyPosition<T: Tally> {
    counters: Arc<dyn TallyStore>,
    calls: Arc<TallyCalls>,
    stream: StreamId,
    version: Version,
    memo: T::Memo,
}

impl<T: Tally> TallyPosition<T> {
    async fn write(
        &mut self,
        version: Version,
        memo: T::Memo,
        counts: Counts,
    ) -> Result<Written, ProjectError> {
        let stored = Memo {
            stream: self.stream.clone(),
            version,
            body: Payload::encode(&memo)?,
            groups: counts.iter().map(|(key, _)| key.clone()).collect(),
        };
        let count =
            Count { after: self.version, memo: stored, increments: counts.into_increments() };
        let counters = &*self.counters;
        let add = |counts| add_all(counters, counts);
        let written = self.calls.writes.call(count, add).await.unwrap_or_else(unanswered)?;
        if written == Written::Done {
            (self.version, self.memo) = (version, memo);
        }
        Ok(written)
    }
}

#[async_trait]
impl<T: Tally> Position for TallyPosition<T> {
    fn version(&self) -> Version {
        self.version
    }

    /// One write takes as many commits as its limit of groups allows. Further writes take the rest.
    async fn advance(
        &mut self,
        events: &[Envelope],
        skipped: &Skipped,
    ) -> Result<Written, ProjectError> {
        let (mut memo, mut counts) = (self.memo.clone(), Counts::default());
        let mut version = self.version;
        for commit in events.chunk_by(|one, next| one.commit == next.commit) {
            let (behind, added) = count::<T>(memo.clone(), commit, skipped)?;
            if counts.groups_with(&added) > GROUPS_PER_WRITE {
                let counted = std::mem::take(&mut counts);
                if self.write(version, memo, counted).await? == Written::Superseded {
                    return Ok(Written::Superseded);
                }
            }
            let stream = &self.stream;
            counts.merge(added).map_err(|reason| super::Inapplicable {
                stream: stream.clone(),
                version,
                reason,
            })?;
            version = version.advance(commit.len());
            memo = behind;
        }
        self.write(version, memo, counts).await
    }
}
