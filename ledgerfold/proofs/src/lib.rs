//! How this project proves itself: the rules that every adapter of a port must pass, and a service that replays recorded
//! answers. The simulator has a crate of its own, `ledgerfold-simulator`.
//!
//! A team that writes its own adapter runs the [`conformance`] suites on it. A team that writes a domain
//! needs `ledgerfold-testkit` only.

pub mod conformance;
mod recorded;

pub use recorded::{RecordedAnswer, RecordedService};
