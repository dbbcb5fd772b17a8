//! The rows of one generation, with network faults and an index that lags.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use ledgerfold::{
    Payload, StreamId, Version,
    ports::{Clock, Listing, ReadStoreError, RowReader, RowStore, StoredRow, Written},
};

use crate::{
    domain::{accounts::tenant_beside, observations::Observations},
    network::faults::Network,
    plan::plant::Plant,
};
use ledgerfold_testkit::MemoryRowStore;
use ledgerfold_testkit::bank::Statement;

/// The rows of one generation.
pub(crate) struct SimulatedRows {
    network: Network,
    plant: Plant,
    observations: Arc<Observations>,
    /// The true rows. The port's methods write them, damage, and removals of a generation.
    inner: MemoryRowStore,
    /// The content of the index: rows as they were some time ago. Shared with the tasks that update it later.
    index: Arc<MemoryRowStore>,
    /// The newest version that was written of each row. A mutex, because several functions write; removals delete from
    /// it.
    written: Mutex<BTreeMap<StreamId, Version>>,
    /// The longest delay of the index.
    lag: Duration,
}

impl SimulatedRows {
    /// Rows with an index that lags by at most this time.
    pub(crate) fn new(
        (network, observations, plant): (Network, Arc<Observations>, Plant),
        lag: Duration,
    ) -> Self {
        let inner = MemoryRowStore::default();
        let index = Arc::default();
        Self { network, plant, observations, inner, index, written: Mutex::default(), lag }
    }

    pub(crate) fn rows(&self) -> Vec<StoredRow> {
        self.inner.rows()
    }

    /// Removes a row, or changes its balance.
    pub(crate) fn damage(&self, stream: &StreamId) -> bool {
        let Some(row) = self.rows().into_iter().find(|row| row.stream == *stream) else {
            return false;
        };
        let statement = row.body.as_ref().and_then(|body| body.decode::<Statement>().ok());
        match statement {
            Some(statement) if self.network.scheduler.chance(70) => {
                let balance = statement.balance + 1_000;
                let body = Payload::encode(&Statement { balance, ..statement }).ok();
                self.inner.damage(StoredRow { body, ..row });
            }
            _ => self.inner.lose(stream),
        }
        self.observations.count(|report| report.damaged_rows += 1);
        // The repaired row may be older.
        self.written().remove(stream);
        true
    }

    fn written(&self) -> MutexGuard<'_, BTreeMap<StreamId, Version>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the version of a row. From now on no reader may see less.
    fn note(&self, StoredRow { stream, version, .. }: &StoredRow) {
        let before = self.written().insert(stream.clone(), *version).unwrap_or(Version::NONE);
        if *version < before {
            let rule = format!("the row of {stream} went back from {before} to {version}");
            self.observations.violated(rule);
        }
    }

    /// Removes at most this many rows for good, and returns their number.
    pub(crate) fn remove(&self, most: usize) -> usize {
        let rows = self.rows();
        let removed = rows.iter().take(most);
        for row in removed.clone() {
            self.inner.lose(&row.stream);
            self.index.lose(&row.stream);
            // A delayed function may still put an older row there.
            self.written().remove(&row.stream);
        }
        removed.count()
    }

    /// Records the write of a row.
    fn put_down(&self, row: &StoredRow) {
        if self.plant == Plant::NoTombstone && row.body.is_none() {
            self.inner.lose(&row.stream);
            return;
        }
        self.note(row);
        if self.lag.is_zero() {
            self.index.damage(row.clone());
            return;
        }
        let scheduler = self.network.scheduler.clone();
        let index = self.index.clone();
        let row = row.clone();
        let late = scheduler.within(self.lag);
        self.network.scheduler.spawn(async move {
            scheduler.sleep(late).await;
            if index.rows().iter().all(|it| it.stream != row.stream || it.version <= row.version) {
                index.damage(row);
            }
        });
    }
}

#[async_trait]
impl RowReader for SimulatedRows {
    async fn get(&self, stream: &StreamId) -> Result<Option<StoredRow>, ReadStoreError> {
        self.network.request().await?;
        self.inner.get(stream).await
    }

    async fn list(&self, listing: &Listing) -> Result<Vec<StoredRow>, ReadStoreError> {
        self.network.request().await?;
        if self.plant == Plant::TenantsShareLists {
            let tenant = tenant_beside(&listing.tenant);
            return self.index.list(&Listing { tenant, ..listing.clone() }).await;
        }
        self.index.list(listing).await
    }
}

#[async_trait]
impl RowStore for SimulatedRows {
    async fn put(&self, row: &StoredRow) -> Result<Written, ReadStoreError> {
        self.network.request().await?;
        let written = if self.plant == Plant::RowsUnconditional {
            self.inner.damage(row.clone());
            Written::Done
        } else {
            self.inner.put(row).await?
        };
        if written == Written::Done {
            self.put_down(row);
        }
        self.network.response(written).await
    }

    async fn replace(&self, seen: &StoredRow, row: &StoredRow) -> Result<Written, ReadStoreError> {
        self.network.request().await?;
        // Only repairs replace rows, and operators start them.
        self.network.scheduler.sleep(self.network.scheduler.within(5 * self.lag)).await;
        let written = if self.plant == Plant::RepairOverwrites {
            self.inner.damage(row.clone());
            Written::Done
        } else {
            self.inner.replace(seen, row).await?
        };
        if written == Written::Done {
            self.put_down(row);
        }
        self.network.response(written).await
    }
}
