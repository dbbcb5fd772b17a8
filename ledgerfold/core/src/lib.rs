#![doc = include_str!("../README.md")]

mod handlers;
pub mod ports;
pub mod vocabulary;

pub use handlers::{
    chain, claims, command, context, erasure, generations, keyring, process, project, query,
    rebuild, reconcile, relay, waiting,
};
pub use vocabulary::{
    Access, Actor, Caller, Category, CausationId, Claim, Command, CommandId, CommandName,
    CorrelationId, DeadlineName, Decide, DecideSealing, Decider, DecisionContext, DecodeError,
    Decoded, EncodeError, EntityId, Envelope, Event, EventId, EventType, Granted, Idempotency,
    InvalidId, MAX_EVENTS_PER_COMMIT, Payload, ProcessName, PublicEvents, Recorded, Rejection,
    RejectionKind, ReservedKey, Role, SchemaVersion, Scope, SnapshotPolicy, Snapshots, StreamId,
    Subject, TenantId, Timestamp, Traceparent, UniqueKey, Version, Via, derive_uuid, schema,
    sealed,
};

/// The library that generates the JSON Schemas of events. A crate of events depends on it as on serde, or takes
/// it from here:
///
/// ```
/// use ledgerfold::{StreamId, Timestamp, schemars::JsonSchema};
/// use serde::{Deserialize, Serialize};
///
/// /// An amount was transferred.
/// #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
/// #[schemars(crate = "ledgerfold::schemars")]
/// pub struct Transferred {
///     /// The account that received it.
///     pub to: StreamId,
///     /// The day from which it bears interest.
///     pub valued_at: Option<Timestamp>,
/// }
/// ```
pub use schemars;

/// Used by the code that [`events!`] and [`commands!`] expand to, and by the library's own crates.
#[doc(hidden)]
pub mod __private {
    pub use crate::vocabulary::{
        event::declare::{Declared, Unknown, upcast},
        sealed::example_json,
    };
    pub use serde;
}
