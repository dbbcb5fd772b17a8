//! The quarantine of parked streams, with network faults.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use ledgerfold::{
    StreamId, Version,
    ports::{Clock, Page, Parked, PortError, Quarantine, QuarantineError, Skip, Skips},
};

use crate::{
    domain::observations::Observations,
    network::{faults::Network, scheduler::Signal},
    plan::plant::Plant,
};
use ledgerfold_testkit::MemoryQuarantine;

/// The longest delay between the last write to a read model and the release after it.
const LONGEST_RELEASE_DELAY: Duration = Duration::from_secs(15);

pub(crate) struct SimulatedQuarantine {
    network: Network,
    plant: Plant,
    observations: Arc<Observations>,
    /// The true entries. Only the port's methods write them.
    inner: MemoryQuarantine,
    /// Wakes the retries when a stream is parked.
    parked: Signal,
}

impl SimulatedQuarantine {
    pub(crate) fn new(network: Network, observations: Arc<Observations>, plant: Plant) -> Self {
        let parked = network.scheduler.signal();
        let inner = MemoryQuarantine::default();
        Self { network, plant, observations, inner, parked }
    }

    /// Waits until a stream is parked.
    pub(crate) async fn occupied(&self) {
        while self.is_empty() {
            self.parked.wait().await;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.inner.parked().is_empty()
    }

    async fn request(&self) -> Result<(), QuarantineError> {
        self.network.request().await.map_err(|_| QuarantineError::Port(PortError::Throttled))
    }

    async fn response<T>(&self, answer: T) -> Result<T, QuarantineError> {
        let answer = self.network.response(answer).await;
        answer.map_err(|error| QuarantineError::Port(PortError::Unavailable(Box::new(error))))
    }
}

#[async_trait]
impl Quarantine for SimulatedQuarantine {
    async fn park(&self, parked: &Parked) -> Result<(), QuarantineError> {
        self.request().await?;
        if self.plant != Plant::ParkedWithoutEntry {
            self.inner.park(parked).await?;
            self.observations.count(|report| report.parked += 1);
            self.parked.notify();
        }
        self.response(()).await
    }

    async fn release(&self, stream: &StreamId, reached: Version) -> Result<(), QuarantineError> {
        self.request().await?;
        if self.inner.get(stream).await?.is_some() {
            // A release is the last step of a projector, and may be delayed here.
            self.network
                .scheduler
                .sleep(self.network.scheduler.within(LONGEST_RELEASE_DELAY))
                .await;
        }
        let owed = match self.plant {
            Plant::DebtForgotten => self.inner.get(stream).await?.map(|parked| parked.owed_version),
            _ => None,
        };
        self.inner.release(stream, owed.unwrap_or(reached)).await?;
        self.response(()).await
    }

    async fn get(&self, stream: &StreamId) -> Result<Option<Parked>, QuarantineError> {
        self.request().await?;
        self.inner.get(stream).await
    }

    async fn list(
        &self,
        after: Option<&StreamId>,
    ) -> Result<Page<Parked, StreamId>, QuarantineError> {
        self.request().await?;
        self.inner.list(after).await
    }
}

#[async_trait]
impl Skips for SimulatedQuarantine {
    async fn find(
        &self,
        stream: &StreamId,
        version: Version,
    ) -> Result<Option<Skip>, QuarantineError> {
        self.request().await?;
        self.inner.find(stream, version).await
    }
}
