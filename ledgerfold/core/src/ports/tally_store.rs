use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use crate::{
    Payload, StreamId, Version,
    ports::{CounterKey, PortError, ReadStoreError, Written, row_store::check_size},
};

/// How often counters and a memo are read again that others were writing. Each try is a round trip, so that
/// they last longer than any burst of writes on one counter.
const ATTEMPTS: usize = 100;

/// The most groups of counters that one write touches: a transaction of DynamoDB has up to 100 items, of
/// which the memo is one.
pub const MAX_COUNTED_GROUPS: usize = 99;
/// The most counters of one group that one write touches: an update expression of DynamoDB has up to 4 KB.
pub const MAX_COUNTERS: usize = 250;

/// The counters of a tally with the memo of each stream, for a function that reads them.
///
/// A write of [`TallyStore::add`] becomes visible to [`memo`](TallyReader::memo) and
/// [`range`](TallyReader::range) item by item, as in DynamoDB: for a moment a reader sees the memo without the
/// counters, or some counters without the others. Only [`settled`](TallyReader::settled) is serializable.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-isolation>
#[async_trait]
pub trait TallyReader: Send + Sync {
    /// How far a stream has been counted, strongly consistent.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn memo(&self, stream: &StreamId) -> Result<Option<Memo>, ReadStoreError>;

    /// The counters with keys from `first` to `last`, both included, by key; strongly consistent.
    ///
    /// # Errors
    /// [`ReadStoreError`]; [`ReadStoreError::Corrupt`] for a sum that leaves the range of 64 bits.
    async fn range(
        &self,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Vec<Counter>, ReadStoreError>;

    /// The stream's memo, read in one transaction with these groups of its counters, at most 99.
    ///
    /// An answer with a memo means that no write is in progress on any of them. Every later read shows the effect of
    /// earlier writes.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn settled(
        &self,
        stream: &StreamId,
        groups: &[CounterKey],
    ) -> Result<Settled, ReadStoreError>;

    /// The counters of a range with exactly the stream's own share up to its memo.
    ///
    /// The counters are read between two looks at the memo. The first look waits for the memo's own write, which
    /// counters might not show yet. The second look proves that they show nothing of a later write.
    ///
    /// # Errors
    /// [`ReadStoreError`]; [`PortError::Unavailable`] if other writers kept counting.
    async fn range_with(
        &self,
        stream: &StreamId,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Counted, ReadStoreError> {
        let mut memo = self.memo(stream).await?;
        for _ in 0..ATTEMPTS {
            let groups = memo.as_ref().map(|memo| memo.groups_within(first, last));
            let groups = groups.unwrap_or_default();
            if !groups.is_empty() {
                match self.settled(stream, &groups).await? {
                    Settled::At(now) if now == memo => {}
                    Settled::At(now) => {
                        memo = now;
                        continue;
                    }
                    Settled::UnderWay => continue,
                }
            }
            let counters = self.range(first, last).await?;
            match self.settled(stream, &[]).await? {
                Settled::At(now) if now == memo => return Ok(Counted { memo, counters }),
                Settled::At(now) => memo = now,
                Settled::UnderWay => {}
            }
        }
        Err(PortError::Unavailable("others kept counting while counters were read".into()).into())
    }
}

/// The counters of a tally. Each stream has a memo beside them: the version up to which it is counted.
#[async_trait]
pub trait TallyStore: TallyReader {
    /// Adds the increments and moves the stream's memo on from exactly `after`, all in one
    /// transaction: either everything is counted, once, or nothing. Increments without amounts count
    /// nothing. A store calls [`Memo::check`] first.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn add(
        &self,
        after: Version,
        memo: &Memo,
        increments: &[Increment],
    ) -> Result<Written, ReadStoreError>;
}

/// A stream's memo, as a transaction reads it.
#[derive(Clone, Debug, PartialEq)]
pub enum Settled {
    /// No write is in progress on the data that was read.
    At(Option<Memo>),
    /// A write is: read again.
    UnderWay,
}

impl Default for Settled {
    /// Of a stream that was never counted.
    fn default() -> Self {
        Self::At(None)
    }
}

/// Counters with how far one stream is counted in them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counted {
    /// How far.
    pub memo: Option<Memo>,
    /// The counters, by key.
    pub counters: Vec<Counter>,
}

/// The version up to which a stream is counted, and the memory that counting on needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Memo {
    /// The stream.
    pub stream: StreamId,
    /// Up to which version.
    pub version: Version,
    /// The tally's memory of the stream.
    pub body: Payload,
    /// In which groups the write has counted that left this memo.
    pub groups: Vec<CounterKey>,
}

impl Memo {
    fn groups_within(&self, first: &CounterKey, last: &CounterKey) -> Vec<CounterKey> {
        let within = |key: &&CounterKey| first <= *key && *key <= last;
        self.groups.iter().filter(within).cloned().collect()
    }
}

/// Amounts to add to a group of counters, by the counter's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Increment {
    /// The group.
    pub key: CounterKey,
    /// How much to add to which counter; may be negative.
    pub amounts: BTreeMap<String, i64>,
}

/// A group of counters as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// The group.
    pub key: CounterKey,
    /// How much each counter shows, by its name: a sum of many amounts of 64 bits. DynamoDB adds exactly
    /// up to 38 digits, so that no sum of events leaves this range.
    pub amounts: BTreeMap<String, i128>,
}

impl Memo {
    /// That a store can take it together with these increments.
    ///
    /// # Errors
    /// [`ReadStoreError::Invalid`] if the memo is too large, or the increments touch a group twice, or more
    /// than [`MAX_COUNTED_GROUPS`] groups, or more than [`MAX_COUNTERS`] counters of one.
    pub fn check(&self, increments: &[Increment]) -> Result<(), ReadStoreError> {
        let groups: usize = self.groups.iter().map(|key| key.as_str().len()).sum();
        check_size(self.body.as_str().len() + groups)?;
        let invalid = |reason: String| Err(ReadStoreError::Invalid(reason.into()));
        let groups: BTreeSet<_> = increments.iter().map(|increment| &increment.key).collect();
        if groups.len() < increments.len() {
            return invalid("a group of counters is touched twice".to_owned());
        }
        if groups.len() > MAX_COUNTED_GROUPS {
            let groups = groups.len();
            return invalid(format!("it counts in {groups} groups, of {MAX_COUNTED_GROUPS}"));
        }
        match increments.iter().find(|increment| increment.amounts.len() > MAX_COUNTERS) {
            Some(Increment { key, amounts }) => {
                let counters = amounts.len();
                invalid(format!("it counts {counters} counters of {key}, of {MAX_COUNTERS}"))
            }
            None => Ok(()),
        }
    }
}
