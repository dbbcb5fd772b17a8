//! The ports in memory. A test can request faults, for example failing writes or lost answers. `ledgerfold-testkit`
//! exports all of them.

mod amended;
mod deadline_queue;
mod deadline_store;
mod event_store;
mod export;
mod generations;
mod keyring;
mod part_store;
mod payload_store;
mod publisher;
mod quarantine;
mod read_side;
mod read_table;
mod reservations;
mod row_store;
mod signer;
mod tally_store;
mod time;

pub use amended::{Amended, Amendment};
pub use deadline_queue::MemoryDeadlineQueue;
pub use deadline_store::MemoryDeadlineStore;
pub use event_store::MemoryEventStore;
pub use export::{MemoryExportFiles, MemoryExportProgress};
pub use generations::MemoryGenerationStore;
pub use keyring::MemoryKeyring;
pub use part_store::MemoryPartStore;
pub use payload_store::MemoryPayloadStore;
pub use publisher::{Fault, MemoryPublisher};
pub use quarantine::MemoryQuarantine;
pub use read_side::MemoryReadSide;
pub use read_table::MemoryReadTable;
pub use row_store::MemoryRowStore;
pub use signer::MemorySigner;
pub use tally_store::MemoryTallyStore;
pub use time::{ManualClock, SeededRandom};
