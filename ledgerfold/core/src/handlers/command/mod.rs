//! Commands: load, decide and append, and retry if another command was faster.
//!
//! Read [`handler`](CommandHandler) first, then `submission`, which processes every command. A domain's rules do not
//! belong here: they are its [`Decider`](crate::Decider).

mod access;
mod answer;
mod claiming;
mod draft;
mod error;
mod handler;
mod joint;
mod loaded;
mod loader;
mod origin;
mod parts;
mod request;
mod snapshot_check;
mod state_cache;
mod stream_reader;
mod submission;

pub use answer::{Answer, AnsweredEvent};
pub use error::CommandError;
pub use handler::CommandHandler;
pub use joint::{JointDecider, JointHandler, JointRequest};
pub use loaded::{LoadError, Loaded};
pub use loader::Loader;
pub use parts::Parts;
pub use request::{CommandRequest, Context, StreamHint};
pub use snapshot_check::{SnapshotChecks, SnapshotFault, SnapshotFinding};
pub use stream_reader::{CurrentState, StreamReader};
