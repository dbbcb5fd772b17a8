//! The interface that every contestant implements.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Barrier;

use crate::order::{Command, Event, Order};

/// The reason why a command was not accepted.
#[derive(Debug)]
pub enum Failure {
    /// Another commit was faster. The caller should load and try again.
    Conflict,
    /// The domain rejected the command.
    Rejected,
    /// Anything else.
    Other(String),
}

impl Failure {
    pub fn other(error: impl std::fmt::Debug) -> Self {
        Self::Other(format!("{error:?}"))
    }

    /// A short label for the reports.
    pub fn label(&self) -> String {
        match self {
            Self::Conflict => "conflict".to_owned(),
            Self::Rejected => "rejected".to_owned(),
            Self::Other(text) => format!("other: {}", text.chars().take(80).collect::<String>()),
        }
    }
}

/// A library, or a hand-written baseline, that runs the same commands.
#[async_trait]
pub trait Contestant: Send + Sync {
    fn name(&self) -> &'static str;

    /// Whether it neither loads nor decides, so that only the plain commands can be measured.
    fn is_blind(&self) -> bool {
        false
    }

    /// Loads, decides and appends. `attempt` is the id of the command, for contestants that have command ids.
    async fn execute(&self, id: &str, command: Command, attempt: &str) -> Result<(), Failure>;

    /// The same, but waits for the other racers between load and append.
    async fn race(
        &self,
        id: &str,
        command: Command,
        attempt: &str,
        gate: Arc<Barrier>,
    ) -> Result<(), Failure>;

    /// Writes events into a new stream: one by one, or as many at a time as possible for a contestant that stores one
    /// event per item anyway.
    async fn seed(&self, id: &str, events: Vec<Event>) -> Result<(), Failure>;

    /// Loads the state.
    async fn load(&self, id: &str) -> Result<Order, Failure>;
}
