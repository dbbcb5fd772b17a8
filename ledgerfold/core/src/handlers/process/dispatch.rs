use std::sync::Arc;

use crate::{Caller, Command, CommandId, StreamId, TenantId, command::Context, ports::Cause};

use super::{CommandOf, HandlerOf, NotSent, OnRefusal, ProcessManager, Target, ToOf};

/// Sends the commands of a process.
pub(super) struct Dispatch<P: ProcessManager> {
    commands: HandlerOf<P>,
}

impl<P: ProcessManager> Dispatch<P> {
    pub(super) fn new(commands: HandlerOf<P>) -> Arc<Self> {
        Arc::new(Self { commands })
    }

    /// Sends a command under this id. Afterwards the command took effect, now or earlier, or nothing needed to change, or
    /// the process ignores its refusal.
    ///
    /// # Errors
    /// The reason to send it again.
    pub(super) async fn send(
        &self,
        id: CommandId,
        to: ToOf<P>,
        command: CommandOf<P>,
        cause: &Cause,
    ) -> Result<(), String> {
        let (process, name) = (P::NAME, command.name());
        let streams = P::Target::streams(&to);
        let place = streams.iter().map(StreamId::to_string).collect::<Vec<_>>().join(", ");
        let tenant =
            streams.first().map_or_else(TenantId::default_tenant, |it| it.tenant().clone());
        let context = Context {
            caller: Caller::process(&process, tenant),
            correlation_id: cause.correlation_id.clone(),
            causation_id: cause.event.into(),
            traceparent: cause.traceparent.clone(),
        };
        match P::Target::send(&self.commands, context, to, command, id).await {
            Ok(events) => {
                tracing::info!(%process, streams = place, command = %name, events, "command done");
                Ok(())
            }
            Err(NotSent::Refused(error)) if P::ON_REFUSAL == OnRefusal::Ignore => {
                tracing::warn!(%process, streams = place, command = %name, error, "command refused");
                Ok(())
            }
            Err(NotSent::Refused(error)) => Err(format!("{name} for {place} was refused: {error}")),
            Err(NotSent::Failed(error)) => Err(format!("{name} for {place}: {error}")),
        }
    }
}
