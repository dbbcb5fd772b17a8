//! The command line: looks inside a log, its read models and its queues, and repairs them.
//!
//! The binary `ledgerfold` has the commands that need no domain code. [`Admin`] has the others, `audit`,
//! `repair`, `rebuild`, `claims` and `generations`: a team builds its own binary of a few lines, which adds
//! the read models and the domains that claim unique keys.
//!
//! | exit code | means |
//! | --- | --- |
//! | 0 | success |
//! | 1 | error, for example a table that does not answer or a file that cannot be read |
//! | 2 | wrong usage |
//! | 3 | an audit or a verification found faults, a repair or a build of claims could not remove all, a rebuilt generation has faults, or a load got answers that its scenario does not expect |
//!
//! With `--json` every command writes one JSON document to standard output. Errors go to standard error.

/// Additions and changes to the template of a context, for [`Admin::changing`].
pub use ledgerfold_infra::Changes;

mod admin;
mod admin_program;
mod completions;
mod connection;
mod costs;
mod dead_letters;
mod deadlines;
mod duration;
mod error;
mod load;
mod new_project;
mod output;
mod parked;
mod replay;
mod show;
mod stack;
mod stream_name;
mod streams;
mod tail;
mod target;
mod token;
mod transparency;
mod verify_certificate;
mod verify_chain;

pub mod command_line;

pub use admin::{Admin, EventWalk, LogReport, Outcome, ReportError, ReportLog, StreamWalk};
