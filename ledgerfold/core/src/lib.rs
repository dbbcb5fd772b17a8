#![doc = include_str!("../README.md")]

mod backoff;
mod claim;
mod commit;
mod content;
mod decider;
mod digest;
mod envelope;
mod event;
mod id;
mod opaque;
mod recent;
mod snapshot;
mod version;

pub mod command;
pub mod ports;
pub mod project;
pub mod query;
pub mod relay;

pub use claim::{Claim, UniqueKey};
pub use commit::{
    CommandStamp, Commit, CommitEvent, CorruptCommit, MAX_EVENTS_PER_COMMIT, Metadata, NewCommit,
};
pub use content::ContentId;
pub use decider::{Command, Decider, Idempotency, Rejection, RejectionKind};
pub use digest::{Fingerprint, derive_uuid};
pub use envelope::{Envelope, Recorded};
pub use event::{DecodeError, EncodeError, Event, EventType, Payload, SchemaVersion};
pub use id::{
    Actor, Category, CausationId, CommandId, CommandName, CorrelationId, EntityId, EventId,
    InvalidId, StreamId, Traceparent,
};
pub use opaque::{ConsistencyToken, Cursor, DamagedToken};
pub use recent::{IDEMPOTENCY_WINDOW, RecentCommands};
pub use snapshot::{MAX_SNAPSHOT_BYTES, Snapshot, SnapshotPolicy, Snapshots, StateSchema};
pub use version::Version;

/// An instant in UTC, to the nanosecond. Events carry it as data; nothing is keyed or ordered by it.
pub use jiff::Timestamp;

#[doc(hidden)]
pub mod __private {
    pub use serde;
    pub use serde_json;
}
