//! Where it is recorded which generations there are, when the network is bad.

use async_trait::async_trait;
use ledgerfold::{
    ports::{GenerationReader, GenerationStore, ReadStoreError, SegmentProgress, Written},
    vocabulary::Generations,
};

use crate::simulator::network::faults::Network;
use ledgerfold_testkit::MemoryGenerationStore;

/// The revision of every model in the simulation.
const REVISION: u32 = 1;

pub(in crate::simulator) struct SimulatedGenerations {
    way: Network,
    kept: MemoryGenerationStore,
}

impl SimulatedGenerations {
    pub(in crate::simulator) fn new(way: Network) -> Self {
        Self { way, kept: MemoryGenerationStore::default() }
    }

    /// The present record, or the first one, without a request.
    pub(in crate::simulator) fn record(&self, projection: &str) -> Generations {
        self.kept.record(projection).unwrap_or(Generations::first(REVISION))
    }
}

#[async_trait]
impl GenerationReader for SimulatedGenerations {
    async fn read(&self, projection: &str) -> Result<Option<Generations>, ReadStoreError> {
        self.way.there().await?;
        self.kept.read(projection).await
    }
}

#[async_trait]
impl GenerationStore for SimulatedGenerations {
    async fn write(&self, projection: &str, new: &Generations) -> Result<Written, ReadStoreError> {
        self.way.there().await?;
        let written = self.kept.write(projection, new).await?;
        self.way.back(written).await
    }

    async fn progress(
        &self,
        projection: &str,
        run: u64,
    ) -> Result<Vec<SegmentProgress>, ReadStoreError> {
        self.way.there().await?;
        self.kept.progress(projection, run).await
    }

    async fn save(
        &self,
        projection: &str,
        run: u64,
        progress: &SegmentProgress,
    ) -> Result<(), ReadStoreError> {
        self.way.there().await?;
        self.kept.save(projection, run, progress).await?;
        self.way.back(()).await
    }

    async fn forget(&self, projection: &str, run: u64) -> Result<(), ReadStoreError> {
        self.way.there().await?;
        self.kept.forget(projection, run).await?;
        self.way.back(()).await
    }
}
