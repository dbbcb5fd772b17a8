//! Where streams stand parked, when the network is bad.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use ledgerfold::{
    StreamId, Version,
    ports::{Clock, Page, Parked, PortError, Quarantine, QuarantineError, Skip, Skips},
};

use crate::simulator::{
    domain::observations::Observations,
    network::{faults::Network, scheduler::Signal},
    plan::plant::Plant,
};
use ledgerfold_testkit::MemoryQuarantine;

/// The longest between the last write to a read model and the release that follows from it.
const HELD_UP: Duration = Duration::from_secs(15);

pub(in crate::simulator) struct SimulatedQuarantine {
    way: Network,
    plant: Plant,
    observations: Arc<Observations>,
    kept: MemoryQuarantine,
    parked: Signal,
}

impl SimulatedQuarantine {
    pub(in crate::simulator) fn new(
        way: Network,
        observations: Arc<Observations>,
        plant: Plant,
    ) -> Self {
        let (parked, kept) = (way.scheduler.bell(), MemoryQuarantine::default());
        Self { way, plant, observations, kept, parked }
    }

    /// Waits until a stream stands parked.
    pub(in crate::simulator) async fn occupied(&self) {
        while self.is_empty() {
            self.parked.wait().await;
        }
    }

    pub(in crate::simulator) fn is_empty(&self) -> bool {
        self.kept.parked().is_empty()
    }

    async fn there(&self) -> Result<(), QuarantineError> {
        self.way.there().await.map_err(|_| QuarantineError::Port(PortError::Throttled))
    }

    async fn back<T>(&self, answer: T) -> Result<T, QuarantineError> {
        let answer = self.way.back(answer).await;
        answer.map_err(|error| QuarantineError::Port(PortError::Unavailable(Box::new(error))))
    }
}

#[async_trait]
impl Quarantine for SimulatedQuarantine {
    async fn park(&self, parked: &Parked) -> Result<(), QuarantineError> {
        self.there().await?;
        if self.plant != Plant::ParkedWithoutEntry {
            self.kept.park(parked).await?;
            self.observations.count(|report| report.parked += 1);
            self.parked.ring();
        }
        self.back(()).await
    }

    async fn release(&self, stream: &StreamId, reached: Version) -> Result<(), QuarantineError> {
        self.there().await?;
        if self.kept.get(stream).await?.is_some() {
            // A release is the last step of a projector, and may be delayed here.
            self.way.scheduler.sleep(self.way.scheduler.within(HELD_UP)).await;
        }
        let owed = match self.plant {
            Plant::DebtForgotten => self.kept.get(stream).await?.map(|parked| parked.owed_version),
            _ => None,
        };
        self.kept.release(stream, owed.unwrap_or(reached)).await?;
        self.back(()).await
    }

    async fn get(&self, stream: &StreamId) -> Result<Option<Parked>, QuarantineError> {
        self.there().await?;
        self.kept.get(stream).await
    }

    async fn list(
        &self,
        after: Option<&StreamId>,
    ) -> Result<Page<Parked, StreamId>, QuarantineError> {
        self.there().await?;
        self.kept.list(after).await
    }
}

#[async_trait]
impl Skips for SimulatedQuarantine {
    async fn find(
        &self,
        stream: &StreamId,
        version: Version,
    ) -> Result<Option<Skip>, QuarantineError> {
        self.there().await?;
        self.kept.find(stream, version).await
    }
}
