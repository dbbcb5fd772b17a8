//! The steps of every command: try the cached state, then load, decide and append in a bounded loop.
//!
//! A command for one stream and a joint command have the same steps. They differ in how they load and decide, which is
//! their [`Work`].

use std::{sync::Arc, time::Duration};

use super::{
    CommandError, Context, LoadError,
    answer::Effect,
    draft::{Draft, Plan},
    error::Refusal,
    origin::Origin,
};
use crate::{
    Command, CommandId, Idempotency, Rejection, StreamId, TenantId,
    ports::{Clock, CommandRecord, EventStore, Random, StrictCommand},
    vocabulary::{Commit, CommitRef, Fingerprint, panics::guarded},
    waiting::{Backoff, ExponentialWait},
};

/// The attempts to decide a command on the current state before it reports contention.
const BACKOFF: Backoff = Backoff {
    attempts: 10,
    wait: ExponentialWait::new(Duration::from_millis(5), Duration::from_millis(200)),
};

/// The ports of a command handler.
pub(super) struct Ports {
    pub(super) log: Arc<dyn EventStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
}

/// The streams of one command, as far as they are loaded.
pub(super) trait Work: Send {
    type Rejection: Rejection;

    /// Takes the cached state of the streams. It may be out of date.
    fn recall(&mut self) -> impl Future<Output = Result<Recalled, LoadError>> + Send;

    /// Loads the streams with strongly consistent reads. Returns the commit of this command, if there is one.
    fn load(&mut self) -> impl Future<Output = Result<Option<Commit>, LoadError>> + Send;

    /// Decides on the loaded state.
    fn decide(&mut self, origin: &Origin<'_>) -> Result<Draft, CommandError<Self::Rejection>>;

    /// Whether the loaded states existed at one moment. A stored decision proves it; a rejection and an
    /// empty decision need this proof.
    fn existed_together(&self) -> impl Future<Output = Result<bool, LoadError>> + Send;

    /// Updates the loaded state, because the decision is stored.
    fn stored(&mut self);
}

/// The result of [`Work::recall`].
pub(super) enum Recalled {
    /// Nothing is cached.
    Nothing,
    /// A state is cached.
    State,
    /// The command's own commit is known.
    Commit(Box<Commit>),
}

/// The result of one attempt.
enum Attempt {
    Done(Effect),
    /// The state was out of date.
    Outdated,
}

type Outcome<T, W> = Result<T, CommandError<<W as Work>::Rejection>>;

/// One command with everything that its attempts have in common.
pub(super) struct Submission<'a> {
    ports: &'a Ports,
    streams: &'a [StreamId],
    origin: Origin<'a>,
    /// Present if the command is recognised for ever.
    strict: Option<StrictCommand>,
}

impl<'a> Submission<'a> {
    /// # Errors
    /// [`CommandError`] if the caller is of another tenant, if the command cannot be written as JSON, or if it is strict
    /// and its type declares no strict commands.
    pub(super) fn new<R: Rejection, C: Command>(
        ports: &'a Ports,
        streams: &'a [StreamId],
        command: &C,
        id: &'a CommandId,
        context: &'a Context,
    ) -> Result<Self, CommandError<R>> {
        // A tenant is a wall: nothing of another tenant exists for a caller.
        if streams.iter().any(|stream| *stream.tenant() != context.caller.tenant) {
            return Err(CommandError::Hidden);
        }
        let fingerprint = guarded(|| Fingerprint::of(command, streams))??;
        let is_strict = command.idempotency() == Idempotency::Strict;
        if is_strict && !C::SOME_ARE_STRICT {
            return Err(CommandError::UndeclaredStrict(command.name()));
        }
        let strict = is_strict.then(|| StrictCommand {
            id: record_id(streams, &context.caller.tenant, id),
            fingerprint: fingerprint.clone(),
        });
        let origin = Origin {
            id,
            name: command.name(),
            fingerprint,
            seals: C::SEALS,
            context,
            clock: &*ports.clock,
            random: &*ports.random,
        };
        Ok(Self { ports, streams, origin, strict })
    }

    /// Tries the cached state. Then loads, decides and stores until no other command interferes.
    pub(super) async fn run<W: Work>(&self, work: &mut W) -> Outcome<Effect, W> {
        if let Attempt::Done(effect) = self.on_cached_state(work).await? {
            return Ok(effect);
        }
        for attempt in 0..BACKOFF.attempts {
            BACKOFF.wait(attempt, self.origin.clock, self.origin.random).await;
            if let Attempt::Done(effect) = self.on_current_state(work).await? {
                return Ok(effect);
            }
        }
        let streams: Vec<_> = self.streams.iter().map(ToString::to_string).collect();
        Err(CommandError::Contention { streams: streams.join(", "), attempts: BACKOFF.attempts })
    }

    /// On a cached state only an accepted decision is used, because storing it verifies the state. A
    /// rejection, an empty decision or a failed expectation may be out of date.
    async fn on_cached_state<W: Work>(&self, work: &mut W) -> Outcome<Attempt, W> {
        match work.recall().await? {
            Recalled::Nothing => Ok(Attempt::Outdated),
            Recalled::Commit(commit) => self.repeated(*commit).await,
            Recalled::State => match self.plan(work) {
                Ok(plan) if plan.has_commits() => match self.store(plan, work).await {
                    // The store refuses a large commit before it looks at the stream.
                    Err(CommandError::TooLarge(_)) => Ok(Attempt::Outdated),
                    outcome => outcome,
                },
                Ok(_) | Err(_) => Ok(Attempt::Outdated),
            },
        }
    }

    async fn on_current_state<W: Work>(&self, work: &mut W) -> Outcome<Attempt, W> {
        if let Some(commit) = work.load().await? {
            return self.repeated(commit).await;
        }
        match self.plan(work) {
            Ok(plan) if plan.has_commits() => self.store(plan, work).await,
            _ if !work.existed_together().await? => Ok(Attempt::Outdated),
            Ok(plan) => self.store(plan, work).await,
            Err(refusal) => self.refuse(refusal).await,
        }
    }

    fn plan<W: Work>(&self, work: &mut W) -> Outcome<Plan, W> {
        Ok(work.decide(&self.origin)?.plan(self.strict.clone())?)
    }

    async fn store<W: Work>(&self, plan: Plan, work: &mut W) -> Outcome<Attempt, W> {
        match plan.store(&*self.ports.log).await {
            Ok(()) => {
                work.stored();
                Ok(Attempt::Done(plan.effect))
            }
            Err(error) => match Refusal::of(error, self.origin.id) {
                Refusal::Outdated => Ok(Attempt::Outdated),
                Refusal::Committed(commit) => self.repeated(*commit).await,
                Refusal::Recorded(record) => self.recorded(*record).await,
                Refusal::Final(error) => Err(error),
            },
        }
    }

    /// Refuses the command, unless it is a strict one that was accepted before.
    async fn refuse<R: Rejection>(
        &self,
        refusal: CommandError<R>,
    ) -> Result<Attempt, CommandError<R>> {
        let Some(strict) = &self.strict else { return Err(refusal) };
        match self.ports.log.record(&strict.id).await? {
            Some(record) => self.recorded(record).await,
            None => Err(refusal),
        }
    }

    /// The first answer, from the command's commit to one of its streams. That commit names its siblings.
    async fn repeated<R: Rejection>(&self, commit: Commit) -> Result<Attempt, CommandError<R>> {
        self.check_same_request(&commit.command().fingerprint)?;
        self.check_same_caller(&commit)?;
        let mut commits = self.read(&commit.command().siblings).await?;
        commits.push(commit);
        commits.sort_by_key(|commit| self.streams.iter().position(|it| it == commit.stream()));
        Ok(Attempt::Done(Effect::of(&commits, Vec::new())))
    }

    /// The first answer, from the record of a strict command.
    async fn recorded<R: Rejection>(
        &self,
        record: CommandRecord,
    ) -> Result<Attempt, CommandError<R>> {
        self.check_same_request(&record.fingerprint)?;
        let commits = self.read(&record.commits).await?;
        commits.iter().try_for_each(|commit| self.check_same_caller(commit))?;
        Ok(Attempt::Done(Effect::of(&commits, record.unchanged)))
    }

    /// Reads these commits, in the order of the command's streams.
    async fn read(&self, places: &[CommitRef]) -> Result<Vec<Commit>, LoadError> {
        let mut commits = Vec::new();
        for stream in self.streams {
            if let Some(place) = places.iter().find(|place| place.stream == *stream) {
                commits.push(place.read(&*self.ports.log).await?);
            }
        }
        Ok(commits)
    }

    /// # Errors
    /// [`CommandError::Reused`] if the command id was used for another request before.
    fn check_same_request<R: Rejection>(
        &self,
        before: &Fingerprint,
    ) -> Result<(), CommandError<R>> {
        if self.origin.fingerprint.agrees_with(before) {
            return Ok(());
        }
        Err(CommandError::Reused)
    }

    /// A command id belongs to one caller. The first answer is for nobody else.
    ///
    /// # Errors
    /// [`CommandError::Reused`] if another caller has used the command id before.
    fn check_same_caller<R: Rejection>(&self, before: &Commit) -> Result<(), CommandError<R>> {
        if before.metadata().actor.as_str() == self.origin.context.caller.subject.as_str() {
            return Ok(());
        }
        Err(CommandError::Reused)
    }
}

/// The id of the record of a strict command. Like any command, a strict one is recognised on its stream, and the same id
/// has another effect on another stream. A joint command is recognised in its tenant.
fn record_id(streams: &[StreamId], tenant: &TenantId, id: &CommandId) -> CommandId {
    let place = match streams {
        [stream] => stream.to_string(),
        _ => tenant.to_string(),
    };
    CommandId::derived(&["strict", &place, id.as_str()])
}
