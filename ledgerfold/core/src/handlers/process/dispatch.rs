use std::sync::Arc;

use crate::{
    Actor, Command, CommandId, Rejection, StreamId,
    command::{CommandError, CommandHandler, CommandRequest, Context},
    ports::Cause,
};

use super::{CommandOf, ProcessManager};

/// Sends the commands of a process.
pub(super) struct Dispatch<P: ProcessManager> {
    commands: CommandHandler<P::Target>,
    actor: Actor,
}

/// The end of a command that will not be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// It took effect, now or before, or nothing needed to change.
    Done,
    /// It is refused for good.
    Refused,
}

impl<P: ProcessManager> Dispatch<P> {
    pub(super) fn new(commands: CommandHandler<P::Target>) -> Arc<Self> {
        Arc::new(Self { commands, actor: Actor::from(&P::NAME) })
    }

    /// Sends a command under this id.
    ///
    /// # Errors
    /// Why it is to be sent again.
    pub(super) async fn send(
        &self,
        id: CommandId,
        stream: StreamId,
        command: CommandOf<P>,
        cause: &Cause,
    ) -> Result<Settled, String> {
        let context = Context {
            actor: self.actor.clone(),
            correlation_id: cause.correlation_id.clone(),
            causation_id: cause.event.into(),
            traceparent: cause.traceparent.clone(),
        };
        let name = command.name();
        let request = CommandRequest::new(stream, command, id).in_context(context);
        let stream = &request.stream;
        match self.commands.handle(&request).await {
            Ok(answer) => {
                let (process, events) = (P::NAME, answer.events.len());
                tracing::info!(%process, %stream, command = %name, events, "command done");
                Ok(Settled::Done)
            }
            Err(error) if is_final(&error) => {
                let process = P::NAME;
                tracing::warn!(%process, %stream, command = %name, %error, "command refused");
                Ok(Settled::Refused)
            }
            Err(error) => Err(format!("{name} for {stream}: {error}")),
        }
    }
}

/// Whether sending the command again would be asking the domain a second time. An id that was used
/// for another request belongs to a command that took effect, before the process changed its mind.
///
/// A defect, as a commit that is too large, is not final: it would be lost, and not be seen.
fn is_final<R: Rejection>(error: &CommandError<R>) -> bool {
    match error {
        CommandError::Rejected(_) | CommandError::Reserved { .. } | CommandError::Reused => true,
        CommandError::ExpectedVersion { .. }
        | CommandError::Contention { .. }
        | CommandError::TooLarge(_)
        | CommandError::Transaction(_)
        | CommandError::SameStream { .. }
        | CommandError::NotReserved { .. }
        | CommandError::Load(_)
        | CommandError::Store(_)
        | CommandError::Encode(_)
        | CommandError::Panicked(_) => false,
    }
}
