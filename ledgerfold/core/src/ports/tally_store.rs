use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::future::join_all;

use super::{CounterKey, CountsOfShard, PortError, ReadStoreError};
use crate::{Payload, StreamId, TenantId, Version, vocabulary::OfTenant};

/// The number of attempts to read counters and a memo while others write them. Each attempt is a round trip, so
/// together they last longer than any burst of writes on one counter.
const ATTEMPTS: usize = 100;

/// The counters of a tally with the memo of each stream, for a function that only reads them.
///
/// A write of [`TallyStore::add`] becomes visible to [`memo`](TallyReader::memo) and [`range`](TallyReader::range) item
/// by item, as in DynamoDB. For a moment a reader sees the memo without the counters, or some counters without the
/// others. Only [`settled`](TallyReader::settled) is serializable.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-isolation>
#[async_trait]
pub trait TallyReader: Send + Sync {
    /// The memo of a stream, strongly consistent.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn memo(&self, stream: &StreamId) -> Result<Option<Memo>, ReadStoreError>;

    /// The memos of several streams, each as [`memo`](TallyReader::memo) returns it, in the order of the streams. An
    /// unreadable memo fails alone. A store may read them together, and then other failures concern all of them.
    async fn memos(&self, streams: &[StreamId]) -> Vec<Result<Option<Memo>, ReadStoreError>> {
        join_all(streams.iter().map(|stream| self.memo(stream))).await
    }

    /// A tenant's counters with keys from `first` to `last`, both included, in key order; strongly consistent.
    ///
    /// # Errors
    /// [`ReadStoreError`]; [`ReadStoreError::Corrupt`] for a sum that leaves the range of 64 bits.
    async fn range(
        &self,
        tenant: &TenantId,
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

    /// The counters of the stream's tenant in a range. The stream's own share in them is exact: it ends at the stream's memo.
    ///
    /// The method reads the counters between two reads of the memo. The first read waits for the memo's own write,
    /// which the counters might not show yet. The second read proves that the counters show nothing of a later write.
    ///
    /// # Errors
    /// [`ReadStoreError`]; [`PortError::Unavailable`] if other writers keep counting.
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
            let counters = self.range(stream.tenant(), first, last).await?;
            match self.settled(stream, &[]).await? {
                Settled::At(now) if now == memo => return Ok(Counted { memo, counters }),
                Settled::At(now) => memo = now,
                Settled::UnderWay => {}
            }
        }
        Err(PortError::Unavailable("others kept counting while counters were read".into()).into())
    }
}

/// The counters of a tally. Each stream has a memo beside them, with the version up to which it is counted.
#[async_trait]
pub trait TallyStore: TallyReader {
    /// Adds the counts and replaces the memos of their streams, in one transaction: either every event is counted
    /// once, or nothing is counted. The stored memo of each stream must have exactly the version that its count names.
    ///
    /// # Errors
    /// [`ReadStoreError`]; it concerns all counts.
    async fn add(&self, counts: &CountsOfShard) -> Result<Added, ReadStoreError>;

    /// The counters of all tenants, in no particular order; strongly consistent. For maintenance: queries use
    /// [`TallyReader::range`].
    ///
    /// # Errors
    /// Those of [`TallyReader::range`].
    async fn all(&self) -> Result<Vec<OfTenant<Counter>>, ReadStoreError>;
}

/// The result of [`TallyStore::add`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// All are counted.
    Done,
    /// Nothing is counted, because the stored memos of these streams have other versions.
    Superseded(Vec<StreamId>),
    /// Nothing is counted, because another write is in progress on some of the memos or counters. Try again.
    Busy,
}

/// The result of reading a stream's memo in a transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum Settled {
    /// No write is in progress on the data that was read.
    At(Option<Memo>),
    /// A write is in progress: read again.
    UnderWay,
}

impl Default for Settled {
    /// The result for a stream that was never counted.
    fn default() -> Self {
        Self::At(None)
    }
}

/// Counters with the memo of one stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counted {
    /// The stream's memo.
    pub memo: Option<Memo>,
    /// The counters, in key order.
    pub counters: Vec<Counter>,
}

/// The version up to which a stream is counted, and the memory that the tally needs to continue.
#[derive(Clone, Debug, PartialEq)]
pub struct Memo {
    /// The stream.
    pub stream: StreamId,
    /// The version up to which the stream is counted.
    pub version: Version,
    /// The tally's memory of the stream.
    pub body: Payload,
    /// The groups in which the write of this memo has counted.
    pub groups: Vec<CounterKey>,
}

impl Memo {
    fn groups_within(&self, first: &CounterKey, last: &CounterKey) -> Vec<CounterKey> {
        let within = |key: &&CounterKey| first <= *key && *key <= last;
        self.groups.iter().filter(within).cloned().collect()
    }
}

/// Amounts to add to a group of counters of the tenant of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Increment {
    /// The group.
    pub key: CounterKey,
    /// The amount for each counter, by the counter's name. It may be negative.
    pub amounts: BTreeMap<String, i64>,
}

/// A group of counters with their values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// The group.
    pub key: CounterKey,
    /// The value of each counter, by the counter's name: a sum of many amounts of 64 bits. DynamoDB adds exactly up to
    /// 38 digits, so no sum of events leaves this range.
    pub amounts: BTreeMap<String, i128>,
}
