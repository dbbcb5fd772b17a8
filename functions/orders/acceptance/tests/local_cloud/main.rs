//! End-to-end tests of the orders service on a running stack.
//!
//! There is one file per subject, but one program, so that the AWS clients are linked once. Tests create their own
//! customers, orders and keys, so they can run concurrently and repeatedly on the same stack. Tests that disturb
//! others, for example by killing functions or replaying the archive, wait until they are alone.

mod audit;
mod bus_audit;
mod callers;
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
mod waiting;
mod world;
