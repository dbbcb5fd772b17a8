use std::{sync::Arc, time::Duration};

use crate::{
    Actor, CausationId, Command, CommandId, CommandStamp, Commit, CorrelationId, Decider,
    EncodeError, EventId, EventType, Fingerprint, MAX_EVENTS_PER_COMMIT, Metadata, Rejection,
    StreamId, Traceparent, Version,
    backoff::Backoff,
    command::{LoadError, Loaded},
    ports::{AppendError, Clock, EventStore, Random, StoreError},
};

/// How often a command is decided before contention is reported.
const BACKOFF: Backoff =
    Backoff { attempts: 10, first: Duration::from_millis(5), longest: Duration::from_millis(200) };

/// Takes commands to commits.
///
/// A command has at most one effect, however often it is sent: its id is part of its commit, and a
/// repeated command meets that commit while it loads the stream, or as the winner of its append.
#[derive(Clone)]
pub struct CommandHandler {
    store: Arc<dyn EventStore>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

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
    /// The circumstances.
    pub context: Context,
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

/// What a command did. A repeated command gets what the first one got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The stream.
    pub stream: StreamId,
    /// Its version after the command.
    pub version: Version,
    /// The events of the command, oldest first; none if nothing needed to change.
    pub events: Vec<AnsweredEvent>,
}

/// An event as an answer names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnsweredEvent {
    /// Its identity.
    pub id: EventId,
    /// What happened.
    pub event_type: EventType,
    /// Its place in the stream.
    pub version: Version,
}

/// A command had no effect. Only [`CommandError::Store`] with [`StoreError::Unavailable`] leaves
/// that open, and sending the command again with the same id settles it.
#[derive(Debug, thiserror::Error)]
pub enum CommandError<R: Rejection> {
    /// The domain refuses it.
    #[error(transparent)]
    Rejected(R),
    /// The stream is not at the version that the caller expects.
    #[error("the version is {actual}, and not {expected}")]
    ExpectedVersion {
        /// What the caller expects.
        expected: Version,
        /// What is.
        actual: Version,
    },
    /// The command id was used before, for another request.
    #[error("the command id was used before, for another request")]
    Reused,
    /// Others were faster each time.
    #[error("others changed {stream} first, {attempts} times in a row")]
    Contention {
        /// The stream.
        stream: StreamId,
        /// How often it was tried.
        attempts: u32,
    },
    /// The decision does not fit into one commit.
    #[error("the decision is too large: {0}")]
    TooLarge(String),
    /// The stream cannot be read.
    #[error(transparent)]
    Load(LoadError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A command or an event cannot be written as JSON.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

impl<R: Rejection> From<LoadError> for CommandError<R> {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Store(error) => Self::Store(error),
            other => Self::Load(other),
        }
    }
}

impl CommandHandler {
    /// A handler over these ports.
    pub fn new(store: Arc<dyn EventStore>, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { store, clock, random }
    }

    /// Handles one command: loads its stream, decides, appends, and does so again, a bounded number
    /// of times and with jitter, when another command was faster.
    ///
    /// Costs one read of the stream and one append where nobody interferes, and the read alone for a
    /// repeated or refused command.
    ///
    /// # Errors
    /// [`CommandError`]; nothing is committed then.
    pub async fn handle<D: Decider>(
        &self,
        request: &CommandRequest<D::Command>,
    ) -> Result<Answer, CommandError<D::Rejection>> {
        let fingerprint = Fingerprint::of(&request.command)?;
        let mut loaded = Loaded::<D>::unread(request.stream.clone());
        for attempt in 0..BACKOFF.attempts {
            BACKOFF.wait(attempt, &*self.clock, &*self.random).await;
            if let Some(commit) = loaded.read_on(&*self.store, &request.id).await? {
                return repeated(&commit, &fingerprint);
            }
            let events = decide(&loaded, request)?;
            if events.is_empty() {
                return Ok(Answer {
                    stream: request.stream.clone(),
                    version: loaded.version(),
                    events: Vec::new(),
                });
            }
            let commit = self.commit(&loaded, &events, request, &fingerprint)?;
            match self.store.append(&commit).await {
                Ok(()) => return Ok(Answer::from(commit.as_commit())),
                Err(AppendError::Conflict { winner }) if winner.command().id == request.id => {
                    return repeated(&winner, &fingerprint);
                }
                Err(AppendError::Conflict { .. }) => {}
                Err(error @ AppendError::TooLarge { .. }) => {
                    return Err(CommandError::TooLarge(error.to_string()));
                }
                Err(AppendError::Store(error)) => return Err(error.into()),
            }
        }
        Err(CommandError::Contention { stream: request.stream.clone(), attempts: BACKOFF.attempts })
    }

    fn commit<D: Decider>(
        &self,
        loaded: &Loaded<D>,
        events: &[D::Event],
        request: &CommandRequest<D::Command>,
        fingerprint: &Fingerprint,
    ) -> Result<crate::NewCommit, EncodeError> {
        let now = self.clock.now();
        let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
        let new_id = || {
            let mut random = [0; 10];
            self.random.fill(&mut random);
            EventId::new(millis, &random)
        };
        let context = &request.context;
        loaded.commit(
            events,
            new_id,
            CommandStamp {
                id: request.id.clone(),
                name: request.command.name(),
                fingerprint: fingerprint.clone(),
            },
            Metadata {
                recorded_at: now,
                correlation_id: context.correlation_id.clone(),
                causation_id: context.causation_id.clone(),
                actor: context.actor.clone(),
                traceparent: context.traceparent.clone(),
            },
        )
    }
}

/// The decision on what was loaded, within the caller's expectation.
///
/// Of a stream that does not exist the domain speaks first: "there is no such order" tells a caller
/// more than "it is not at version 3" (RFC 9110, section 13.2.1, has it so as well).
fn decide<D: Decider>(
    loaded: &Loaded<D>,
    request: &CommandRequest<D::Command>,
) -> Result<Vec<D::Event>, CommandError<D::Rejection>> {
    let actual = loaded.version();
    let unexpected = request.expected.filter(|expected| *expected != actual);
    if let Some(expected) = unexpected
        && actual != Version::NONE
    {
        return Err(CommandError::ExpectedVersion { expected, actual });
    }
    let events = D::decide(loaded.state(), &request.command).map_err(CommandError::Rejected)?;
    if let Some(expected) = unexpected {
        return Err(CommandError::ExpectedVersion { expected, actual });
    }
    if events.len() > MAX_EVENTS_PER_COMMIT {
        let count = events.len();
        return Err(CommandError::TooLarge(format!(
            "it makes {count} events, and a commit holds at most {MAX_EVENTS_PER_COMMIT}"
        )));
    }
    Ok(events)
}

/// The answer to a command that has been committed before.
fn repeated<R: Rejection>(
    commit: &Commit,
    fingerprint: &Fingerprint,
) -> Result<Answer, CommandError<R>> {
    if commit.command().fingerprint == *fingerprint {
        Ok(Answer::from(commit))
    } else {
        Err(CommandError::Reused)
    }
}

impl From<&Commit> for Answer {
    fn from(commit: &Commit) -> Self {
        Self {
            stream: commit.stream().clone(),
            version: commit.to(),
            events: commit
                .events()
                .map(|(version, event)| AnsweredEvent {
                    id: event.id,
                    event_type: event.event_type.clone(),
                    version,
                })
                .collect(),
        }
    }
}
