//! The record of generations, with network faults.

use async_trait::async_trait;
use ledgerfold::{
    ports::{GenerationReader, GenerationStore, ReadStoreError, SegmentProgress, Written},
    vocabulary::Generations,
};

use crate::network::faults::Network;
use ledgerfold_testkit::MemoryGenerationStore;

/// The revision of every model in the simulation.
const REVISION: u32 = 1;

pub(crate) struct SimulatedGenerations {
    network: Network,
    /// The true records. Only the port's methods write them.
    inner: MemoryGenerationStore,
}

impl SimulatedGenerations {
    pub(crate) fn new(network: Network) -> Self {
        Self { network, inner: MemoryGenerationStore::default() }
    }

    /// The present record, or the first one, without a request.
    pub(crate) fn record(&self, projection: &str) -> Generations {
        self.inner.record(projection).unwrap_or(Generations::first(REVISION))
    }
}

#[async_trait]
impl GenerationReader for SimulatedGenerations {
    async fn read(&self, projection: &str) -> Result<Option<Generations>, ReadStoreError> {
        self.network.request().await?;
        self.inner.read(projection).await
    }
}

#[async_trait]
impl GenerationStore for SimulatedGenerations {
    async fn write(&self, projection: &str, new: &Generations) -> Result<Written, ReadStoreError> {
        self.network.request().await?;
        let written = self.inner.write(projection, new).await?;
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
