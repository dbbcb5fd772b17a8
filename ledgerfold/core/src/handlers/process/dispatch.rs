use std::sync::Arc;

use crate::{
    Caller, Command, CommandId, Rejection, StreamId,
    command::{CommandError, CommandHandler, CommandRequest, Context},
    ports::Cause,
};

use super::{CommandOf, ProcessManager};

/// Sends the commands of a process.
pub(super) struct Dispatch<P: ProcessManager> {
    commands: CommandHandler<P::Target>,
}

/// The outcome of a command that is not sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// The command took effect, now or earlier, or nothing needed to change.
    Done,
    /// The command was refused.
    Refused,
}

impl<P: ProcessManager> Dispatch<P> {
    pub(super) fn new(commands: CommandHandler<P::Target>) -> Arc<Self> {
        Arc::new(Self { commands })
    }

    /// Sends a command under this id.
    ///
    /// # Errors
    /// The reason to send it again.
    pub(super) async fn send(
        &self,
        id: CommandId,
        stream: StreamId,
        command: CommandOf<P>,
        cause: &Cause,
    ) -> Result<Settled, String> {
        let context = Context {
            caller: Caller::process(&P::NAME, stream.tenant().clone()),
            correlation_id: cause.correlation_id.clone(),
            causation_id: cause.event.into(),
            traceparent: cause.traceparent.clone(),
        };
        let name = command.name();
        let request = CommandRequest::in_context(context, stream, command, id);
        let stream = &request.stream;
        match self.commands.handle(&request).await {
            Ok(answer) => {
                let process = P::NAME;
                let events = answer.events.len();
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

/// Whether the domain has answered the command, so that it is not sent again. [`CommandError::Reused`] is an answer as
/// well: an earlier version of the process sent another command under this id, and it took effect.
///
/// A defect, for example a commit that is too large, is not final, because the command would be lost silently.
fn is_final<R: Rejection>(error: &CommandError<R>) -> bool {
    match error {
        CommandError::Rejected(_)
        | CommandError::Forbidden
        | CommandError::Hidden
        | CommandError::Reserved { .. }
        | CommandError::Reused => true,
        CommandError::ExpectedVersion { .. }
        | CommandError::Contention { .. }
        | CommandError::TooLarge(_)
        | CommandError::Transaction(_)
        | CommandError::SameStream { .. }
        | CommandError::NotAmongStreams { .. }
        | CommandError::NotReserved { .. }
        | CommandError::UnkeyedClaim(_)
        | CommandError::UndeclaredStrict(_)
        | CommandError::Load(_)
        | CommandError::Store(_)
        | CommandError::Encode(_)
        | CommandError::Panicked(_) => false,
    }
}
