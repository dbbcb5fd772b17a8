use async_trait::async_trait;

use super::{Deadline, DeadlineKey, PortError};
use crate::EventId;

/// The most deadlines of one call to a [`DeadlineQueue`].
pub const MAX_DUE_DEADLINES: usize = 10;

/// The queue from which the workers of one process take its due deadlines.
///
/// It may deliver a message twice, late and in any order, and an operator may purge it. A deadline is never lost with
/// its message: it stays in the [`DeadlineStore`](super::DeadlineStore), and is sent again.
#[async_trait]
pub trait DeadlineQueue: Send + Sync {
    /// Sends at most [`MAX_DUE_DEADLINES`], and returns one result per deadline, in their order.
    ///
    /// # Errors
    /// [`DeadlineQueueError`] if no deadline is known to have been sent.
    async fn send(
        &self,
        batch: &[DueDeadline],
    ) -> Result<Vec<Result<(), DeadlineQueueError>>, DeadlineQueueError>;
}

/// A due deadline, as a message names it. A worker reads everything else from the store, so an old message cannot bring
/// back an old state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueDeadline {
    /// The deadline's identity.
    pub key: DeadlineKey,
    /// The event that scheduled it. It distinguishes the deadline from a later one with the same key.
    pub event: EventId,
}

impl From<&Deadline> for DueDeadline {
    fn from(Deadline { key, cause, .. }: &Deadline) -> Self {
        Self { key: key.clone(), event: cause.event }
    }
}

/// The queue did not take one or more deadlines.
#[derive(Debug, thiserror::Error)]
#[error("the queue of due deadlines {0}")]
pub struct DeadlineQueueError(#[from] pub PortError);
