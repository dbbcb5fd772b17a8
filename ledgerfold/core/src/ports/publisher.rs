use async_trait::async_trait;

use crate::Envelope;

/// The bus.
#[async_trait]
pub trait Publisher: Send + Sync {
    /// The limits of one call.
    fn limits(&self) -> Limits;

    /// The number of bytes that this event takes in a call.
    ///
    /// # Errors
    /// [`Unpublishable`] if no call can hold it.
    fn weigh(&self, envelope: &Envelope) -> Result<usize, Unpublishable>;

    /// Publishes events within [`Publisher::limits`], and returns one result per event, in their order.
    ///
    /// # Errors
    /// [`PublishError`] if no event is known to have been published.
    async fn publish(
        &self,
        batch: &[Envelope],
    ) -> Result<Vec<Result<(), EntryError>>, PublishError>;
}

/// The limits of one call to the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most events.
    pub entries: usize,
    /// The most bytes, by [`Publisher::weigh`].
    pub bytes: usize,
}

/// An event that no call can hold.
#[derive(Debug, thiserror::Error)]
#[error("event {event} cannot be published: {reason}")]
pub struct Unpublishable {
    /// The event.
    pub event: String,
    /// The reason.
    pub reason: String,
}

/// The bus did not accept one event of a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The bus may accept it later.
    #[error("the bus did not accept an event: {0}")]
    NotTaken(String),
    /// The bus can never accept this event.
    #[error("the bus can never accept this event: {0}")]
    Invalid(String),
}

/// A call to the bus failed.
#[derive(Debug, thiserror::Error)]
#[error("the bus is not available: {0}")]
pub struct PublishError(#[source] pub Box<dyn std::error::Error + Send + Sync>);
