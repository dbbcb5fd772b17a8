//! Tests and tools that use the orders service from outside.
//!
//! This crate knows the service only by its HTTP contract. It depends on no crate of the product, so if the service
//! renames a field, a test fails here. It contains
//!
//! - [`Client`] and [`model`]: the contract as a client program would define it,
//! - [`Stack`] and [`aws`]: the location of the service, and the AWS calls of tests to inspect commits, queues and the
//!   archive,
//! - [`demo`]: the program behind `make demo`,
//! - [`processes`]: the function processes of a local cloud, so that a test can kill them,
//! - [`wait`]: waiting for a condition with a deadline, instead of sleeping.

pub mod answer;
pub mod aws;
pub mod client;
pub mod demo;
pub mod model;
pub mod processes;
pub mod stack;
pub mod wait;

pub use answer::{Answer, Essence};
pub use client::{Client, ClientError, Patience, Request};
pub use stack::Stack;
pub use wait::eventually;
