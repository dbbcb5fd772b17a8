use std::{slice, sync::Arc};

use super::{
    Answer, CommandError, CommandRequest, LoadError, Loaded, Loader, StreamHint, access,
    draft::Draft,
    origin::Origin,
    state_cache::StateCache,
    submission::{Ports, Recalled, Submission, Work},
};
use crate::{
    Decider, DecisionContext, Version,
    ports::{Clock, EventStore, Random},
    vocabulary::{Commit, panics::guarded},
};

/// The default limit of a handler's cached states, in bytes.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// Handles the commands of one domain.
///
/// A command has at most one effect, however often it is sent: its commit carries its id, and a repeated
/// command finds that commit when it loads the stream or when its append fails.
///
/// A handler caches the states of streams and tries the next command on the cached state, which saves a
/// read. The cached state may be out of date. It never causes a wrong answer: the store refuses an append
/// that does not follow the newest commit, and every other answer is confirmed by a strongly consistent read.
pub struct CommandHandler<D: Decider> {
    shared: Arc<Shared<D>>,
}

/// Shared by all clones of a handler, so that they use one cache.
struct Shared<D: Decider> {
    ports: Ports,
    loader: Loader<D>,
    cache: StateCache<D>,
}

impl<D: Decider> Clone for CommandHandler<D> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<D: Decider> CommandHandler<D> {
    /// A handler over these ports, which caches up to 32 MB of states.
    pub fn new(log: Arc<dyn EventStore>, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self::with_cache(CACHE_BYTES, log, clock, random)
    }

    /// A handler that caches up to this many bytes of states. With 0 it reads the stream for each command.
    pub fn with_cache(
        bytes: usize,
        log: Arc<dyn EventStore>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        let ports = Ports { log, clock, random };
        let loader = Loader::new();
        let cache = StateCache::within(bytes);
        Self { shared: Arc::new(Shared { ports, loader, cache }) }
    }

    /// Handles one command: decides on the cached state or loads the stream, and appends. If another
    /// command is faster, the handler tries again, a bounded number of times and with jitter.
    ///
    /// Costs one append if the stream is cached and no other command interferes, one read more if it is not cached, and
    /// only the read for a repeated or refused command. A strict command ([`Idempotency::Strict`](crate::Idempotency))
    /// costs a transaction in place of the append, also if nothing needs to change, and another read if it is refused.
    ///
    /// # Errors
    /// [`CommandError`]; then nothing is committed.
    pub async fn handle(
        &self,
        request: &CommandRequest<D::Command>,
    ) -> Result<Answer, CommandError<D::Rejection>> {
        Ok(self.handle_with_state(request).await?.0)
    }

    /// Handles one command, and also returns the state of the stream that the handler has then: the state after the command,
    /// or a later one if the command is a repetition.
    ///
    /// # Errors
    /// As for [`handle`](Self::handle).
    pub async fn handle_with_state(
        &self,
        request: &CommandRequest<D::Command>,
    ) -> Result<(Answer, D::State), CommandError<D::Rejection>> {
        let CommandRequest { stream, command, id, context, .. } = request;
        let ports = &self.shared.ports;
        let submission = Submission::new(ports, slice::from_ref(stream), command, id, context)?;
        let mut work = OneStream::new(&self.shared, request);
        let effect = submission.run(&mut work).await;
        let state = work.loaded.state().clone();
        self.shared.cache.put(work.loaded);
        Ok((effect?.into_answer(stream), state))
    }
}

/// The stream of one command.
struct OneStream<'a, D: Decider> {
    shared: &'a Shared<D>,
    request: &'a CommandRequest<D::Command>,
    loaded: Loaded<D>,
    /// The stream after the decision. It replaces the loaded stream once the decision is stored.
    after: Option<Loaded<D>>,
}

impl<'a, D: Decider> OneStream<'a, D> {
    fn new(shared: &'a Shared<D>, request: &'a CommandRequest<D::Command>) -> Self {
        Self { shared, request, loaded: Loaded::unread(request.stream.clone()), after: None }
    }
}

impl<D: Decider> Work for OneStream<'_, D> {
    type Rejection = D::Rejection;

    async fn recall(&mut self) -> Result<Recalled, LoadError> {
        match self.request.hint {
            // Decides as for a new stream even if the stream is cached: if this creation is a repetition, its first
            // commit makes the append fail, however long ago that was.
            StreamHint::New => return Ok(Recalled::State),
            StreamHint::None => match self.shared.cache.take(&self.request.stream) {
                Some(cached) => self.loaded = cached,
                None => return Ok(Recalled::Nothing),
            },
        }
        let Shared { ports, loader, .. } = self.shared;
        let found = loader.recall(&*ports.log, &self.loaded, &self.request.id).await?;
        Ok(found.map_or(Recalled::State, |commit| Recalled::Commit(Box::new(commit))))
    }

    async fn load(&mut self) -> Result<Option<Commit>, LoadError> {
        let Shared { ports, loader, .. } = self.shared;
        loader.catch_up(&*ports.log, &mut self.loaded, &self.request.id).await
    }

    fn decide(&mut self, origin: &Origin<'_>) -> Result<Draft, CommandError<D::Rejection>> {
        let context = origin.now();
        let events = decide(&self.loaded, self.request, &context)?;
        let mut draft = Draft::decided_at(context.at);
        self.after = draft.add(&self.shared.loader, &self.loaded, &events, origin)?;
        Ok(draft)
    }

    /// One stream always shows one moment: no commit is missing between its reads.
    async fn existed_together(&self) -> Result<bool, LoadError> {
        Ok(true)
    }

    fn stored(&mut self) {
        if let Some(after) = self.after.take() {
            self.loaded = after;
        }
    }
}

/// The decision on the loaded state, if the caller may send the command and the stream is at the expected version.
///
/// If the stream does not exist, the domain decides first: "there is no such order" tells a caller more than "it is not
/// at version 3". RFC 9110, section 13.2.1, has the same order.
fn decide<D: Decider>(
    loaded: &Loaded<D>,
    request: &CommandRequest<D::Command>,
    context: &DecisionContext<'_>,
) -> Result<Vec<D::Event>, CommandError<D::Rejection>> {
    let CommandRequest { command, .. } = request;
    let access = guarded(|| D::may(context.caller, command, loaded.state()))?;
    access::check(access, || D::decide(&D::initial(), command, context))?;
    let actual = loaded.version();
    if actual != Version::NONE {
        check_version(request.expected, actual)?;
    }
    let decision = guarded(|| D::decide(loaded.state(), command, context))?;
    let events = decision.map_err(CommandError::Rejected)?;
    check_version(request.expected, actual)?;
    Ok(events)
}

fn check_version<R: crate::Rejection>(
    expected: Option<Version>,
    actual: Version,
) -> Result<(), CommandError<R>> {
    match expected {
        Some(expected) if expected != actual => {
            Err(CommandError::ExpectedVersion { expected, actual })
        }
        _ => Ok(()),
    }
}
