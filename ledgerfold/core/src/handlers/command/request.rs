use super::{Answer, CommandError, Loaded};
use crate::{
    Actor, CausationId, Command, CommandId, CommandName, CorrelationId, Decider, EncodeError,
    EventId, Idempotency, Rejection, StreamId, Traceparent, Version,
    ports::{Clock, Once, Random},
    vocabulary::{CommandStamp, Commit, Fingerprint, Metadata, NewCommit},
};

/// A command with everything that goes with it.
#[derive(Clone, Debug)]
pub struct CommandRequest<C> {
    /// The stream it is for.
    pub stream: StreamId,
    /// What is asked.
    pub command: C,
    /// Which attempt this is; the same for every repetition.
    pub id: CommandId,
    /// Decide only if the stream is at this version.
    pub expected: Option<Version>,
    /// What the caller thinks of the stream. Wrong or right, the outcome is the same.
    pub hint: StreamHint,
    /// The circumstances.
    pub context: Context,
}

/// What a caller thinks of a stream, which tells the handler what to try first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StreamHint {
    /// Nothing.
    #[default]
    None,
    /// That it does not exist yet, because its id was made for this command: a creation that is right
    /// about that costs no read.
    New,
}

/// The circumstances of a command, which its commit remembers.
#[derive(Clone, Debug)]
pub struct Context {
    /// On whose behalf.
    pub actor: Actor,
    /// The conversation it belongs to.
    pub correlation_id: CorrelationId,
    /// What directly caused it.
    pub causation_id: CausationId,
    /// Where in a trace.
    pub traceparent: Option<Traceparent>,
}

/// Where a commit comes from.
#[doc(hidden)]
pub struct Origin<'a> {
    pub(super) id: &'a CommandId,
    pub(super) name: CommandName,
    pub(super) fingerprint: &'a Fingerprint,
    pub(super) context: &'a Context,
    pub(super) clock: &'a dyn Clock,
    pub(super) random: &'a dyn Random,
}

impl Origin<'_> {
    /// The commit of these events behind what was loaded.
    pub(super) fn commit<D: Decider>(
        &self,
        loaded: &Loaded<D>,
        events: &[D::Event],
    ) -> Result<NewCommit, EncodeError> {
        let now = self.clock.now();
        let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
        let new_id = || {
            let mut bytes = [0; 10];
            self.random.fill(&mut bytes);
            EventId::new(millis, &bytes)
        };
        let stamp = CommandStamp {
            id: self.id.clone(),
            name: self.name.clone(),
            fingerprint: self.fingerprint.clone(),
            siblings: Vec::new(),
        };
        let Context { actor, correlation_id, causation_id, traceparent } = self.context.clone();
        let metadata =
            Metadata { recorded_at: now, correlation_id, causation_id, actor, traceparent };
        loaded.commit(events, new_id, stamp, metadata)
    }
}

/// The answer to a command that has been committed before.
pub(super) fn repeated<R: Rejection>(
    commit: &Commit,
    fingerprint: &Fingerprint,
) -> Result<Answer, CommandError<R>> {
    same_request(&commit.command().fingerprint, fingerprint)?;
    Ok(Answer::from(commit))
}

/// Has this command recognised for ever, if it asks for that.
pub(super) fn once(
    command: &impl Command,
    id: &CommandId,
    fingerprint: &Fingerprint,
) -> Option<Once> {
    (command.idempotency() == Idempotency::Strict)
        .then(|| Once { command: id.clone(), fingerprint: fingerprint.clone() })
}

/// # Errors
/// [`CommandError::Reused`] if a command id was used for another request before.
pub(super) fn same_request<R: Rejection>(
    before: &Fingerprint,
    now: &Fingerprint,
) -> Result<(), CommandError<R>> {
    if now.agrees_with(before) { Ok(()) } else { Err(CommandError::Reused) }
}
