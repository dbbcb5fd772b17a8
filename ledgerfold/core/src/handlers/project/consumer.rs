use async_trait::async_trait;

use super::{
    UnknownModel,
    projector::Projector,
    quarantine::{RetryScope, RetrySummary},
};
use crate::{
    Timestamp,
    ports::{QuarantineError, ReadStoreError},
    vocabulary::{Delivery, Receipt},
};

/// What takes the messages of a projection's queue.
#[async_trait]
pub trait Consumer: Send + Sync {
    /// Takes a batch, and answers with the messages that must come again, each with the reason.
    async fn consume(&self, deliveries: Vec<Delivery>) -> Vec<(Receipt, String)>;

    /// Tries parked streams again, as [`Projector::retry_parked`] does.
    ///
    /// # Errors
    /// [`RetryError`] where the round cannot begin.
    async fn retry_parked(
        &self,
        which: RetryScope,
        until: Timestamp,
    ) -> Result<RetrySummary, RetryError>;
}

/// A round of healing could not begin. The next one may.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
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

    async fn retry_parked(
        &self,
        which: RetryScope,
        until: Timestamp,
    ) -> Result<RetrySummary, RetryError> {
        Ok(Self::retry_parked(self, which, until).await?)
    }
}
