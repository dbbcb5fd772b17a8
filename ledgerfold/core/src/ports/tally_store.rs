use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::{
    Payload, StreamId, Version,
    ports::{ReadStoreError, Written},
};

/// Where a tally keeps its counters, and beside them how far it has counted each stream.
#[async_trait]
pub trait TallyStore: Send + Sync {
    /// How far a stream has been counted, strongly consistent.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn memo(&self, stream: &StreamId) -> Result<Option<Memo>, ReadStoreError>;

    /// Adds the increments and moves the stream's memo on from exactly `after`, all in one
    /// transaction: either everything is counted, once, or nothing.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn add(
        &self,
        after: Version,
        memo: &Memo,
        increments: &[Increment],
    ) -> Result<Written, ReadStoreError>;

    /// The counters with keys from `first` to `last`, both included, by key; strongly consistent.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn range(
        &self,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Vec<Counter>, ReadStoreError>;
}

/// How far a stream has been counted, and what counting on needs to know of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Memo {
    /// The stream.
    pub stream: StreamId,
    /// Up to which version.
    pub version: Version,
    /// What the tally remembers of it.
    pub body: Payload,
}

/// What a group of counters counts, as `2026-11-23#EUR`; ranges go by the order of the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CounterKey(pub String);

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
    /// How much each counter shows, by its name.
    pub amounts: BTreeMap<String, i64>,
}
