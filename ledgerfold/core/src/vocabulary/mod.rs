//! The vocabulary of event sourcing as types: ids, events, commits, deciders, snapshots and generations.
//!
//! All of them are plain values. Code with input or output belongs in a handler or an adapter, and nothing here uses
//! a port. The crate root exports the types that a domain needs. Handlers, adapters and tools import the rest from
//! here.

mod caller;
mod chain;
mod claim;
mod commands;
mod commit;
mod content;
mod decider;
mod delivery;
pub(crate) mod digest;
mod envelope;
mod erasure;
pub(crate) mod event;
pub(crate) mod fingerprint;
mod generation;
pub(crate) mod id;
mod opaque;
pub(crate) mod panics;
mod public;
mod recent;
mod record_copy;
pub mod schema;
pub mod sealed;
mod selection;
mod snapshot;
mod stream_id;
mod strict_json;
mod tenant_key;
mod version;

/// An instant in UTC, to the nanosecond. It is data only: keys and orders use versions.
pub use jiff::Timestamp;

pub use caller::{Access, Caller, Granted, Via};
pub use chain::CommitHash;
pub use claim::{Claim, UniqueKey};
pub use commands::{Decide, DecideSealing};
pub use commit::{
    CommandStamp, Commit, CommitEvent, CommitRef, CorruptCommit, MAX_EVENTS_PER_COMMIT, Metadata,
    NewCommit,
};
pub use content::ContentId;
pub use decider::{Command, Decider, DecisionContext, Idempotency, Rejection, RejectionKind};
pub use delivery::{Content, Delivery, FailedReceipt, Receipt, ReplayName};
pub use digest::derive_uuid;
pub use envelope::{Envelope, Recorded};
pub use erasure::{ErasureMark, ErasureRequest, ErasureState, LegalHold};
pub use event::{DecodeError, Decoded, EncodeError, Event, EventType, Payload, SchemaVersion};
pub use fingerprint::Fingerprint;
pub(crate) use generation::FIRST_NUMBER;
pub use generation::{
    Building, Generation, GenerationRef, Generations, InvalidChange, MissedEvent, Purpose, Retired,
};
pub use id::{
    Actor, Category, CausationId, CommandId, CommandName, CorrelationId, DeadlineName, EntityId,
    EventId, InvalidId, ProcessName, Role, Scope, Subject, TenantId, Traceparent,
};
pub use opaque::{ConsistencyToken, Cursor, DamagedToken};
pub use panics::{Panicked, guarded_future};
pub use public::{
    Form, NoPublicForm, PublicEvents, PublicForm, PublicForms, SeveralForms, Source, public_name,
};
pub use recent::{IDEMPOTENCY_WINDOW, RecentCommands};
pub use record_copy::{Mark, RecordCopy};
pub use selection::Selection;
pub use snapshot::{MAX_SNAPSHOT_BYTES, Snapshot, SnapshotPolicy, Snapshots, StateSchema};
pub use stream_id::StreamId;
pub use strict_json::{StrictJsonError, strict_json};
pub use tenant_key::{OfTenant, ReservedKey};
pub use version::{StreamVersion, Version};
