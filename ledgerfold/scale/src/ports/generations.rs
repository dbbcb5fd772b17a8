//! The records of generations.

use std::sync::Arc;

use async_trait::async_trait;
use ledgerfold::{
    ports::{
        CopyIndex, GenerationReader, GenerationStore, PortError, ReadStoreError, SegmentProgress,
        Written,
    },
    vocabulary::{Generations, RecordCopy},
};
use ledgerfold_testkit::MemoryGenerationStore;

use crate::{cloud::Cloud, domain::ready};

/// The name of the table.
const STATES: &str = "projection states";

/// The records of generations. Reading one costs a read unit of the projection's key, and reading a copy one of the
/// copy's key.
pub(crate) struct MeteredGenerations {
    pub(crate) cloud: Arc<Cloud>,
    pub(crate) records: Arc<MemoryGenerationStore>,
}

#[async_trait]
impl GenerationReader for MeteredGenerations {
    async fn read(&self, projection: &str) -> Result<Option<Generations>, ReadStoreError> {
        let read = || (ready(self.records.read(projection)), 1);
        let answer = self.cloud.read("GetItem", (STATES, projection), read).await;
        answer.map_err(|_| ReadStoreError::Port(PortError::Throttled))?
    }

    async fn read_copy(
        &self,
        projection: &str,
        copy: CopyIndex,
    ) -> Result<Option<RecordCopy>, ReadStoreError> {
        let key = format!("copy#{projection}#{}", copy.get());
        let read = || (ready(self.records.read_copy(projection, copy)), 1);
        let answer = self.cloud.read("GetItem", (STATES, &key), read).await;
        answer.map_err(|_| ReadStoreError::Port(PortError::Throttled))?
    }
}

/// Only the first record and its copies are written, before the load, so writes are not metered.
#[async_trait]
impl GenerationStore for MeteredGenerations {
    async fn write(&self, projection: &str, new: &Generations) -> Result<Written, ReadStoreError> {
        self.records.write(projection, new).await
    }

    async fn write_copy(
        &self,
        projection: &str,
        copy: CopyIndex,
        new: &RecordCopy,
    ) -> Result<Written, ReadStoreError> {
        self.records.write_copy(projection, copy, new).await
    }

    async fn progress(
        &self,
        projection: &str,
        run: u64,
    ) -> Result<Vec<SegmentProgress>, ReadStoreError> {
        self.records.progress(projection, run).await
    }

    async fn save(
        &self,
        projection: &str,
        run: u64,
        progress: &SegmentProgress,
    ) -> Result<(), ReadStoreError> {
        self.records.save(projection, run, progress).await
    }

    async fn forget(&self, projection: &str, run: u64) -> Result<(), ReadStoreError> {
        self.records.forget(projection, run).await
    }
}
