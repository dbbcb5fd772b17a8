//! The service behind HTTP, over ports in memory: batches, months, queries, roles, and the requests that they cost.

#![allow(clippy::panic, reason = "a test may fail")]

mod batches;
mod cost;
mod months;
mod roles;
mod timeline;
mod values;
mod world;
