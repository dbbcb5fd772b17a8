//! An export over ports in memory.

mod back_fill;
mod compaction;
mod deaths;
mod faults;
mod sealed;
mod windows;
mod world;
