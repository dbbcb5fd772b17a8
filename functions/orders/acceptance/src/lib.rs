//! Tests and tools that use the orders service from outside.
//!
//! This crate knows the service only by its HTTP contract. It depends on no crate of the service, so if the service
//! renames a field, a test fails here. It contains
//!
//! - [`Client`] and [`model`]: the contract as a client program would define it,
//! - [`Stack`] and [`aws`]: the location of the service, and the AWS calls of tests to inspect commits, queues and the
//!   archive,
//! - [`demo`]: the program behind `make demo`.

pub mod aws;
pub mod client;
pub mod demo;
pub mod model;

pub use client::Client;
pub use ledgerfold_testkit::{
    eventually,
    http::{Answer, ClientError, Essence, Patience, Request, Stack},
    wait,
};
