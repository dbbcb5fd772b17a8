//! The connection to DynamoDB, before the first request needs it.
//!
//! Lambda starts a function with more of a processor than its memory setting gives it later. In a small function the TLS
//! handshake of the first call takes longer than the rest of the answer. So a function that answers requests makes one call
//! while it starts: it looks for a stream that does not exist, which costs a read unit.

use std::time::Duration;

use ledgerfold::{Category, EntityId, StreamId, ports::EventReader};
use tokio::time::timeout;

/// The longest wait. The function also starts without a connection, and the first request opens it.
const PATIENCE: Duration = Duration::from_secs(1);
/// No service has made an entity of this name.
const NOBODY: &str = "ledgerfold-first-connection";

/// Opens a connection with a call that the function's role allows.
pub(super) async fn open(log: &dyn EventReader, categories: &[Category]) {
    let Some(category) = categories.first() else { return };
    let Ok(nobody) = EntityId::new(NOBODY) else { return };
    let stream = StreamId::new(category.clone(), nobody);
    match timeout(PATIENCE, log.read_back(&stream, None, 1)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(%error, "no connection to the event table yet"),
        Err(_) => tracing::warn!("no connection to the event table yet"),
    }
}
