use async_trait::async_trait;

use super::PublishError;

/// The dead-letter queue of a relay. It gets a message for every commit that can never be published.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Sends a message. The message stays in the queue until an operator removes it. You may send the same message
    /// twice.
    ///
    /// # Errors
    /// [`PublishError`] if the message is not known to have been sent.
    async fn send(&self, letter: &DeadLetter) -> Result<(), PublishError>;
}

/// A message about a commit that can never be published as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The commit, for example `order#1 at 5`.
    pub commit: String,
    /// The reason, in one sentence.
    pub reason: String,
}
