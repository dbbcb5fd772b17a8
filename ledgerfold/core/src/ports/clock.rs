use std::time::Duration;

use async_trait::async_trait;

use crate::Timestamp;

/// Time.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The present time.
    fn now(&self) -> Timestamp;

    /// Returns when this much time has passed.
    async fn sleep(&self, time: Duration);
}
