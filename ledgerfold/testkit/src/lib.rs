//! Tools for tests of your domain:
//!
//! - [`Given`] and [`GivenTogether`]: given-when-then examples of a decider of one stream, or of several;
//! - [`Sandbox`]: a domain in memory, with the real command handler and projections;
//! - in-memory ports such as [`MemoryEventStore`], which can fail on request, and [`CountedLog`], which lists its requests;
//! - [`schemas`]: a check that events stay compatible with their published contract;
//! - [`keys_of`]: keys for examples of a domain that seals;
//! - [`bank`]: the example domain, [`loyalty`]: a context that reads its public events, and [`clinic`]: a context that
//!   seals;
//! - `http` (with the feature of that name) and [`eventually`]: a client and a waiter for end-to-end tests.
//!
//! Conformance suites for your own adapters are not here; they belong to `ledgerfold-proofs`.

pub mod bank;
pub mod clinic;
mod counted;
mod decided;
mod given;
#[cfg(feature = "http")]
pub mod http;
mod keys;
pub mod loyalty;
mod sandbox;
pub mod schemas;
mod together;
pub mod wait;

pub use counted::CountedLog;
pub use decided::Decided;
pub use given::Given;
pub use keys::{erased_keys_of, keys_of};
pub use ledgerfold_memory::{
    Amended, Amendment, Fault, ManualClock, MemoryDeadlineQueue, MemoryDeadlineStore,
    MemoryEventStore, MemoryExportFiles, MemoryExportProgress, MemoryGenerationStore,
    MemoryKeyring, MemoryPartStore, MemoryPayloadStore, MemoryPublisher, MemoryQuarantine,
    MemoryReadSide, MemoryReadTable, MemoryRowStore, MemorySigner, MemoryTallyStore, SeededRandom,
};
pub use sandbox::Sandbox;
pub use together::{Folded, GivenTogether};
pub use wait::eventually;

/// Compiles and runs the examples of the repository's front page.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct FrontPage;

/// Compiles and runs the examples about events.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/events.md")]
pub struct EventsPage;
