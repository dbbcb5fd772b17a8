use std::time::Duration;

use async_trait::async_trait;

use crate::Timestamp;

/// The time, and waiting.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> Timestamp;

    /// Waits for this long.
    async fn sleep(&self, time: Duration);
}
