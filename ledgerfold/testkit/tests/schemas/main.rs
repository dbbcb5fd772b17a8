//! Tests of the contract check, with every kind of change that it must notice.

#![allow(clippy::panic, reason = "a test may fail")]

mod changes;
mod contract;
mod folder;
mod public;
