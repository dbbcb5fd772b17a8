//! Tests of the core's handlers over ports in memory, including all faults that these ports can simulate.

#![allow(clippy::panic, reason = "a test may fail")]

mod audit;
mod audit_pages;
mod chain;
mod claims;
mod command;
mod context;
mod copies;
mod counting;
mod deadline_audit;
mod deadlines;
mod event_pages;
mod first_deployment;
mod foreign;
mod generations;
mod identity;
mod joint_commands;
mod keyring;
mod lending;
mod loads;
mod note_models;
mod owed;
mod panics;
mod parted;
mod process;
mod project;
mod public_events;
mod quarantine;
mod query;
mod reads;
mod rebuild;
mod rebuild_schedules;
mod relay;
mod sealing;
mod several_domains;
mod snapshots;
mod spot_check;
mod stage;
mod sweeps;
mod targets;
mod tenants;
mod transactions;
mod unreadable;
mod upcast;
mod warm;
