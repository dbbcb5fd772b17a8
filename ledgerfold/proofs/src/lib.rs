//! How this project proves itself: the rules that every adapter of a port must pass, the simulator that runs
//! the library under seeded schedules, and a service that replays recorded answers.
//!
//! A team that writes its own adapter runs the [`conformance`] suites on it. A team that writes a domain
//! needs `ledgerfold-testkit` only.

pub mod conformance;
mod recorded;
pub mod simulator;

pub use recorded::{RecordedAnswer, RecordedService};
