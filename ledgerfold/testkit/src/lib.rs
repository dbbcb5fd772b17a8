//! For tests: the ports in memory, given-when-then for domains, and the suites that every adapter
//! of a port must pass.

pub mod conformance;
mod given;
mod memory;

pub use given::Given;
pub use memory::{
    Fault, ManualClock, MemoryEventStore, MemoryPublisher, MemoryRowStore, MemoryTallyStore,
    SeededRandom,
};
