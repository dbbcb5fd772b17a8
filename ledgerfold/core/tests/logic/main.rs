//! The logic of the core over ports in memory: commands, relay, projectors and queries, against
//! every fault that those ports can be made to show.

#![allow(clippy::panic, reason = "a test may fail")]

mod audit;
mod claims;
mod command;
mod deadline_audit;
mod deadlines;
mod first_deployment;
mod generations;
mod identity;
mod lending;
mod owed;
mod panics;
mod process;
mod project;
mod quarantine;
mod query;
mod rebuild;
mod rebuild_schedules;
mod relay;
mod shelf;
mod snapshots;
mod spot_check;
mod stage;
mod transactions;
mod unreadable;
mod upcast;
mod warm;
