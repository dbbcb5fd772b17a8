//! The ports of the handlers. Everything that can fail, wait or differ from run to run goes through a port, so a
//! simulator can run the same handlers as Lambda. Implementations of ports do not belong here.
//!
//! A function that must not write gets a reading port: [`EventReader`], [`RowReader`], [`TallyReader`],
//! [`PartReader`], [`GenerationReader`], [`KeyReader`].

mod claims_record;
mod clock;
mod counts;
mod dead_letters;
mod deadline_queue;
mod deadlines;
mod event_store;
mod export;
mod format;
mod generations;
mod keyring;
mod keys;
mod page;
mod part_store;
mod payload_store;
mod port_error;
mod publisher;
mod quarantine;
mod random;
mod read_table;
mod reservations;
mod row_store;
mod signer;
mod skips;
mod streams;
mod tally_store;
mod transaction;

pub use claims_record::{ClaimsBuild, ClaimsRecord, ClaimsState, Walk};
pub use clock::Clock;
pub use counts::{Count, CounterShard, CountsOfShard, MAX_COUNTED_GROUPS, MAX_COUNTERS, Sums};
pub use dead_letters::{DeadLetter, DeadLetters};
pub use deadline_queue::{DeadlineQueue, DeadlineQueueError, DueDeadline, MAX_DUE_DEADLINES};
pub use deadlines::{
    Cause, Deadline, DeadlineError, DeadlineKey, DeadlinePage, DeadlineStore, Pending,
    UnreadableDeadline,
};
pub use event_store::{
    AppendError, Base, CommitPage, EventReader, EventStore, MAX_PAGE_BYTES, Newest, Span,
    StoreError,
};
pub use export::{ExportError, ExportFiles, ExportMark, ExportProgress, ExportStored, MARK_PARTS};
pub use format::NewerFormat;
pub use generations::{
    CopyIndex, GenerationReader, GenerationStore, SegmentPlace, SegmentProgress,
};
pub use keyring::{ErasureReader, KeyEraser, KeyReader, Keyring, KeyringError};
pub use keys::{CounterKey, IndexKey, IndexOrder, IndexPartition, PartGroup, PartKey, PartOrder};
pub use page::{Page, PageWalk, Resume};
pub use part_store::{PartRange, PartReader, PartStore, StoredPart};
pub use payload_store::{PayloadError, PayloadStore};
pub use port_error::PortError;
pub use publisher::{EntryError, Limits, PublishError, Publisher, Unpublishable};
pub use quarantine::{Parked, Quarantine, QuarantineError};
pub use random::Random;
pub use read_table::{ReadTable, ReadView, RemovedPage};
pub use reservations::{Correction, Reservation, Reservations};
pub use row_store::{
    Listing, MAX_ROW_BYTES, ReadStoreError, RowReader, RowStore, StoredRow, Written,
};
pub use signer::{CertificateSigner, PublicKey, SignerError};
pub use skips::{Signature, Skip, SkipError, SkipReason, SkipRecord, SkipRegister, Skips};
pub use streams::{Segment, Streams, StreamsError};
pub use tally_store::{Added, Counted, Counter, Increment, Memo, Settled, TallyReader, TallyStore};
pub use transaction::{
    CommandRecord, InvalidTransaction, KeyChange, MAX_TRANSACTION_BYTES, MAX_TRANSACTION_ITEMS,
    StrictCommand, Transaction, Unchanged,
};
