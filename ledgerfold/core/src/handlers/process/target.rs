//! The streams that a process sends commands to.

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use super::{
    expiry::command_id,
    reconcile::{ScheduleError, fold, panicked, unreadable},
};
use crate::{
    Caller, Category, Command, CommandId, Decider, DecisionContext, Recorded, Rejection, StreamId,
    command::{
        CommandError, CommandHandler, CommandRequest, Context, JointDecider, JointHandler,
        JointRequest, Parts,
    },
    ports::{Clock, Deadline, EventReader, EventStore, Random},
    vocabulary::panics::guarded,
};

/// What a process sends its commands to.
///
/// | target | a command goes to | deadlines |
/// | --- | --- | --- |
/// | a [`Decider`] | one stream | yes |
/// | [`Joint`] | several streams at once | no |
///
/// All streams of a command belong to the tenant of the event, unless the target is [`AcrossTenants`].
#[async_trait]
pub trait Target: Send + Sync + 'static {
    /// The commands.
    type Command: Command;
    /// The address of a command: one stream or several.
    type To: Clone + fmt::Debug + Send + Sync;
    /// The stream of a deadline. A target without deadlines has no value of this type.
    type Waits: Into<StreamId> + Clone + fmt::Debug + Send + Sync;
    /// What handles the commands.
    type Handler: Send + Sync;

    /// The tenants that its commands may go to.
    const REACH: Reach = Reach::OwnTenant;

    /// The categories of the streams of a command, each once.
    fn categories() -> Vec<Category>;

    /// Whether a command goes to several streams at once.
    fn is_joint() -> bool;

    /// A handler over these ports.
    fn handler(
        log: Arc<dyn EventStore>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self::Handler;

    /// The streams of an address.
    fn streams(to: &Self::To) -> &[StreamId];

    /// The address of the command of a deadline on this stream; `None` if the target has no deadlines.
    fn at_deadline(stream: &StreamId) -> Option<Self::To>;

    /// Handles a command. Returns the number of its events.
    ///
    /// # Errors
    /// [`NotSent`].
    async fn send(
        handler: &Self::Handler,
        context: Context,
        to: Self::To,
        command: Self::Command,
        id: CommandId,
    ) -> Result<usize, NotSent>;

    /// Whether this command of a deadline is not in the log, and would change something.
    ///
    /// # Errors
    /// [`ScheduleError`].
    async fn is_open(
        deadline: &Deadline,
        caller: &Caller,
        command: &Self::Command,
        log: &dyn EventReader,
    ) -> Result<bool, ScheduleError>;
}

/// The tenants that the commands of a process may go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The tenant of the event.
    OwnTenant,
    /// Any tenant.
    AnyTenant,
}

/// A command of a process had no effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// The domain has answered, and refuses it. An earlier command under the same id also counts as an answer.
    #[error("{0}")]
    Refused(String),
    /// It was not answered, so it must be sent again.
    #[error("{0}")]
    Failed(String),
}

impl NotSent {
    /// A defect, for example a commit that is too large, is not an answer, because the command would be lost silently.
    fn of<R: Rejection>(error: &CommandError<R>) -> Self {
        let text = error.to_string();
        match error {
            CommandError::Rejected(_)
            | CommandError::Forbidden
            | CommandError::Hidden
            | CommandError::Reserved { .. }
            // An earlier version of the process sent another command under this id, and it took effect.
            | CommandError::Reused => Self::Refused(text),
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
            | CommandError::Panicked(_) => Self::Failed(text),
        }
    }
}

#[async_trait]
impl<D: Decider> Target for D {
    type Command = D::Command;
    type To = StreamId;
    type Waits = StreamId;
    type Handler = CommandHandler<D>;

    fn categories() -> Vec<Category> {
        vec![D::CATEGORY]
    }

    fn is_joint() -> bool {
        false
    }

    fn handler(
        log: Arc<dyn EventStore>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> CommandHandler<D> {
        CommandHandler::new(log, clock, random)
    }

    fn streams(to: &StreamId) -> &[StreamId] {
        std::slice::from_ref(to)
    }

    fn at_deadline(stream: &StreamId) -> Option<StreamId> {
        Some(stream.clone())
    }

    async fn send(
        handler: &CommandHandler<D>,
        context: Context,
        to: StreamId,
        command: D::Command,
        id: CommandId,
    ) -> Result<usize, NotSent> {
        let request = CommandRequest::in_context(context, to, command, id);
        let answer = handler.handle(&request).await.map_err(|error| NotSent::of(&error))?;
        Ok(answer.events.len())
    }

    async fn is_open(
        deadline: &Deadline,
        caller: &Caller,
        command: &D::Command,
        log: &dyn EventReader,
    ) -> Result<bool, ScheduleError> {
        let stream = &deadline.key.stream;
        let caught = |source| panicked(stream, source);
        let id = command_id(deadline);
        let start = (false, D::initial());
        let (is_done, state) = fold(stream, log, start, |(is_done, state), envelope| {
            let events = envelope.open::<D::Event>();
            let events = events.map_err(|source| unreadable(envelope, source))?.into_iter();
            let evolve = |state, event: Recorded<_>| D::evolve(state, &event.event);
            let state = guarded(|| events.fold(state, evolve)).map_err(caught)?;
            Ok((is_done || envelope.command_id == id, state))
        })
        .await?;
        // The command is sent when the deadline is due, or later.
        let context = DecisionContext { at: deadline.due, caller };
        let decided = guarded(|| D::decide(&state, command, &context)).map_err(caught)?;
        Ok(!is_done && decided.is_ok_and(|events| !events.is_empty()))
    }
}

/// A joint decider as the target of a process. Its commands go to several streams in one transaction. A deadline belongs
/// to one stream, so this target has none.
pub struct Joint<J>(std::marker::PhantomData<fn() -> J>);

/// The stream of a deadline of a target that has no deadlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoDeadline {}

impl From<NoDeadline> for StreamId {
    fn from(never: NoDeadline) -> Self {
        match never {}
    }
}

#[async_trait]
impl<J: JointDecider> Target for Joint<J> {
    type Command = J::Command;
    type To = <J::Parts as Parts>::Streams;
    type Waits = NoDeadline;
    type Handler = JointHandler<J>;

    fn categories() -> Vec<Category> {
        J::Parts::categories()
    }

    fn is_joint() -> bool {
        true
    }

    fn handler(
        log: Arc<dyn EventStore>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> JointHandler<J> {
        JointHandler::new(log, clock, random)
    }

    fn streams(to: &Self::To) -> &[StreamId] {
        to.as_ref()
    }

    fn at_deadline(_: &StreamId) -> Option<Self::To> {
        None
    }

    async fn send(
        handler: &JointHandler<J>,
        context: Context,
        to: Self::To,
        command: J::Command,
        id: CommandId,
    ) -> Result<usize, NotSent> {
        let request = JointRequest::in_context(context, to, command, id);
        let answers = handler.handle(&request).await.map_err(|error| NotSent::of(&error))?;
        Ok(answers.iter().map(|answer| answer.events.len()).sum())
    }

    async fn is_open(
        _: &Deadline,
        _: &Caller,
        _: &J::Command,
        _: &dyn EventReader,
    ) -> Result<bool, ScheduleError> {
        Ok(false)
    }
}

/// A target whose commands may go to another tenant than that of the event. A process without it can reach only its own
/// tenant, and a command to any other one fails.
pub struct AcrossTenants<T>(std::marker::PhantomData<fn() -> T>);

#[async_trait]
impl<T: Target> Target for AcrossTenants<T> {
    type Command = T::Command;
    type To = T::To;
    type Waits = T::Waits;
    type Handler = T::Handler;

    const REACH: Reach = Reach::AnyTenant;

    fn categories() -> Vec<Category> {
        T::categories()
    }

    fn is_joint() -> bool {
        T::is_joint()
    }

    fn handler(
        log: Arc<dyn EventStore>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> T::Handler {
        T::handler(log, clock, random)
    }

    fn streams(to: &T::To) -> &[StreamId] {
        T::streams(to)
    }

    fn at_deadline(stream: &StreamId) -> Option<T::To> {
        T::at_deadline(stream)
    }

    async fn send(
        handler: &T::Handler,
        context: Context,
        to: T::To,
        command: T::Command,
        id: CommandId,
    ) -> Result<usize, NotSent> {
        T::send(handler, context, to, command, id).await
    }

    async fn is_open(
        deadline: &Deadline,
        caller: &Caller,
        command: &T::Command,
        log: &dyn EventReader,
    ) -> Result<bool, ScheduleError> {
        T::is_open(deadline, caller, command, log).await
    }
}
