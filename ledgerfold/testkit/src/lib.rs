//! For tests: the ports in memory, given-when-then for domains, the suites that every adapter of a
//! port must pass, and the check that holds a contract to what was promised.

mod amended;
pub mod conformance;
mod given;
mod memory;
mod recorded;
pub mod schemas;
pub mod simulator;

pub use amended::{Amended, Amendment};
pub use given::Given;
pub use memory::{
    Fault, ManualClock, MemoryDeadlineStore, MemoryEventStore, MemoryGenerationStore,
    MemoryPayloadStore, MemoryPublisher, MemoryQuarantine, MemoryReadTable, MemoryRowStore,
    MemoryTallyStore, SeededRandom,
};
pub use recorded::{RecordedAnswer, RecordedService};

/// Compiles and runs the examples of the repository's front page.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct FrontPage;
