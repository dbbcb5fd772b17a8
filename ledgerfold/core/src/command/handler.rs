use std::{sync::Arc, time::Duration};

use super::{
    Answer, CommandError, CommandRequest, Loaded, Loader, Presumption,
    error::Refusal,
    request::{Origin, repeated},
    states::States,
};
use crate::{
    Command, Decider, EncodeError, Fingerprint, Idempotency, MAX_EVENTS_PER_COMMIT, NewCommit,
    Version,
    backoff::Backoff,
    ports::{AppendError, Clock, EventStore, Place, Random, Transaction},
};

/// How often a command is decided before contention is reported.
pub(super) const BACKOFF: Backoff =
    Backoff { attempts: 10, first: Duration::from_millis(5), longest: Duration::from_millis(200) };

/// How much a handler remembers, in bytes, unless it is told otherwise.
const REMEMBERED_BYTES: usize = 32 * 1024 * 1024;

/// Takes the commands of one domain to commits.
///
/// A command has at most one effect, however often it is sent: its id is part of its commit, and a
/// repeated command meets that commit while it loads the stream, or as the winner of its append.
///
/// A handler remembers the streams it has worked on, and tries the next command on what it
/// remembers: that saves the read. It can be wrong about the present and still not answer wrongly,
/// because an append is refused where it does not fit, and everything else is confirmed by a read.
pub struct CommandHandler<D: Decider> {
    shared: Arc<Shared<D>>,
}

struct Shared<D: Decider> {
    store: Arc<dyn EventStore>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    loader: Loader<D>,
    states: States<D>,
}

impl<D: Decider> Clone for CommandHandler<D> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

/// What is to be done about a command.
enum Step<D: Decider> {
    Append(Vec<D::Event>),
    Answer(Answer),
}

type Outcome<T, D> = Result<T, CommandError<<D as Decider>::Rejection>>;

impl<D: Decider> CommandHandler<D> {
    /// A handler over these ports, which remembers up to 32 MB of states.
    pub fn new(store: Arc<dyn EventStore>, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self::remembering(REMEMBERED_BYTES, store, clock, random)
    }

    /// A handler that remembers so many bytes of states; with 0 it reads a stream for each command.
    pub fn remembering(
        bytes: usize,
        store: Arc<dyn EventStore>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        let (loader, states) = (Loader::new(), States::within(bytes));
        Self { shared: Arc::new(Shared { store, clock, random, loader, states }) }
    }

    /// Handles one command: decides on what it remembers of the stream or else reads, appends, and
    /// does so again, a bounded number of times and with jitter, when another command was faster.
    ///
    /// Costs one append where the stream is remembered and nobody interferes; a read more where it is
    /// not; the read alone for a repeated or refused command.
    ///
    /// # Errors
    /// [`CommandError`]; nothing is committed then.
    pub async fn handle(&self, request: &CommandRequest<D::Command>) -> Outcome<Answer, D> {
        let fingerprint = Fingerprint::of(&request.command)?;
        // A creation is tried on nothing even where its stream is remembered: if it is a repeated one,
        // its first commit is in its way, however long ago that was.
        let remembered = match request.presumption {
            Presumption::None => self.shared.states.take(&request.stream),
            Presumption::New => None,
        };
        let to_try = remembered.is_some() || request.presumption == Presumption::New;
        let mut loaded = remembered.unwrap_or_else(|| Loaded::unread(request.stream.clone()));
        let outcome = self.shared.settle(&mut loaded, to_try, request, &fingerprint).await;
        self.shared.states.put(loaded);
        outcome
    }
}

impl<D: Decider> Shared<D> {
    /// `to_try`: whether `loaded` is worth a try before the log is read.
    async fn settle(
        &self,
        loaded: &mut Loaded<D>,
        to_try: bool,
        request: &CommandRequest<D::Command>,
        fingerprint: &Fingerprint,
    ) -> Outcome<Answer, D> {
        for attempt in 0..BACKOFF.attempts {
            BACKOFF.wait(attempt, &*self.clock, &*self.random).await;
            let to_try = to_try && attempt == 0;
            let events = match self.consider(loaded, to_try, request, fingerprint).await? {
                Step::Append(events) => events,
                Step::Answer(answer) => return Ok(answer),
            };
            let commit = self.draft(loaded, &events, request, fingerprint)?;
            match self.append(&commit, &events, request).await? {
                Ok(()) => {
                    self.loader.advance(loaded, commit.as_commit(), &events);
                    return Ok(Answer::from(commit.as_commit()));
                }
                Err(AppendError::Conflict { winner }) if winner.command().id == request.id => {
                    return repeated(&winner, fingerprint);
                }
                Err(error) => match Refusal::from(error) {
                    Refusal::Again => {}
                    Refusal::Final(error) => return Err(error),
                    Refusal::Committed(places) => return self.first(&places, fingerprint).await,
                },
            }
        }
        Err(CommandError::Contention {
            streams: request.stream.to_string(),
            attempts: BACKOFF.attempts,
        })
    }

    /// Decides. On what may be old, only a decision that is appended counts: a refusal, "nothing to
    /// do" and an expectation that fails may have been true once, and are asked again of the present.
    async fn consider(
        &self,
        loaded: &mut Loaded<D>,
        to_try: bool,
        request: &CommandRequest<D::Command>,
        fingerprint: &Fingerprint,
    ) -> Outcome<Step<D>, D> {
        if to_try {
            let before = self.loader.recall(&*self.store, loaded, &request.id).await?;
            if let Some(commit) = before {
                return repeated(&commit, fingerprint).map(Step::Answer);
            }
            if let Ok(events) = decide(loaded, request)
                && !events.is_empty()
            {
                return Ok(Step::Append(events));
            }
        }
        if let Some(commit) = self.loader.catch_up(&*self.store, loaded, &request.id).await? {
            return repeated(&commit, fingerprint).map(Step::Answer);
        }
        let events = decide(loaded, request)?;
        if events.is_empty() {
            let (stream, version) = (request.stream.clone(), loaded.version());
            return Ok(Step::Answer(Answer { stream, version, events: Vec::new() }));
        }
        Ok(Step::Append(events))
    }

    /// The commit of these events, with a snapshot where one is due.
    fn draft(
        &self,
        loaded: &Loaded<D>,
        events: &[D::Event],
        request: &CommandRequest<D::Command>,
        fingerprint: &Fingerprint,
    ) -> Result<NewCommit, EncodeError> {
        let origin = Origin {
            id: &request.id,
            name: request.command.name(),
            fingerprint,
            context: &request.context,
            clock: &*self.clock,
            random: &*self.random,
        };
        self.loader.with_snapshot(loaded, events, origin.commit(loaded, events)?)
    }

    /// What a command did that is recognised for ever.
    async fn first(&self, places: &[Place], fingerprint: &Fingerprint) -> Outcome<Answer, D> {
        match places {
            [place] => repeated(&place.read(&*self.store).await?, fingerprint),
            // Another kind of command, over several streams, has had this id.
            _ => Err(CommandError::Reused),
        }
    }

    /// One Put, or a transaction where the decision asks for more than its stream.
    async fn append(
        &self,
        commit: &NewCommit,
        events: &[D::Event],
        request: &CommandRequest<D::Command>,
    ) -> Outcome<Result<(), AppendError>, D> {
        let strict = request.command.idempotency() == Idempotency::Strict;
        let claims: Vec<_> = events.iter().flat_map(D::claims).collect();
        if claims.is_empty() && !strict {
            return Ok(self.store.append(commit).await);
        }
        let claims = claims.into_iter().map(|claim| (request.stream.clone(), claim));
        let once = strict.then(|| request.id.clone());
        let transaction = Transaction::new(vec![commit.clone()], Vec::new(), claims, once)?;
        Ok(self.store.transact(&transaction).await)
    }
}

/// The decision on what was loaded, within the caller's expectation.
///
/// Of a stream that does not exist the domain speaks first: "there is no such order" tells a caller
/// more than "it is not at version 3" (RFC 9110, section 13.2.1, has it so as well).
fn decide<D: Decider>(
    loaded: &Loaded<D>,
    request: &CommandRequest<D::Command>,
) -> Outcome<Vec<D::Event>, D> {
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
    within_limits(events.len())?;
    Ok(events)
}

pub(super) fn within_limits<R: crate::Rejection>(events: usize) -> Result<(), CommandError<R>> {
    if events <= MAX_EVENTS_PER_COMMIT {
        return Ok(());
    }
    Err(CommandError::TooLarge(format!(
        "it makes {events} events, and a commit holds at most {MAX_EVENTS_PER_COMMIT}"
    )))
}
