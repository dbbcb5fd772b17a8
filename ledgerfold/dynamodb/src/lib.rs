//! The log, the read tables and the deadlines on DynamoDB.
//!
//! | port | type | table |
//! | --- | --- | --- |
//! | [`EventStore`](ledgerfold::ports::EventStore) | [`DynamoEventStore`] | key `pk` (S), `sk` (N) |
//! | [`Streams`](ledgerfold::ports::Streams) | [`DynamoStreams`] | the same |
//! | [`Reservations`](ledgerfold::ports::Reservations) | [`DynamoEventStore`], with reservations | key `pk` (S) |
//! | [`RowStore`](ledgerfold::ports::RowStore) | [`DynamoRowStore`] | key `pk` (S); index: `ix` (S), `io` (S) |
//! | [`TallyStore`](ledgerfold::ports::TallyStore) | [`DynamoTallyStore`] | key `pk` (S), `sk` (S) |
//! | [`PartStore`](ledgerfold::ports::PartStore) | [`DynamoPartStore`] | key `pk` (S), `sk` (S) |
//! | [`DeadlineStore`](ledgerfold::ports::DeadlineStore) | [`DynamoDeadlineStore`] | key `pk` (S); index: `ix` (S), `io` (S) |
//! | [`Quarantine`](ledgerfold::ports::Quarantine) | [`DynamoQuarantine`] | key `pk` (S), `sk` (S) |
//! | [`SkipRegister`](ledgerfold::ports::SkipRegister) | [`DynamoSkips`] | the same |
//! | [`ReadTable`](ledgerfold::ports::ReadTable) | [`DynamoReadTable`] | either of these, with several generations |
//! | [`GenerationStore`](ledgerfold::ports::GenerationStore) | [`DynamoGenerationStore`] | key `pk` (S), `sk` (S) |
//! | [`ExportProgress`](ledgerfold::ports::ExportProgress) | [`DynamoExportProgress`] | key `pk` (S), `sk` (S) |
//!
//! Clients do the retries: give them a retry configuration and timeouts. A failure that remains is reported as
//! throttled, unavailable or refused.

mod batch_get;
mod deadlines;
mod event_store;
mod export_progress;
mod failure;
mod generations;
mod item;
mod keys;
mod part_store;
mod quarantine;
mod read_table;
mod record;
mod reservations;
mod row_store;
mod size;
mod skips;
mod stored;
mod streams;
mod tally_store;
mod transaction;

pub use deadlines::DynamoDeadlineStore;
pub use event_store::DynamoEventStore;
pub use export_progress::DynamoExportProgress;
pub use generations::DynamoGenerationStore;
pub use item::{CommitItem, UnreadableCommit};
pub use part_store::DynamoPartStore;
pub use quarantine::{DynamoQuarantine, ScopedParked};
pub use read_table::DynamoReadTable;
pub use record::CommandItem;
pub use row_store::DynamoRowStore;
pub use size::{MAX_CLAIMED_BYTES, MAX_EVENT_BYTES, MAX_ITEM_BYTES, item_size};
pub use skips::{DynamoSkips, ScopedSkip};
pub use streams::DynamoStreams;
pub use tally_store::DynamoTallyStore;
