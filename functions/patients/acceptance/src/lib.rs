//! Tests and tools that use the patients service from outside.
//!
//! This crate knows the service only by its HTTP contract. It depends on no crate of the service, so if the service
//! renames a field, a test fails here. It contains
//!
//! - [`Client`]: the contract as a client program would define it,
//! - [`tables`]: manual changes of the event table,
//! - [`demo`]: the program behind `make demo CONTEXT=patients`.

pub mod client;
pub mod demo;
pub mod tables;

pub use client::{Caller, Client};
pub use ledgerfold_testkit::{
    eventually,
    http::{Answer, ClientError, Patience, Request, Stack},
    wait,
};
