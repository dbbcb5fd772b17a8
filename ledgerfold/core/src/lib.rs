#![doc = include_str!("../README.md")]

mod backoff;
mod claim;
mod commit;
mod content;
mod decider;
mod digest;
mod envelope;
mod event;
mod fingerprint;
mod id;
mod opaque;
mod pace;
mod panics;
mod recent;
mod snapshot;
mod version;

pub mod audit;
pub mod claims;
pub mod command;
pub mod ports;
pub mod process;
pub mod project;
pub mod query;
pub mod rebuild;
pub mod relay;
pub mod schema;

pub use claim::{Claim, UniqueKey};
pub use commit::{
    CommandStamp, Commit, CommitEvent, CorruptCommit, MAX_EVENTS_PER_COMMIT, Metadata, NewCommit,
    Place,
};
pub use content::ContentId;
pub use decider::{Command, Decider, Idempotency, Rejection, RejectionKind};
pub use digest::derive_uuid;
pub use envelope::{Envelope, Recorded};
pub use event::{DecodeError, Decoded, EncodeError, Event, EventType, Payload, SchemaVersion};
pub use fingerprint::Fingerprint;
pub use id::{
    Actor, Category, CausationId, CommandId, CommandName, CorrelationId, DeadlineName, EntityId,
    EventId, InvalidId, ProcessName, StreamId, Traceparent,
};
pub use opaque::{ConsistencyToken, Cursor, DamagedToken};
pub use pace::Pace;
pub use panics::{Panicked, guarded_future};
pub use recent::{IDEMPOTENCY_WINDOW, RecentCommands};
pub use snapshot::{MAX_SNAPSHOT_BYTES, Snapshot, SnapshotPolicy, Snapshots, StateSchema};
pub use version::Version;

/// An instant in UTC, to the nanosecond. Events carry it as data; nothing is keyed or ordered by it.
pub use jiff::Timestamp;

/// What JSON Schemas of events are generated with. A crate of events depends on it as it does on
/// serde, or takes it from here:
///
/// ```
/// use ledgerfold::{StreamId, Timestamp, schemars::JsonSchema};
/// use serde::{Deserialize, Serialize};
///
/// /// A lamp was switched on.
/// #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
/// #[schemars(crate = "ledgerfold::schemars")]
/// pub struct SwitchedOn {
///     /// By which switch.
///     pub switch: StreamId,
///     /// When it will be switched off.
///     pub until: Option<Timestamp>,
/// }
/// ```
pub use schemars;

/// What [`events!`] expands to.
#[doc(hidden)]
pub mod __private {
    pub use crate::event::declare::{Declared, Unknown, upcast};
}
