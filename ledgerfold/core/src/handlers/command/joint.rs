use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Answer, CommandError, Context, LoadError, Parts,
    draft::Draft,
    origin::Origin,
    submission::{Ports, Recalled, Submission, Work},
};
use crate::{
    Command, CommandId, Rejection, StreamId,
    ports::{Clock, EventStore, Random},
    vocabulary::{Commit, CommitRef, panics::guarded},
};

/// A decision over several streams at once, of one domain or of several: for example a transfer from one account to
/// another.
///
/// Every stream that the decision reads is a condition. The streams with events are committed together, if the streams
/// without events have not changed since they were read. There is no lock and no order of streams: if another command
/// is faster, the handler decides again.
pub trait JointDecider: Send + Sync + 'static {
    /// The commands.
    type Command: Command;
    /// The domains of the streams, in their order: a tuple of two to four deciders.
    type Parts: Parts;
    /// The reasons to refuse a command.
    type Rejection: Rejection;

    /// The events of each stream, possibly none. A pure function.
    ///
    /// # Errors
    /// The reason to refuse the command.
    fn decide(
        states: <Self::Parts as Parts>::States<'_>,
        command: &Self::Command,
    ) -> Result<<Self::Parts as Parts>::Events, Self::Rejection>;
}

/// A command for several streams.
pub struct JointRequest<J: JointDecider> {
    /// The streams, in the order of [`JointDecider::Parts`].
    pub streams: <J::Parts as Parts>::Streams,
    /// The command.
    pub command: J::Command,
    /// The identity of the command. Every repetition carries the same id.
    pub id: CommandId,
    /// The circumstances that the commits record.
    pub context: Context,
}

impl<J: JointDecider> JointRequest<J> {
    /// A command in the context of [`Context::of`].
    pub fn new(streams: <J::Parts as Parts>::Streams, command: J::Command, id: CommandId) -> Self {
        let context = Context::of(&id);
        Self { streams, command, id, context }
    }

    /// The same command in these circumstances.
    #[must_use]
    pub fn in_context(self, context: Context) -> Self {
        Self { context, ..self }
    }
}

/// Handles the commands of a joint decider.
pub struct JointHandler<J: JointDecider> {
    ports: Ports,
    loaders: <J::Parts as Parts>::Loaders,
}

impl<J: JointDecider> JointHandler<J> {
    /// A handler over these ports.
    pub fn new(log: Arc<dyn EventStore>, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { ports: Ports { log, clock, random }, loaders: J::Parts::loaders() }
    }

    /// Handles one command: loads all streams, decides, and commits in one transaction. If a stream has changed since,
    /// the handler tries again, a bounded number of times and with jitter. The answer has one part for each stream with
    /// events, in the order of the streams.
    ///
    /// Costs one read of each stream and a transaction, whose write units count twice. A command that is
    /// refused or has nothing to do costs a second read of each stream in place of the transaction. A repeated
    /// command costs one read more for each further stream with events.
    ///
    /// # Errors
    /// [`CommandError`]; then nothing is committed, in any of the streams.
    pub async fn handle(
        &self,
        request: &JointRequest<J>,
    ) -> Result<Vec<Answer>, CommandError<J::Rejection>> {
        let JointRequest { streams, command, id, context } = request;
        check_distinct(streams.as_ref())?;
        let submission = Submission::new(&self.ports, streams.as_ref(), command, id, context)?;
        let loaded = J::Parts::unread(streams);
        let mut work = SeveralStreams { handler: self, request, loaded };
        Ok(submission.run(&mut work).await?.committed)
    }
}

/// # Errors
/// [`CommandError::SameStream`].
fn check_distinct<R: Rejection>(streams: &[StreamId]) -> Result<(), CommandError<R>> {
    let mut seen = BTreeSet::new();
    match streams.iter().find(|stream| !seen.insert(*stream)) {
        Some(stream) => Err(CommandError::SameStream { stream: stream.clone() }),
        None => Ok(()),
    }
}

/// The streams of one joint command.
struct SeveralStreams<'a, J: JointDecider> {
    handler: &'a JointHandler<J>,
    request: &'a JointRequest<J>,
    loaded: <J::Parts as Parts>::Loaded,
}

impl<J: JointDecider> SeveralStreams<'_, J> {
    /// The current streams, with the commits of this command.
    async fn read(&self) -> Result<(<J::Parts as Parts>::Loaded, Vec<Commit>), LoadError> {
        let Self { handler, request, .. } = self;
        let JointHandler { ports, loaders } = handler;
        J::Parts::load(loaders, &*ports.log, &request.streams, &request.id).await
    }

    /// Whether each commit that was read has its siblings. A read during a transaction may see some commits of
    /// the transaction before the others.
    fn has_whole_transactions(&self) -> bool {
        let versions = J::Parts::versions(&self.loaded);
        let streams = self.request.streams.as_ref().iter().zip(&versions);
        let heads: BTreeMap<_, _> = streams.collect();
        let was_read = |sibling: &CommitRef| {
            heads.get(&sibling.stream).is_none_or(|head| **head >= sibling.from)
        };
        J::Parts::siblings(&self.loaded).iter().all(was_read)
    }
}

impl<J: JointDecider> Work for SeveralStreams<'_, J> {
    type Rejection = J::Rejection;

    /// Joint commands are rare. They have no cache.
    async fn recall(&mut self) -> Result<Recalled, LoadError> {
        Ok(Recalled::Nothing)
    }

    async fn load(&mut self) -> Result<Option<Commit>, LoadError> {
        let (loaded, found) = self.read().await?;
        self.loaded = loaded;
        Ok(found.into_iter().next())
    }

    fn decide(&mut self, origin: &Origin<'_>) -> Result<Draft, CommandError<J::Rejection>> {
        let states = J::Parts::states(&self.loaded);
        let decision = guarded(|| J::decide(states, &self.request.command))?;
        let events = decision.map_err(CommandError::Rejected)?;
        J::Parts::draft(&self.handler.loaders, &self.loaded, &events, origin)
    }

    /// The streams are read concurrently, and other commands may commit in between. States that are the same in
    /// two reads, one after the other, existed together between the reads.
    async fn existed_together(&self) -> Result<bool, LoadError> {
        if !self.has_whole_transactions() {
            return Ok(false);
        }
        let (again, found) = self.read().await?;
        Ok(found.is_empty() && J::Parts::versions(&again) == J::Parts::versions(&self.loaded))
    }

    fn stored(&mut self) {}
}
