//! The record of generations and its copies, with network faults.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use ledgerfold::{
    ports::{
        CopyIndex, GenerationReader, GenerationStore, ReadStoreError, SegmentProgress, Written,
    },
    vocabulary::{Generations, Mark, RecordCopy},
};

use crate::{domain::observations::Observations, network::faults::Network, plan::plant::Plant};
use ledgerfold_testkit::MemoryGenerationStore;

/// The revision of every model in the simulation.
const REVISION: u32 = 1;

pub(crate) struct SimulatedGenerations {
    network: Network,
    observations: Arc<Observations>,
    plant: Plant,
    /// The true records and copies. Only the port's methods write them.
    inner: MemoryGenerationStore,
    /// The marks that the planted fault `MarkedAfterwards` keeps until the record is written. A mutex, because several
    /// changes run at once.
    held: Mutex<Vec<(CopyIndex, Mark)>>,
}

impl SimulatedGenerations {
    pub(crate) fn new((network, observations, plant): (Network, Arc<Observations>, Plant)) -> Self {
        let inner = MemoryGenerationStore::default();
        Self { network, observations, plant, inner, held: Mutex::default() }
    }

    /// The present record, or the first one, without a request.
    pub(crate) fn record(&self, projection: &str) -> Generations {
        self.inner.record(projection).unwrap_or(Generations::first(REVISION))
    }

    /// A copy that shows a record must have the layout of the present record. This is the rule that lets readers use it.
    fn check(&self, projection: &str, copy: Option<&RecordCopy>) {
        let Some(RecordCopy::Current(shown)) = copy else { return };
        let record = self.record(projection);
        if shown.layout() != record.layout() {
            let old = shown.number();
            let new = record.number();
            self.observations.violated(format!(
                "a copy showed record {old} of {projection} while the layout was that of record {new}"
            ));
        }
    }

    async fn put(
        &self,
        projection: &str,
        copy: CopyIndex,
        new: &RecordCopy,
    ) -> Result<Written, ReadStoreError> {
        match (self.plant, new) {
            (Plant::MarksLost, RecordCopy::Marked(_)) => Ok(Written::Done),
            (Plant::MarkedAfterwards, RecordCopy::Marked(mark)) => {
                self.held.lock().unwrap_or_else(PoisonError::into_inner).push((copy, *mark));
                Ok(Written::Done)
            }
            (Plant::CopiesUnconditional, _) => {
                self.inner.overwrite_copy(projection, copy, new.clone());
                Ok(Written::Done)
            }
            _ => self.inner.write_copy(projection, copy, new).await,
        }
    }

    /// Writes the marks that were held back.
    async fn release_marks(&self, projection: &str) -> Result<(), ReadStoreError> {
        let held = std::mem::take(&mut *self.held.lock().unwrap_or_else(PoisonError::into_inner));
        for (copy, mark) in held {
            self.network.faults.delay().await;
            self.inner.write_copy(projection, copy, &RecordCopy::Marked(mark)).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl GenerationReader for SimulatedGenerations {
    async fn read(&self, projection: &str) -> Result<Option<Generations>, ReadStoreError> {
        self.network.request().await?;
        self.inner.read(projection).await
    }

    async fn read_copy(
        &self,
        projection: &str,
        copy: CopyIndex,
    ) -> Result<Option<RecordCopy>, ReadStoreError> {
        self.network.request().await?;
        let copy = self.inner.read_copy(projection, copy).await?;
        self.check(projection, copy.as_ref());
        if let Some(RecordCopy::Marked(_)) = copy {
            self.observations.count(|report| report.marked_copies += 1);
        }
        Ok(copy)
    }
}

#[async_trait]
impl GenerationStore for SimulatedGenerations {
    async fn write(&self, projection: &str, new: &Generations) -> Result<Written, ReadStoreError> {
        self.network.request().await?;
        let is_renewal = *new == self.record(projection).renewed();
        let written = self.inner.write(projection, new).await?;
        if is_renewal && written == Written::Done {
            self.observations.count(|report| report.renewals += 1);
        }
        self.release_marks(projection).await?;
        self.network.response(written).await
    }

    async fn write_copy(
        &self,
        projection: &str,
        copy: CopyIndex,
        new: &RecordCopy,
    ) -> Result<Written, ReadStoreError> {
        self.network.request().await?;
        let written = self.put(projection, copy, new).await?;
        self.network.response(written).await
    }

    async fn progress(
        &self,
        projection: &str,
        run: u64,
    ) -> Result<Vec<SegmentProgress>, ReadStoreError> {
        self.network.request().await?;
        self.inner.progress(projection, run).await
    }

    async fn save(
        &self,
        projection: &str,
        run: u64,
        progress: &SegmentProgress,
    ) -> Result<(), ReadStoreError> {
        self.network.request().await?;
        self.inner.save(projection, run, progress).await?;
        self.network.response(()).await
    }

    async fn forget(&self, projection: &str, run: u64) -> Result<(), ReadStoreError> {
        self.network.request().await?;
        self.inner.forget(projection, run).await?;
        self.network.response(()).await
    }
}
