use async_trait::async_trait;

use super::PublishError;

/// The dead-letter queue of a relay: it takes a message for every commit that can never be published.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Leaves word; it stays until somebody takes it away. Leaving the same twice does no harm.
    ///
    /// # Errors
    /// [`PublishError`] if it is not known to have been left.
    async fn send(&self, letter: &DeadLetter) -> Result<(), PublishError>;
}

/// Word of a commit that can never be published as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Which one, as `order#1 at 5`.
    pub commit: String,
    /// Why, in a sentence.
    pub reason: String,
}
