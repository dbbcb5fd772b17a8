use std::{future::ready, sync::Arc};

use futures::{StreamExt, stream};

use super::{HandlerOf, ProcessManager, Reach, Reaction, Target, concerns, dispatch::Dispatch};
use crate::{
    CommandId, DecodeError, Envelope, StreamId, Version,
    ports::{
        Cause, Deadline, DeadlineError, DeadlineKey, DeadlineStore, EventReader, Span, StoreError,
    },
    vocabulary::{Content, Delivery, FailedReceipt, Panicked, panics::guarded},
};

/// How many messages of a batch are processed concurrently.
const CONCURRENT_MESSAGES: usize = 8;

/// Reacts to the messages of a queue. Their order does not matter, because every reaction depends on one event only.
pub struct ProcessHandler<P: ProcessManager> {
    settings: Arc<P::Settings>,
    dispatch: Arc<Dispatch<P>>,
    deadlines: Arc<dyn DeadlineStore>,
    log: Arc<dyn EventReader>,
}

impl<P: ProcessManager> Clone for ProcessHandler<P> {
    fn clone(&self) -> Self {
        Self {
            settings: self.settings.clone(),
            dispatch: self.dispatch.clone(),
            deadlines: self.deadlines.clone(),
            log: self.log.clone(),
        }
    }
}

/// Not all reactions to a message took effect, so the queue must deliver it again.
#[derive(Debug, thiserror::Error)]
enum ProcessError {
    #[error("{0}")]
    Unreadable(String),
    #[error("an event of {stream} cannot be read: {source}")]
    Event { stream: StreamId, source: DecodeError },
    #[error("the process failed: {0}")]
    Panicked(#[from] Panicked),
    #[error(transparent)]
    Log(#[from] StoreError),
    #[error(
        "a message points to a commit of {stream} up to {committed}, which the log does not have"
    )]
    NotInLog { stream: StreamId, committed: Version },
    #[error("the process sends a command at once, but declares that it only schedules deadlines")]
    OnlySchedules,
    #[error(
        "the process reacts to an event of {event} with {target}: only a process whose target is AcrossTenants reaches \
         another tenant"
    )]
    OtherTenant { event: StreamId, target: StreamId },
    #[error("{0}")]
    Command(String),
    #[error(transparent)]
    Deadline(#[from] DeadlineError),
}

impl<P: ProcessManager> ProcessHandler<P> {
    /// A handler that sends commands through `commands`, stores deadlines in `deadlines`, and reads events that are too
    /// large for the bus from `log`.
    pub fn new(
        settings: P::Settings,
        commands: HandlerOf<P>,
        deadlines: Arc<dyn DeadlineStore>,
        log: Arc<dyn EventReader>,
    ) -> Self {
        Self { settings: Arc::new(settings), dispatch: Dispatch::new(commands), deadlines, log }
    }

    /// Handles a batch, and returns the messages that must be delivered again. Replayed messages have no effect, and
    /// count as done. A failed message does not block the others.
    pub async fn handle(&self, deliveries: Vec<Delivery>) -> Vec<FailedReceipt> {
        let outcomes = stream::iter(deliveries).map(|delivery| async move {
            let receipt = delivery.receipt.clone();
            let reason = self.take(delivery).await.err()?.to_string();
            let process = P::NAME;
            tracing::error!(%process, message = receipt.0, reason, "message failed");
            Some(FailedReceipt { receipt, reason })
        });
        outcomes.buffer_unordered(CONCURRENT_MESSAGES).filter_map(ready).collect().await
    }

    async fn take(&self, delivery: Delivery) -> Result<(), ProcessError> {
        if delivery.replay.is_some() {
            tracing::info!(process = %P::NAME, "a process ignores replayed messages");
            return Ok(());
        }
        match delivery.content.map_err(ProcessError::Unreadable)? {
            Content::Event(envelope) => self.react(&envelope).await,
            Content::Pointer { stream, committed } => {
                for envelope in self.commit(stream, committed).await? {
                    self.react(&envelope).await?;
                }
                Ok(())
            }
        }
    }

    /// The events of the commit that ends at this version.
    async fn commit(
        &self,
        stream: StreamId,
        committed: Version,
    ) -> Result<Vec<Envelope>, ProcessError> {
        let page = self.log.read_back(&stream, Span::before(committed.next()), 1).await?;
        let commit = page.commits.into_iter().find(|commit| commit.to() == committed);
        let commit = commit.ok_or(ProcessError::NotInLog { stream, committed })?;
        Ok(commit.envelopes().collect())
    }

    async fn react(&self, envelope: &Envelope) -> Result<(), ProcessError> {
        if !concerns::<P>(envelope) {
            return Ok(());
        }
        let stream = &envelope.stream;
        let events = envelope.open::<P::Event>();
        let events = events
            .map_err(|source| ProcessError::Event { stream: stream.clone(), source })?
            .into_iter();
        let cause = Cause::of(envelope);
        let reactions: Vec<_> =
            guarded(|| events.flat_map(|event| P::react(&event, &self.settings)).collect())?;
        for (place, reaction) in reactions.into_iter().enumerate() {
            match reaction {
                Reaction::Send { .. } if P::ONLY_SCHEDULES => {
                    return Err(ProcessError::OnlySchedules);
                }
                Reaction::Send { to, command } => {
                    check_tenant::<P>(stream, P::Target::streams(&to))?;
                    let id = command_id::<P>(&cause, place);
                    let sent = self.dispatch.send(id, to, command, &cause).await;
                    sent.map_err(ProcessError::Command)?;
                }
                Reaction::Schedule { stream: waits, name, due } => {
                    let waits: StreamId = waits.into();
                    check_tenant::<P>(stream, std::slice::from_ref(&waits))?;
                    let key = DeadlineKey { process: P::NAME, stream: waits, name };
                    let deadline = Deadline { key, due, cause: cause.clone() };
                    let written = self.deadlines.schedule(&deadline).await?;
                    let Deadline { key, due, .. } = deadline;
                    tracing::info!(deadline = %key, %due, ?written, "deadline scheduled");
                }
            }
        }
        Ok(())
    }
}

/// # Errors
/// [`ProcessError::OtherTenant`] if one of the streams is out of the process's reach.
fn check_tenant<P: ProcessManager>(
    event: &StreamId,
    targets: &[StreamId],
) -> Result<(), ProcessError> {
    let foreign = targets.iter().find(|target| target.tenant() != event.tenant());
    match (P::Target::REACH, foreign) {
        (Reach::OwnTenant, Some(target)) => {
            Err(ProcessError::OtherTenant { event: event.clone(), target: target.clone() })
        }
        (Reach::OwnTenant, None) | (Reach::AnyTenant, _) => Ok(()),
    }
}

/// The id of the command that is an event's reaction at this position.
fn command_id<P: ProcessManager>(cause: &Cause, place: usize) -> CommandId {
    let event = cause.event.to_string();
    CommandId::derived(&["process", P::NAME.as_str(), &event, &place.to_string()])
}
