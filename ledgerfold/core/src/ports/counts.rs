//! Counts of several streams that one transaction can hold.

use std::collections::{BTreeMap, BTreeSet};

use super::{CounterKey, Increment, Memo, ReadStoreError, row_store::check_size};
use crate::{StreamId, Version, vocabulary::OfTenant};

/// The most groups of counters that one count may touch. A DynamoDB transaction has up to 100 items, and the memo is
/// one of them.
pub const MAX_COUNTED_GROUPS: usize = MAX_ITEMS - 1;
/// The most counters of one group that one transaction may touch. A DynamoDB update expression has up to 4 KB.
pub const MAX_COUNTERS: usize = 250;

/// The most items of a DynamoDB transaction.
const MAX_ITEMS: usize = 100;
/// The most bytes of all memos in a transaction with several counts. A DynamoDB transaction has up to 4 MB, and the
/// rest is room for counters.
const MAX_MEMO_BYTES: usize = 2 * 1_024 * 1_024;

/// One of the parts over which every group of counters is spread. A single item takes at most 1,000 write units a
/// second, and each transaction uses two.
///
/// A stream always counts in the same shard. Otherwise a reader could see a later count of a stream without the earlier
/// one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CounterShard(u8);

impl CounterShard {
    /// The number of shards.
    const COUNT: u8 = 8;

    /// The shard of a stream. Any even spread will do; a sum of bytes cannot change with a new version of a hash
    /// function.
    ///
    /// ```
    /// # use ledgerfold::{StreamId, ports::CounterShard};
    /// let stream: StreamId = "default/account#1".parse()?;
    /// assert!(CounterShard::all().any(|shard| shard == CounterShard::of(&stream)));
    /// # Ok::<_, ledgerfold::InvalidId>(())
    /// ```
    pub fn of(stream: &StreamId) -> Self {
        let sum = stream
            .to_string()
            .bytes()
            .fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
        Self(sum % Self::COUNT)
    }

    /// All shards.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }

    /// The shard's number, from 0.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// How many shards come after `start` until this one, in a circle.
    pub(crate) const fn distance_from(self, start: Self) -> u8 {
        (self.0 + Self::COUNT - start.0) % Self::COUNT
    }
}

/// The contribution of one stream to the counters.
#[derive(Clone, Debug, PartialEq)]
pub struct Count {
    /// The version that the stored memo must have: the stream is counted up to there.
    pub after: Version,
    /// The memo that replaces the stored one.
    pub memo: Memo,
    /// The additions to counters, at most one for each group. Increments without amounts count nothing.
    pub increments: Vec<Increment>,
}

impl Count {
    /// The stream.
    pub const fn stream(&self) -> &StreamId {
        &self.memo.stream
    }

    fn check(&self) -> Result<(), ReadStoreError> {
        check_size(self.bytes())?;
        let invalid = |reason: String| Err(ReadStoreError::Invalid(reason.into()));
        let keys: BTreeSet<_> = self.increments.iter().map(|increment| &increment.key).collect();
        if keys.len() < self.increments.len() {
            return invalid("a group of counters is touched twice".to_owned());
        }
        if keys.len() > MAX_COUNTED_GROUPS {
            let groups = keys.len();
            return invalid(format!("it counts in {groups} groups, of {MAX_COUNTED_GROUPS}"));
        }
        match self.increments.iter().find(|increment| increment.amounts.len() > MAX_COUNTERS) {
            Some(Increment { key, amounts }) => {
                let counters = amounts.len();
                invalid(format!("it counts {counters} counters of {key}, of {MAX_COUNTERS}"))
            }
            None => Ok(()),
        }
    }

    fn bytes(&self) -> usize {
        let groups: usize = self.memo.groups.iter().map(|key| key.as_str().len()).sum();
        self.memo.body.as_str().len() + groups
    }
}

/// The sums of the amounts for each counter of each group.
pub type Sums = BTreeMap<OfTenant<CounterKey>, BTreeMap<String, i128>>;

/// Counts of different streams in one shard, as many as one transaction can hold. Their additions to the same counter
/// are summed, so each group costs one write for all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct CountsOfShard {
    shard: CounterShard,
    counts: Vec<Count>,
    sums: Sums,
    bytes: usize,
}

impl CountsOfShard {
    /// One count.
    ///
    /// # Errors
    /// [`ReadStoreError::Invalid`] if no transaction can hold it: the memo is too large, or it touches a group twice,
    /// more than [`MAX_COUNTED_GROUPS`] groups, or more than [`MAX_COUNTERS`] counters of a group.
    pub fn of(count: Count) -> Result<Self, ReadStoreError> {
        count.check()?;
        let shard = CounterShard::of(count.stream());
        let mut one = Self { shard, counts: Vec::new(), sums: Sums::new(), bytes: 0 };
        one.add(count);
        Ok(one)
    }

    /// Includes all counts of another value, or returns it unchanged: it belongs to another shard or has the same
    /// stream, or the transaction would be too large.
    ///
    /// # Errors
    /// The other value.
    pub fn join(&mut self, other: Self) -> Result<(), Self> {
        let Some(sums) = self.sums_with(&other) else { return Err(other) };
        self.sums = sums;
        self.bytes += other.bytes;
        self.counts.extend(other.counts);
        Ok(())
    }

    /// The shard.
    pub const fn shard(&self) -> CounterShard {
        self.shard
    }

    /// The counts, each of another stream.
    pub fn counts(&self) -> &[Count] {
        &self.counts
    }

    /// The sum of the additions, for each counter that has any.
    pub const fn sums(&self) -> &Sums {
        &self.sums
    }

    /// The same without the counts of these streams; `None` if none remains.
    #[must_use]
    pub fn without(self, streams: &[StreamId]) -> Option<Self> {
        let kept = self.counts.into_iter().filter(|count| !streams.contains(count.stream()));
        Self::of_checked(self.shard, kept)
    }

    /// Each count on its own.
    pub fn into_single(self) -> impl DoubleEndedIterator<Item = Self> {
        let shard = self.shard;
        self.counts.into_iter().filter_map(move |count| Self::of_checked(shard, [count]))
    }

    fn of_checked(shard: CounterShard, counts: impl IntoIterator<Item = Count>) -> Option<Self> {
        let mut some = Self { shard, counts: Vec::new(), sums: Sums::new(), bytes: 0 };
        counts.into_iter().for_each(|count| some.add(count));
        (!some.counts.is_empty()).then_some(some)
    }

    /// The sums of both; `None` if one transaction cannot hold both.
    fn sums_with(&self, other: &Self) -> Option<Sums> {
        let is_known = |count: &Count| self.counts.iter().any(|it| it.stream() == count.stream());
        let mut sums = self.sums.clone();
        for (key, counters) in &other.sums {
            let sums = sums.entry(key.clone()).or_default();
            for (name, amount) in counters {
                *sums.entry(name.clone()).or_default() += amount;
            }
        }
        let items = self.counts.len() + other.counts.len() + sums.len();
        let fits = self.shard == other.shard
            && !other.counts.iter().any(is_known)
            && items <= MAX_ITEMS
            && sums.values().all(|counters| counters.len() <= MAX_COUNTERS)
            && self.bytes + other.bytes <= MAX_MEMO_BYTES;
        fits.then_some(sums)
    }

    fn add(&mut self, count: Count) {
        self.bytes += count.bytes();
        let increments = count.increments.iter().filter(|it| !it.amounts.is_empty());
        for Increment { key, amounts } in increments {
            let key = OfTenant::of(count.stream(), key.clone());
            let sums = self.sums.entry(key).or_default();
            for (name, amount) in amounts {
                *sums.entry(name.clone()).or_default() += i128::from(*amount);
            }
        }
        self.counts.push(count);
    }
}
