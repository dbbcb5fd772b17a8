use std::{sync::Arc, time::Duration};

use super::{
    Answer, CommandError, CommandRequest, Loaded, Loader, StreamHint,
    claiming::{self, Revisions},
    error::Refusal,
    loader::Draft,
    request::{Origin, once, repeated, same_request},
    state_cache::StateCache,
};
use crate::{
    Command, Decider, MAX_EVENTS_PER_COMMIT, Version,
    ports::{AppendError, Clock, CommandRecord, EventStore, Once, Random, Transaction, Unchanged},
    vocabulary::{Fingerprint, panics::guarded},
    waiting::Backoff,
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
    states: StateCache<D>,
}

impl<D: Decider> Clone for CommandHandler<D> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
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
        let (loader, states) = (Loader::new(), StateCache::within(bytes));
        Self { shared: Arc::new(Shared { store, clock, random, loader, states }) }
    }

    /// Handles one command: decides on what it remembers of the stream or else reads, appends, and
    /// does so again, a bounded number of times and with jitter, when another command was faster.
    ///
    /// Costs one append where the stream is remembered and nobody interferes; a read more where it is
    /// not; the read alone for a repeated or refused command. A command that is recognised for ever
    /// costs another read where it is refused, and a transaction also where nothing needs to change.
    ///
    /// # Errors
    /// [`CommandError`]; nothing is committed then.
    pub async fn handle(&self, request: &CommandRequest<D::Command>) -> Outcome<Answer, D> {
        let fingerprint =
            guarded(|| Fingerprint::of(&request.command, std::slice::from_ref(&request.stream)))??;
        let shared = &*self.shared;
        let attempt = Attempt { shared, request, fingerprint };
        // A creation is tried on nothing even where its stream is remembered: if it is a repeated one,
        // its first commit is in its way, however long ago that was.
        let memory = match request.hint {
            StreamHint::None => shared.states.take(&request.stream),
            StreamHint::New => Some(Loaded::unread(request.stream.clone())),
        };
        let mut tried = None;
        let mut loaded = Loaded::unread(request.stream.clone());
        if let Some(memory) = memory {
            loaded = memory;
            tried = attempt.on_memory(&mut loaded).await.transpose();
        }
        let outcome = match tried {
            Some(outcome) => outcome,
            None => attempt.on_the_present(&mut loaded).await,
        };
        shared.states.put(loaded);
        outcome
    }
}

/// One request on its way.
struct Attempt<'a, D: Decider> {
    shared: &'a Shared<D>,
    request: &'a CommandRequest<D::Command>,
    fingerprint: Fingerprint,
}

impl<D: Decider> Attempt<'_, D> {
    /// Tries the command on what may be old. Only a decision that is appended counts: a refusal,
    /// "nothing to do" and an expectation that fails may have been true once.
    async fn on_memory(&self, loaded: &mut Loaded<D>) -> Outcome<Option<Answer>, D> {
        let Self { shared, request, fingerprint } = self;
        let before = shared.loader.recall(&*shared.store, loaded, &request.id).await?;
        if let Some(commit) = before {
            return repeated(&commit, fingerprint).map(Some);
        }
        let events = decide(loaded, request).unwrap_or_default();
        if events.is_empty() {
            return Ok(None);
        }
        match self.append(loaded, &events).await {
            Err(error) if error.is_of_the_state() => Ok(None),
            appended => appended,
        }
    }

    async fn on_the_present(&self, loaded: &mut Loaded<D>) -> Outcome<Answer, D> {
        let Self { shared, request, fingerprint } = self;
        for attempt in 0..BACKOFF.attempts {
            BACKOFF.wait(attempt, &*shared.clock, &*shared.random).await;
            let before = shared.loader.catch_up(&*shared.store, loaded, &request.id).await?;
            if let Some(commit) = before {
                return repeated(&commit, fingerprint);
            }
            let events = match decide(loaded, request) {
                Ok(events) => events,
                Err(refusal) => return self.refuse(refusal).await,
            };
            let done = if events.is_empty() {
                self.leave(loaded).await?
            } else {
                self.append(loaded, &events).await?
            };
            if let Some(answer) = done {
                return Ok(answer);
            }
        }
        Err(CommandError::Contention {
            streams: request.stream.to_string(),
            attempts: BACKOFF.attempts,
        })
    }

    /// Appends the events. Without an answer, the stream has moved on.
    async fn append(
        &self,
        loaded: &mut Loaded<D>,
        events: &[D::Event],
    ) -> Outcome<Option<Answer>, D> {
        let Self { shared, request, .. } = self;
        let Draft { commit, after } = shared.loader.draft(loaded, events, &self.origin())?;
        let claims = guarded(|| events.iter().flat_map(D::claims).collect::<Vec<_>>())?;
        let once = self.once();
        let answer = Answer::from(commit.as_commit());
        let appended = if claims.is_empty() && once.is_none() {
            // One Put, at half the price of a transaction.
            shared.store.append(&commit).await
        } else {
            let claims = claims.into_iter().map(|claim| (request.stream.clone(), claim));
            let transaction = Transaction::new(vec![commit], Vec::new(), claims, once)?;
            let category = request.stream.category().clone();
            let revisions = Revisions::from([(category, D::CLAIMS_REVISION)]);
            claiming::transact(&*shared.store, transaction, &revisions).await
        };
        match appended {
            Ok(()) => {
                *loaded = after;
                Ok(Some(answer))
            }
            Err(error) => self.refused(error).await,
        }
    }

    /// Answers that nothing needs to change. A command that is recognised for ever is recorded, so that
    /// it will not take effect when it comes again later.
    async fn leave(&self, loaded: &Loaded<D>) -> Outcome<Option<Answer>, D> {
        let unchanged = Unchanged { stream: loaded.stream().clone(), version: loaded.version() };
        if let Some(once) = self.once() {
            let transaction = Transaction::new(Vec::new(), vec![loaded.seen()], [], Some(once))?;
            if let Err(error) = self.shared.store.transact(&transaction).await {
                return self.refused(error).await;
            }
        }
        Ok(Some(unchanged.into()))
    }

    /// What a refused append means. Without an answer, the stream has moved on.
    async fn refused(&self, error: AppendError) -> Outcome<Option<Answer>, D> {
        match Refusal::of(error, &self.request.id) {
            Refusal::Again => Ok(None),
            Refusal::Final(error) => Err(error),
            Refusal::Committed(commit) => repeated(&commit, &self.fingerprint).map(Some),
            Refusal::Recorded(record) => self.first(*record).await.map(Some),
        }
    }

    /// Refuses a command, unless it is one that is recognised for ever and was accepted before.
    async fn refuse(&self, refusal: CommandError<D::Rejection>) -> Outcome<Answer, D> {
        let Some(once) = self.once() else { return Err(refusal) };
        match self.shared.store.record(&once.command).await? {
            Some(record) => self.first(record).await,
            None => Err(refusal),
        }
    }

    /// The first answer to a command that is recognised for ever.
    async fn first(&self, record: CommandRecord) -> Outcome<Answer, D> {
        same_request(&record.fingerprint, &self.fingerprint)?;
        if let Some(place) = record.commits.first() {
            return Ok(Answer::from(&place.read(&*self.shared.store).await?));
        }
        let unchanged = record.unchanged.into_iter().next();
        // A record of another version's form may name neither; the stream is the request's all the same.
        let version = unchanged.map_or(Version::NONE, |unchanged| unchanged.version);
        Ok(Unchanged { stream: self.request.stream.clone(), version }.into())
    }

    fn once(&self) -> Option<Once> {
        once(&self.request.command, &self.request.id, &self.fingerprint)
    }

    fn origin(&self) -> Origin<'_> {
        let Self { shared, request, fingerprint } = self;
        Origin {
            id: &request.id,
            name: request.command.name(),
            fingerprint,
            context: &request.context,
            clock: &*shared.clock,
            random: &*shared.random,
        }
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
    let decision = guarded(|| D::decide(loaded.state(), &request.command))?;
    let events = decision.map_err(CommandError::Rejected)?;
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
