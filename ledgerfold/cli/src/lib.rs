//! The command line: looking inside a log, its read models and its queues.
//!
//! The binary `ledgerfold` holds what needs no knowledge of a domain. [`Admin`] is the rest, `audit`,
//! `repair`, `rebuild` and `claims`: a team's own binary of a few lines gives it the read models, and the
//! domains that claim unique keys.
//!
//! | exit code | means |
//! | --- | --- |
//! | 0 | all is well |
//! | 1 | trouble: a table or queue that does not answer, a file that cannot be read |
//! | 2 | it was called wrongly |
//! | 3 | the audit found something, the repair or a build of claims had to leave something, or what was rebuilt is not sound |
//!
//! With `--json` every command writes one JSON document to standard output. What goes wrong is said
//! on standard error.

mod admin;
mod completions;
mod connection;
mod costs;
mod dead_letters;
mod deadlines;
mod error;
mod forward;
mod output;
mod parked;
mod replay;
mod show;
mod stack;
mod streams;
mod tail;
mod target;

pub mod command_line;

pub use admin::Admin;
