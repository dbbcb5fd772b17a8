use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Barrier;

use crate::order::{Command, Event, Order};

/// Why a command was not accepted.
#[derive(Debug)]
pub enum Failure {
    /// Another was faster, and the caller is to load and try again.
    Conflict,
    /// The domain refuses.
    Rejected,
    /// Anything else.
    Other(String),
}

impl Failure {
    pub fn other(error: impl std::fmt::Debug) -> Self {
        Self::Other(format!("{error:?}"))
    }

    /// What a caller is told, in short.
    pub fn label(&self) -> String {
        match self {
            Self::Conflict => "conflict".to_owned(),
            Self::Rejected => "rejected".to_owned(),
            Self::Other(text) => format!("other: {}", text.chars().take(80).collect::<String>()),
        }
    }
}

/// Who takes part.
#[async_trait]
pub trait Contestant: Send + Sync {
    fn name(&self) -> &'static str;

    /// Whether it neither loads nor decides, so that only the plain commands are for it.
    fn is_blind(&self) -> bool {
        false
    }

    /// Loads, decides, appends. `attempt` is the id of the command, for those who have such a thing.
    async fn execute(&self, id: &str, command: Command, attempt: &str) -> Result<(), Failure>;

    /// The same, but waits for the others between load and append.
    async fn race(
        &self,
        id: &str,
        command: Command,
        attempt: &str,
        gate: Arc<Barrier>,
    ) -> Result<(), Failure>;

    /// Writes events into a new stream, one by one or, where that is how it keeps them anyway, as many
    /// at a time as it takes: an item per event.
    async fn seed(&self, id: &str, events: Vec<Event>) -> Result<(), Failure>;

    /// Loads the state.
    async fn load(&self, id: &str) -> Result<Order, Failure>;
}
