//! Tests for your domain: given-when-then, the ports in memory, and the check that keeps a contract of events
//! compatible with its earlier versions.

mod amended;
mod given;
mod memory;
mod sandbox;
pub mod schemas;

pub use amended::{Amended, Amendment};
pub use given::Given;
pub use memory::{
    Fault, ManualClock, MemoryDeadlineStore, MemoryEventStore, MemoryGenerationStore,
    MemoryPayloadStore, MemoryPublisher, MemoryQuarantine, MemoryReadTable, MemoryRowStore,
    MemoryTallyStore, SeededRandom,
};
pub use sandbox::Sandbox;

/// Compiles and runs the examples of the repository's front page.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct FrontPage;
