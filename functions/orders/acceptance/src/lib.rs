//! Orders seen from outside.
//!
//! This crate knows the service only by its HTTP contract: no crate of the product is a dependency,
//! so a field that the service renames is a test that fails here. It holds
//!
//! - [`Client`] and [`model`]: the contract as a client program would write it down,
//! - [`Stack`] and [`aws`]: where the service runs, and the few AWS calls a test needs to look
//!   behind it (commits in the event table, queues, the archive),
//! - [`demo`]: the program behind `make demo`,
//! - [`processes`]: the function processes of a local cloud, so that a test can kill them,
//! - [`wait`]: waiting on a condition with a deadline, in place of sleeping.

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
