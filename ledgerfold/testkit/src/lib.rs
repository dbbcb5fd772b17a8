//! Tools for tests of your domain:
//!
//! - [`Given`]: given-when-then examples of a decider;
//! - [`Sandbox`]: a domain in memory, with the real command handler and projections;
//! - in-memory ports such as [`MemoryEventStore`], which can fail on request;
//! - [`schemas`]: a check that events stay compatible with their published contract;
//! - [`bank`]: the example domain, and [`loyalty`]: a context that reads its public events;
//! - `http` (with the feature of that name) and [`eventually`]: a client and a waiter for end-to-end tests.
//!
//! Conformance suites for your own adapters are not here; they belong to `ledgerfold-proofs`.

pub mod bank;
mod given;
#[cfg(feature = "http")]
pub mod http;
pub mod loyalty;
mod sandbox;
pub mod schemas;
pub mod wait;

pub use given::Given;
pub use ledgerfold_memory::{
    Amended, Amendment, Fault, ManualClock, MemoryDeadlineQueue, MemoryDeadlineStore,
    MemoryEventStore, MemoryGenerationStore, MemoryPayloadStore, MemoryPublisher, MemoryQuarantine,
    MemoryReadSide, MemoryReadTable, MemoryRowStore, MemoryTallyStore, SeededRandom,
};
pub use sandbox::Sandbox;
pub use wait::eventually;

/// Compiles and runs the examples of the repository's front page.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct FrontPage;

/// Compiles and runs the examples about events.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/events.md")]
pub struct EventsPage;
