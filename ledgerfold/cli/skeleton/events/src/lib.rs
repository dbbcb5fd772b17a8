//! The contract of the context __name__: its events. Any team may depend on this crate to read them from the bus.

use ledgerfold::events;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

events! {
    /// The events of a task.
    pub enum TaskEvent {
        TaskAdded: 1,
        TaskFinished: 1,
    }
}

/// Somebody added a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskAdded {
    /// What there is to do.
    pub title: String,
}

/// The task is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskFinished {}
