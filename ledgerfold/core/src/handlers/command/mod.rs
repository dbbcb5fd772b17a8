//! From a command to a commit: load, decide, append; and again when another was faster.

mod answer;
mod claiming;
mod error;
mod handler;
mod joint;
mod loaded;
mod loader;
mod request;
mod state_cache;

pub use answer::{Answer, AnsweredEvent};
pub use error::CommandError;
pub use handler::CommandHandler;
pub use joint::{JointDecider, JointHandler, JointRequest, Parts};
pub use loaded::{LoadError, Loaded};
pub use loader::Loader;
pub use request::{CommandRequest, Context, StreamHint};
