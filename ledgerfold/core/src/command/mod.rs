//! From a command to a commit: load, decide, append; and again when another was faster.

mod handler;
mod loaded;

pub use handler::{Answer, AnsweredEvent, CommandError, CommandHandler, CommandRequest, Context};
pub use loaded::{LoadError, Loaded};
