//! The ports in memory, with faults to order.

mod deadline_store;
mod event_store;
mod generations;
mod payload_store;
mod publisher;
mod quarantine;
mod read_table;
mod reservations;
mod row_store;
mod tally_store;
mod time;

use ledgerfold::ports::ReadStoreError;

pub use deadline_store::MemoryDeadlineStore;
pub use event_store::MemoryEventStore;
pub use generations::MemoryGenerationStore;
pub use payload_store::MemoryPayloadStore;
pub use publisher::{Fault, MemoryPublisher};
pub use quarantine::MemoryQuarantine;
pub use read_table::MemoryReadTable;
pub use row_store::MemoryRowStore;
pub use tally_store::MemoryTallyStore;
pub use time::{ManualClock, SeededRandom};

/// What DynamoDB takes as one item.
const MAX_ITEM_BYTES: usize = 400 * 1_024;

fn fits(bytes: usize) -> Result<(), ReadStoreError> {
    if bytes > MAX_ITEM_BYTES {
        return Err(ReadStoreError::TooLarge(format!("{bytes} bytes in an item").into()));
    }
    Ok(())
}
