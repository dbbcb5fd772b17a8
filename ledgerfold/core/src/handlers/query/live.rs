use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use futures::future::join;

use crate::{
    StreamId, TenantId, Version,
    generations::RecordReader,
    ports::{
        Counted, Counter, CounterKey, Listing, Memo, PartKey, PartRange, PartReader, PortError,
        ReadStoreError, ReadView, RowReader, Settled, StoredPart, StoredRow, TallyReader,
    },
    project::{Parted, Projection, Tally, UnknownModel},
    vocabulary::{FIRST_NUMBER, Generation, Generations},
};

/// The rows of a projection's live generation, for readers.
///
/// Every call reads the record of the generations through a [`RecordReader`], so a switch takes effect for all readers at
/// once. This costs one more read, but no time: the rows are read concurrently from the generation that was live at the
/// last call. If another generation is live now, the rows are read again.
///
/// Without a record there are no rows, because projectors write the record before any row.
///
/// A reader has no method to write:
///
/// ```compile_fail
/// # use ledgerfold::{ports::{RowStore, StoredRow}, query::LiveRows};
/// async fn write(rows: &LiveRows, row: &StoredRow) {
///     let _ = rows.put(row).await;
/// }
/// ```
pub struct LiveRows(Live);

/// The counters of a projection's live generation, for readers; see [`LiveRows`].
pub struct LiveTallies(Live);

/// The parts of a projection's live generation, for readers; see [`LiveRows`].
pub struct LiveParts(Live);

struct Live {
    projection: &'static str,
    revisions: Vec<u32>,
    table: Arc<dyn ReadView>,
    generations: RecordReader,
    /// The layout at the last call. A mutex, because queries run concurrently and each one replaces it.
    seen: Mutex<NewestLayout>,
}

/// The parts of a record that a reader remembers.
#[derive(Clone, Copy)]
struct NewestLayout {
    /// The number of the record that made it.
    number: u64,
    live: Generation,
}

impl NewestLayout {
    /// The assumption before the first read: the first record.
    const FIRST: Self = Self { number: FIRST_NUMBER, live: Generation::FIRST };

    const fn of(record: &Generations) -> Self {
        Self { number: record.layout(), live: record.live().number }
    }
}

impl LiveRows {
    /// The rows of this projection in this read table.
    pub fn new<P: Projection>(
        projection: &'static str,
        table: Arc<dyn ReadView>,
        generations: RecordReader,
    ) -> Self {
        Self(Live::new(projection, P::REVISION, table, generations))
    }

    /// Accepts rows of another revision as well. Use it while you deploy a changed model whose reader also understands
    /// the rows of the old one.
    #[must_use]
    pub fn also_of(self, revision: u32) -> Self {
        Self(self.0.also_of(revision))
    }
}

impl LiveTallies {
    /// The counters of this projection in this read table.
    pub fn new<T: Tally>(
        projection: &'static str,
        table: Arc<dyn ReadView>,
        generations: RecordReader,
    ) -> Self {
        Self(Live::new(projection, T::REVISION, table, generations))
    }

    /// Accepts counters of another revision as well; see [`LiveRows::also_of`].
    #[must_use]
    pub fn also_of(self, revision: u32) -> Self {
        Self(self.0.also_of(revision))
    }
}

impl LiveParts {
    /// The parts of this projection in this read table.
    pub fn new<P: Parted>(
        projection: &'static str,
        table: Arc<dyn ReadView>,
        generations: RecordReader,
    ) -> Self {
        Self(Live::new(projection, P::REVISION, table, generations))
    }

    /// Accepts parts of another revision as well; see [`LiveRows::also_of`].
    #[must_use]
    pub fn also_of(self, revision: u32) -> Self {
        Self(self.0.also_of(revision))
    }
}

impl Live {
    fn new(
        projection: &'static str,
        revision: u32,
        table: Arc<dyn ReadView>,
        generations: RecordReader,
    ) -> Self {
        Self {
            projection,
            revisions: vec![revision],
            table,
            generations,
            seen: Mutex::new(NewestLayout::FIRST),
        }
    }

    fn also_of(mut self, revision: u32) -> Self {
        self.revisions.push(revision);
        self
    }

    /// Reads from the live generation. The rows that were read concurrently are used if the layout has not changed
    /// since the last call.
    async fn read<T, F>(&self, read: impl Fn(Generation) -> F) -> Result<T, ReadStoreError>
    where
        T: Default,
        F: Future<Output = Result<T, ReadStoreError>>,
    {
        let seen = self.seen();
        let record = self.generations.read(self.projection);
        let (record, guessed) = join(record, read(seen.live)).await;
        // Without a record the revision of the rows is unknown, because they may have been written since.
        let Some(record) = record? else { return Ok(T::default()) };
        self.check(&record)?;
        let now = NewestLayout::of(&record);
        if now.number == seen.number {
            return guessed;
        }
        self.remember(now);
        read(now.live).await
    }

    fn check(&self, record: &Generations) -> Result<(), ReadStoreError> {
        let generation = record.live();
        if self.revisions.contains(&generation.revision) {
            return Ok(());
        }
        let projection = self.projection;
        let known = self.revisions.clone();
        Err(ReadStoreError::Port(PortError::Refused(
            UnknownModel { projection, generation, known }.into(),
        )))
    }

    fn seen(&self) -> NewestLayout {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, layout: NewestLayout) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = layout;
    }
}

#[async_trait]
impl RowReader for LiveRows {
    async fn get(&self, stream: &StreamId) -> Result<Option<StoredRow>, ReadStoreError> {
        self.0
            .read(|generation| {
                let rows = self.0.table.read_rows(generation);
                async move { rows.get(stream).await }
            })
            .await
    }

    async fn list(&self, listing: &Listing) -> Result<Vec<StoredRow>, ReadStoreError> {
        self.0
            .read(|generation| {
                let rows = self.0.table.read_rows(generation);
                async move { rows.list(listing).await }
            })
            .await
    }
}

#[async_trait]
impl TallyReader for LiveTallies {
    async fn memo(&self, stream: &StreamId) -> Result<Option<Memo>, ReadStoreError> {
        self.0
            .read(|generation| {
                let tallies = self.0.table.read_tallies(generation);
                async move { tallies.memo(stream).await }
            })
            .await
    }

    async fn range(
        &self,
        tenant: &TenantId,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Vec<Counter>, ReadStoreError> {
        self.0
            .read(|generation| {
                let tallies = self.0.table.read_tallies(generation);
                async move { tallies.range(tenant, first, last).await }
            })
            .await
    }

    async fn settled(
        &self,
        stream: &StreamId,
        groups: &[CounterKey],
    ) -> Result<Settled, ReadStoreError> {
        self.0
            .read(|generation| {
                let tallies = self.0.table.read_tallies(generation);
                async move { tallies.settled(stream, groups).await }
            })
            .await
    }

    /// Reads the memo and the counters from one generation, because a memo is only valid for its own counters.
    async fn range_with(
        &self,
        stream: &StreamId,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Counted, ReadStoreError> {
        self.0
            .read(|generation| {
                let tallies = self.0.table.read_tallies(generation);
                async move { tallies.range_with(stream, first, last).await }
            })
            .await
    }
}

#[async_trait]
impl PartReader for LiveParts {
    async fn position(&self, stream: &StreamId) -> Result<Version, ReadStoreError> {
        self.0
            .read(|generation| {
                let parts = self.0.table.read_parts(generation);
                async move { parts.position(stream).await }
            })
            .await
    }

    async fn parts(
        &self,
        stream: &StreamId,
        keys: &[PartKey],
    ) -> Vec<Result<Option<StoredPart>, ReadStoreError>> {
        let read = self.0.read(|generation| {
            let parts = self.0.table.read_parts(generation);
            async move { Ok(parts.parts(stream, keys).await) }
        });
        match read.await {
            // Without a record there are no parts.
            Ok(none) if none.is_empty() => keys.iter().map(|_| Ok(None)).collect(),
            Ok(parts) => parts,
            Err(error) => keys.iter().map(|_| Err(error.repeated())).collect(),
        }
    }

    async fn range(&self, range: &PartRange) -> Result<Vec<StoredPart>, ReadStoreError> {
        self.0
            .read(|generation| {
                let parts = self.0.table.read_parts(generation);
                async move { parts.range(range).await }
            })
            .await
    }

    /// Reads the position and the parts from one generation, because a position is only valid for its own parts.
    async fn range_with(
        &self,
        stream: &StreamId,
        range: &PartRange,
    ) -> Result<(Version, Vec<StoredPart>), ReadStoreError> {
        self.0
            .read(|generation| {
                let parts = self.0.table.read_parts(generation);
                async move { parts.range_with(stream, range).await }
            })
            .await
    }
}
