//! The handlers of the library. Each one takes ports and vocabulary, and does one job of a context. An adapter of a
//! port belongs in another crate.

pub mod chain;
pub mod claims;
pub mod command;
pub mod context;
pub mod erasure;
pub mod generations;
pub mod keyring;
pub mod process;
pub mod project;
pub mod query;
pub mod rebuild;
pub mod reconcile;
pub mod relay;
pub mod waiting;
