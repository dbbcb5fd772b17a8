//! The query function: the read models as clients see them, from any live generation. The checks of a client's own
//! reads belong to `clients`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use ledgerfold::{
    StreamId, TenantId, Version,
    ports::{
        Added, Counted, Counter, CounterKey, CountsOfShard, Listing, Memo, PortError,
        ReadStoreError, RowReader, RowStore, Settled, StoredRow, TallyReader, TallyStore, Written,
    },
    query::{LiveRows, LiveTallies},
    vocabulary::OfTenant,
};
use ledgerfold_testkit::bank::{EVENTS, Statements, Totals};

use crate::{
    domain::observations::Observations,
    infrastructure::projection::{LONGEST_READ, SimulatedProjection},
    network::scheduler::Scheduler,
    plan::schedule::Schedule,
};

/// How many containers the query function has; each remembers the record that it has seen last.
const CONTAINERS: usize = 2;

/// The query function. No later reader sees less than an earlier one, in any live generation. Without faults no read
/// fails.
pub(crate) struct Readers {
    scheduler: Scheduler,
    observations: Arc<Observations>,
    schedule: Schedule,
    /// One per container, each with its own cache of the record of generations.
    rows: [LiveRows; CONTAINERS],
    /// One per container, as above.
    tallies: [LiveTallies; CONTAINERS],
    /// The least that the next reader must see. A mutex, because all readers share it; only `show`
    /// and `show_counters` write it.
    shown: Mutex<Shown>,
}

/// The newest state that any reader has seen.
#[derive(Default)]
struct Shown {
    /// The newest version of each row.
    rows: BTreeMap<StreamId, Version>,
    /// The newest version of each memo.
    memos: BTreeMap<StreamId, Version>,
    /// The highest number of counted events of each tenant.
    events: BTreeMap<TenantId, i128>,
}

impl Readers {
    pub(crate) fn new(
        scheduler: &Scheduler,
        observations: Arc<Observations>,
        schedule: Schedule,
        [statements, totals]: &[SimulatedProjection; 2],
    ) -> Self {
        let rows = |_| {
            let SimulatedProjection { projection, table, .. } = statements;
            LiveRows::new::<Statements>(projection, table.clone(), statements.record_reader())
        };
        let tallies = |_| {
            let SimulatedProjection { projection, table, .. } = totals;
            LiveTallies::new::<Totals>(projection, table.clone(), totals.record_reader())
        };
        Self {
            scheduler: scheduler.clone(),
            observations,
            schedule,
            rows: [0; CONTAINERS].map(rows),
            tallies: [0; CONTAINERS].map(tallies),
            shown: Mutex::default(),
        }
    }

    fn container(&self) -> usize {
        self.scheduler.below(CONTAINERS)
    }

    /// Reads, and fails if the function would have reached its timeout. Without faults no read fails, also during a
    /// rebuild.
    async fn read<T>(
        &self,
        read: impl Future<Output = Result<T, ReadStoreError>>,
    ) -> Result<T, ReadStoreError> {
        let begun = self.scheduler.elapsed();
        let answer = read.await;
        if self.scheduler.elapsed() >= begun + LONGEST_READ {
            return Err(ReadStoreError::Port(PortError::Unavailable(
                "the query function timed out".into(),
            )));
        }
        if let Some(error) = answer.as_ref().err().filter(|_| self.schedule.is_fault_free()) {
            self.observations.violated(format!("a read failed: {error}"));
        }
        answer
    }

    /// Records the version that a reader saw of a stream. It must not be lower than one from before the request.
    fn show(
        &self,
        what: &'static str,
        stream: &StreamId,
        (before, now): (Version, Version),
        shown: impl FnOnce(&mut Shown) -> &mut BTreeMap<StreamId, Version>,
    ) {
        // Damage makes readers see less.
        if now < before && !self.schedule.damage {
            let rule = format!("the {what} of {stream} was shown at {before}, and then at {now}");
            self.observations.violated(rule);
        }
        let mut all = self.shown();
        let most = shown(&mut all).entry(stream.clone()).or_insert(Version::NONE);
        *most = now.max(*most);
    }

    fn show_memo(&self, stream: &StreamId, before: Version, memo: Option<&Memo>) {
        let now = memo.map_or(Version::NONE, |memo| memo.version);
        self.show("memo", stream, (before, now), |shown| &mut shown.memos);
    }

    /// The most events of a tenant that any reader has seen counted.
    fn counted(&self, tenant: &TenantId) -> i128 {
        self.shown().events.get(tenant).copied().unwrap_or_default()
    }

    /// Records the number of counted events of a tenant. It must not be lower than before the request.
    fn show_counters(&self, tenant: &TenantId, before: i128, counters: &[Counter]) {
        let now: i128 = counters.iter().filter_map(|it| it.amounts.get(EVENTS)).sum();
        if now < before {
            self.observations.violated(format!("{before} events were counted, and then {now}"));
        }
        let mut shown = self.shown();
        let most = shown.events.entry(tenant.clone()).or_default();
        *most = now.max(*most);
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of(shown: &BTreeMap<StreamId, Version>, stream: &StreamId) -> Version {
    shown.get(stream).copied().unwrap_or(Version::NONE)
}

fn read_only<T>() -> Result<T, ReadStoreError> {
    Err(ReadStoreError::Port(PortError::Refused("readers do not write".into())))
}

#[async_trait]
impl RowReader for Readers {
    async fn get(&self, stream: &StreamId) -> Result<Option<StoredRow>, ReadStoreError> {
        let before = of(&self.shown().rows, stream);
        let row = self.read(self.rows[self.container()].get(stream)).await?;
        let now = row.as_ref().map_or(Version::NONE, |row| row.version);
        self.show("row", stream, (before, now), |shown| &mut shown.rows);
        Ok(row)
    }

    async fn list(&self, listing: &Listing) -> Result<Vec<StoredRow>, ReadStoreError> {
        self.read(self.rows[self.container()].list(listing)).await
    }
}

#[async_trait]
impl RowStore for Readers {
    async fn put(&self, _: &StoredRow) -> Result<Written, ReadStoreError> {
        read_only()
    }

    async fn replace(&self, _: &StoredRow, _: &StoredRow) -> Result<Written, ReadStoreError> {
        read_only()
    }
}

#[async_trait]
impl TallyReader for Readers {
    async fn memo(&self, stream: &StreamId) -> Result<Option<Memo>, ReadStoreError> {
        let before = of(&self.shown().memos, stream);
        let memo = self.read(self.tallies[self.container()].memo(stream)).await?;
        self.show_memo(stream, before, memo.as_ref());
        Ok(memo)
    }

    async fn range(
        &self,
        tenant: &TenantId,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Vec<Counter>, ReadStoreError> {
        let before = self.counted(tenant);
        let counters = self.read(self.tallies[self.container()].range(tenant, first, last)).await?;
        self.show_counters(tenant, before, &counters);
        Ok(counters)
    }

    async fn settled(
        &self,
        stream: &StreamId,
        groups: &[CounterKey],
    ) -> Result<Settled, ReadStoreError> {
        self.read(self.tallies[self.container()].settled(stream, groups)).await
    }

    async fn range_with(
        &self,
        stream: &StreamId,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Counted, ReadStoreError> {
        let memo_before = of(&self.shown().memos, stream);
        let before = self.counted(stream.tenant());
        let reading = self.tallies[self.container()].range_with(stream, first, last);
        let counted = self.read(reading).await?;
        self.show_memo(stream, memo_before, counted.memo.as_ref());
        self.show_counters(stream.tenant(), before, &counted.counters);
        Ok(counted)
    }
}

#[async_trait]
impl TallyStore for Readers {
    async fn add(&self, _: &CountsOfShard) -> Result<Added, ReadStoreError> {
        read_only()
    }

    async fn all(&self) -> Result<Vec<OfTenant<Counter>>, ReadStoreError> {
        read_only()
    }
}
