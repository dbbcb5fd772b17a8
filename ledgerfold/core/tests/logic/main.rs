//! Tests of the core's handlers over ports in memory, including all faults that these ports can simulate.

#![allow(clippy::panic, reason = "a test may fail")]

mod audit;
mod claims;
mod command;
mod context;
mod copies;
mod counting;
mod deadline_audit;
mod deadlines;
mod first_deployment;
mod foreign;
mod generations;
mod identity;
mod lending;
mod loads;
mod note_models;
mod owed;
mod panics;
mod process;
mod project;
mod public_events;
mod quarantine;
mod query;
mod rebuild;
mod rebuild_schedules;
mod relay;
mod snapshots;
mod spot_check;
mod stage;
mod sweeps;
mod transactions;
mod unreadable;
mod upcast;
mod warm;
