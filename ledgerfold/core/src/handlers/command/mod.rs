//! Commands: load, decide and append, and retry if another command was faster.
//!
//! Read [`handler`](CommandHandler) first, then `submission`, which processes every command. A domain's rules do not
//! belong here: they are its [`Decider`](crate::Decider).

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
mod state_cache;
mod submission;

pub use answer::{Answer, AnsweredEvent};
pub use error::CommandError;
pub use handler::CommandHandler;
pub use joint::{JointDecider, JointHandler, JointRequest};
pub use loaded::{LoadError, Loaded};
pub use loader::Loader;
pub use parts::Parts;
pub use request::{CommandRequest, Context, StreamHint};
