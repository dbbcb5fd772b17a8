use async_trait::async_trait;

use super::{
    inbox::{Delivery, Receipt},
    projector::Projector,
};

/// What takes the messages of a queue.
#[async_trait]
pub trait Consumer: Send + Sync {
    /// Takes a batch, and answers with the messages that must come again, each with the reason.
    async fn consume(&self, deliveries: Vec<Delivery>) -> Vec<(Receipt, String)>;
}

#[async_trait]
impl Consumer for Projector {
    async fn consume(&self, deliveries: Vec<Delivery>) -> Vec<(Receipt, String)> {
        self.project(deliveries).await
    }
}
