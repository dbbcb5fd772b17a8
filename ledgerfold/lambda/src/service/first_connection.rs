//! The connections to DynamoDB, before the first request needs them.
//!
//! Lambda starts a function with more of a processor than its memory setting gives it later. In a small function the TLS
//! handshake of the first call takes longer than the rest of the answer. So a function that answers requests makes calls
//! while it starts: it looks for a stream that does not exist, which costs a read unit.

use std::time::Duration;

use futures::future::join_all;
use ledgerfold::{
    Category, EntityId, StreamId,
    ports::{EventReader, Span},
};
use tokio::time::timeout;

/// The longest wait. The function also starts without a connection, and the first request opens it.
const PATIENCE: Duration = Duration::from_secs(1);
/// No service has made an entity of this name.
const NOBODY: &str = "ledgerfold-first-connection";

/// Opens connections with calls that the function's role allows: as many as its first request makes at the same time.
pub(super) async fn open(log: &dyn EventReader, categories: &[Category], connections: usize) {
    let Some(category) = categories.first() else { return };
    let Ok(nobody) = EntityId::new(NOBODY) else { return };
    let stream = StreamId::of_default_tenant(category.clone(), nobody);
    let calls = join_all((0..connections).map(|_| log.read_back(&stream, Span::ALL, 1)));
    let failed = match timeout(PATIENCE, calls).await {
        Ok(answers) => answers.into_iter().find_map(Result::err).map(|error| error.to_string()),
        Err(_) => Some(format!("no answer in {PATIENCE:?}")),
    };
    if let Some(error) = failed {
        tracing::warn!(error, "no connection to the event table yet");
    }
}
