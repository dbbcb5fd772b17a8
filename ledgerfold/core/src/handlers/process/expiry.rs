use std::sync::Arc;

use async_trait::async_trait;

use super::{HandlerOf, ProcessManager, Target, dispatch::Dispatch};
use crate::{CommandId, ProcessName, ports::Deadline, vocabulary::panics::guarded};

/// The action for a due deadline of one process.
#[async_trait]
pub trait Expiry: Send + Sync {
    /// The name of the process.
    fn process(&self) -> &ProcessName;

    /// Sends the deadline's command. If it returns `Ok`, the deadline is done: the command took effect, now or earlier,
    /// or the process ignores its refusal, or the process does not need it any more.
    ///
    /// # Errors
    /// [`Unfulfilled`] if the deadline must be tried again.
    async fn expire(&self, deadline: &Deadline) -> Result<(), Unfulfilled>;
}

/// A deadline's command did not take effect, and is still needed. Contains the reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unfulfilled(pub String);

/// The deadlines of a process manager.
pub struct ProcessExpiry<P: ProcessManager> {
    process: ProcessName,
    dispatch: Arc<Dispatch<P>>,
}

impl<P: ProcessManager> ProcessExpiry<P> {
    /// The deadlines of `P`. Their commands are sent through this handler.
    pub fn new(commands: HandlerOf<P>) -> Self {
        Self { process: P::NAME, dispatch: Dispatch::new(commands) }
    }
}

#[async_trait]
impl<P: ProcessManager> Expiry for ProcessExpiry<P> {
    fn process(&self) -> &ProcessName {
        &self.process
    }

    async fn expire(&self, deadline: &Deadline) -> Result<(), Unfulfilled> {
        let Deadline { key, cause, .. } = deadline;
        let command = guarded(|| P::expire(key));
        let command = command.map_err(|panicked| Unfulfilled(panicked.to_string()))?;
        let to = P::Target::at_deadline(&key.stream);
        let Some((to, command)) = to.zip(command) else {
            tracing::warn!(deadline = %key, "the process does not need this deadline any more");
            return Ok(());
        };
        let id = command_id(deadline);
        self.dispatch.send(id, to, command, cause).await.map_err(Unfulfilled)
    }
}

/// The id of a deadline's command: the same in every worker.
pub(super) fn command_id(Deadline { key, cause, .. }: &Deadline) -> CommandId {
    CommandId::derived(&["deadline", &cause.event.to_string(), &key.to_string()])
}
