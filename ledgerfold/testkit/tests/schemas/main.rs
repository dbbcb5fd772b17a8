//! The check of a contract, against every kind of change that it is there to notice.

#![allow(clippy::panic, reason = "a test may fail")]

mod changes;
mod contract;
mod folder;
