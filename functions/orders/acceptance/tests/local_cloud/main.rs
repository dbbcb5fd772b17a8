//! The orders service end to end, on a running stack.
//!
//! One file per subject; one program, so that the AWS clients are linked once. Tests make their own
//! customers, orders and keys, and may run at the same time and any number of times on the same stack.
//! Those that disturb others, because they kill functions or replay the archive, wait until they are alone.

mod audit;
mod bus_audit;
mod checks;
mod command_line;
mod commands;
mod concurrency;
mod consistency;
mod crashes;
mod deadline;
mod faults;
mod forged;
mod idempotency;
mod invalid_bodies;
mod invalid_requests;
mod programs;
mod projections;
mod quarantine;
mod queries;
mod rebuild;
mod relay;
mod replay;
mod routes;
mod rules;
mod time_travel;
mod world;
