use crate::{Caller, CausationId, CommandId, CorrelationId, StreamId, Traceparent, Version};

/// A command for one stream.
///
/// The caller, the stream, the command and its id are enough; everything else is optional.
///
/// ```
/// # use ledgerfold::{Caller, CommandId, StreamId, Version, command::CommandRequest};
/// # fn request<C>(caller: Caller, stream: StreamId, pay: C, id: CommandId) -> CommandRequest<C> {
/// CommandRequest::new(caller, stream, pay, id).expecting(Version::new(3))
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct CommandRequest<C> {
    /// The stream that the command changes.
    pub stream: StreamId,
    /// The command.
    pub command: C,
    /// The identity of the command. Every repetition carries the same id.
    pub id: CommandId,
    /// Handle the command only if the stream is at this version.
    pub expected: Option<Version>,
    /// A guess about the stream. It saves a read if it is right, and costs nothing if it is wrong.
    pub hint: StreamHint,
    /// The circumstances that the commit records.
    pub context: Context,
}

impl<C> CommandRequest<C> {
    /// A command without an expected version or a hint, in the context of [`Context::of`].
    pub fn new(caller: Caller, stream: StreamId, command: C, id: CommandId) -> Self {
        Self::in_context(Context::of(caller, &id), stream, command, id)
    }

    /// A command without an expected version or a hint, in these circumstances.
    pub const fn in_context(context: Context, stream: StreamId, command: C, id: CommandId) -> Self {
        Self { stream, command, id, expected: None, hint: StreamHint::None, context }
    }

    /// The same command, handled only if the stream is at this version.
    #[must_use]
    pub fn expecting(self, version: impl Into<Option<Version>>) -> Self {
        Self { expected: version.into(), ..self }
    }

    /// The same command with a guess about its stream.
    #[must_use]
    pub fn with_hint(self, hint: StreamHint) -> Self {
        Self { hint, ..self }
    }
}

/// A guess about a stream. It tells the handler how to begin, and never changes the outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StreamHint {
    /// The caller knows nothing about the stream.
    #[default]
    None,
    /// The stream does not exist yet, because its id was generated for this command. If that is true,
    /// the command costs no read.
    New,
}

/// The circumstances of a command. The commit records them, and of the caller only the subject, as its actor.
#[derive(Clone, Debug)]
pub struct Context {
    /// The caller on whose behalf the command runs. Its tenant must be the tenant of the streams.
    pub caller: Caller,
    /// The conversation that the command belongs to.
    pub correlation_id: CorrelationId,
    /// The command or event that directly caused this command.
    pub causation_id: CausationId,
    /// The position in a trace.
    pub traceparent: Option<Traceparent>,
}

impl Context {
    /// The context of a command that begins a conversation: the command's own id is its correlation and cause.
    pub fn of(caller: Caller, id: &CommandId) -> Self {
        Self {
            caller,
            correlation_id: CorrelationId::from(id),
            causation_id: CausationId::from(id),
            traceparent: None,
        }
    }
}
