use async_trait::async_trait;

use super::{
    UnknownModel,
    inbox::{Delivery, Receipt},
    projector::Projector,
    quarantine::{Healing, Which},
};
use crate::{
    Timestamp,
    ports::{QuarantineError, ReadStoreError},
};

/// What takes the messages of a projection's queue.
#[async_trait]
pub trait Consumer: Send + Sync {
    /// Takes a batch, and answers with the messages that must come again, each with the reason.
    async fn consume(&self, deliveries: Vec<Delivery>) -> Vec<(Receipt, String)>;

    /// Tries parked streams again, as [`Projector::heal`] does.
    ///
    /// # Errors
    /// [`HealError`] where the round cannot begin.
    async fn heal(&self, which: Which, until: Timestamp) -> Result<Healing, HealError>;
}

/// A round of healing could not begin. The next one may.
#[derive(Debug, thiserror::Error)]
pub enum HealError {
    /// The parked streams cannot be listed.
    #[error(transparent)]
    Quarantine(#[from] QuarantineError),
    /// Which generation is live cannot be read.
    #[error(transparent)]
    Generations(#[from] ReadStoreError),
    /// The program lacks the live generation's model.
    #[error(transparent)]
    Model(#[from] UnknownModel),
}

#[async_trait]
impl Consumer for Projector {
    async fn consume(&self, deliveries: Vec<Delivery>) -> Vec<(Receipt, String)> {
        self.project(deliveries).await
    }

    async fn heal(&self, which: Which, until: Timestamp) -> Result<Healing, HealError> {
        Ok(Self::heal(self, which, until).await?)
    }
}
