use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Answer, CommandError, Context, LoadError, Parts, access,
    draft::Draft,
    origin::Origin,
    submission::{Ports, Recalled, Submission, Work},
};
use crate::{
    Access, Caller, Command, CommandId, DecisionContext, Rejection, StreamId, Version,
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

    /// Whether the caller may send the command in these states: see [`Decider::may`](crate::Decider::may).
    fn may(
        _caller: &Caller,
        _command: &Self::Command,
        _states: &<Self::Parts as Parts>::States<'_>,
    ) -> Access {
        Access::Allowed
    }

    /// The events of each stream, possibly none. A pure function.
    ///
    /// # Errors
    /// The reason to refuse the command.
    fn decide(
        states: <Self::Parts as Parts>::States<'_>,
        command: &Self::Command,
        context: &DecisionContext<'_>,
    ) -> Result<<Self::Parts as Parts>::Events, Self::Rejection>;
}

/// A command for several streams.
///
/// ```
/// # use ledgerfold::{Caller, CommandId, StreamId, Version, command::JointRequest};
/// # use ledgerfold_testkit::bank::{Transfer, Transfers};
/// # fn request(caller: Caller, from: StreamId, to: StreamId, id: CommandId) -> JointRequest<Transfers> {
/// JointRequest::new(caller, [from.clone(), to], Transfer(900), id).expecting(from, Version::new(3))
/// # }
/// ```
pub struct JointRequest<J: JointDecider> {
    /// The streams, in the order of [`JointDecider::Parts`].
    pub streams: <J::Parts as Parts>::Streams,
    /// The command.
    pub command: J::Command,
    /// The identity of the command. Every repetition carries the same id.
    pub id: CommandId,
    /// The circumstances that the commits record.
    pub context: Context,
    /// Handle the command only if this stream is at this version. It must be one of the streams.
    pub expected: Option<(StreamId, Version)>,
    /// The stream that does not exist yet, because its id was generated for this command. If that is true, this stream
    /// costs no read. If it is wrong, it costs nothing either, and changes no outcome.
    pub new: Option<StreamId>,
}

impl<J: JointDecider> JointRequest<J> {
    /// A command in the context of [`Context::of`].
    pub fn new(
        caller: Caller,
        streams: <J::Parts as Parts>::Streams,
        command: J::Command,
        id: CommandId,
    ) -> Self {
        Self::in_context(Context::of(caller, &id), streams, command, id)
    }

    /// A command in these circumstances.
    pub const fn in_context(
        context: Context,
        streams: <J::Parts as Parts>::Streams,
        command: J::Command,
        id: CommandId,
    ) -> Self {
        Self { streams, command, id, context, expected: None, new: None }
    }

    /// The same command, handled only if one of its streams is at this version.
    #[must_use]
    pub fn expecting(self, stream: StreamId, version: impl Into<Option<Version>>) -> Self {
        Self { expected: version.into().map(|version| (stream, version)), ..self }
    }

    /// The same command, which creates this stream under an id that was generated for it. A repetition finds its first
    /// commit there for ever, however often the other streams have changed since.
    #[must_use]
    pub fn creating(self, stream: impl Into<Option<StreamId>>) -> Self {
        Self { new: stream.into(), ..self }
    }
}

impl<J: JointDecider> JointRequest<J> {
    /// # Errors
    /// [`CommandError::NotAmongStreams`].
    fn check_expected(&self) -> Result<(), CommandError<J::Rejection>> {
        match &self.expected {
            Some((stream, _)) if !self.streams.as_ref().contains(stream) => {
                Err(CommandError::NotAmongStreams { stream: stream.clone() })
            }
            _ => Ok(()),
        }
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
    /// events, in the order of the streams. If nothing needed to change, it has one part without events for each stream.
    ///
    /// Costs one read of each stream, without the one that it [creates](JointRequest::creating), and a transaction, whose
    /// write units count twice. A command that is refused or has nothing to do costs a second read of each stream in place
    /// of the transaction. A repeated command costs one read more for each further stream with events.
    ///
    /// # Errors
    /// [`CommandError`]; then nothing is committed, in any of the streams.
    pub async fn handle(
        &self,
        request: &JointRequest<J>,
    ) -> Result<Vec<Answer>, CommandError<J::Rejection>> {
        let JointRequest { streams, command, id, context, .. } = request;
        check_distinct(streams.as_ref())?;
        request.check_expected()?;
        let submission = Submission::new(&self.ports, streams.as_ref(), command, id, context)?;
        let loaded = J::Parts::unread(streams);
        let mut work = SeveralStreams { handler: self, request, loaded, before: None };
        Ok(submission.run(&mut work).await?.into_answers())
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

/// The streams of a joint command, as one read found them.
struct Read<J: JointDecider> {
    loaded: <J::Parts as Parts>::Loaded,
    /// A commit of this command, if one was found.
    own: Option<Commit>,
}

/// The streams whose version is compared with the expected one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Existing {
    /// Only a stream with events: a domain's "there is no such account" tells more than a wrong version.
    Only,
    /// Any stream.
    OrNot,
}

/// The streams of one joint command.
struct SeveralStreams<'a, J: JointDecider> {
    handler: &'a JointHandler<J>,
    request: &'a JointRequest<J>,
    loaded: <J::Parts as Parts>::Loaded,
    /// The versions that an earlier read of all streams found, if there was one.
    before: Option<Vec<Version>>,
}

impl<J: JointDecider> SeveralStreams<'_, J> {
    /// The current streams, with the commits of this command.
    async fn read(&self, unread: Option<&StreamId>) -> Result<Read<J>, LoadError> {
        let Self { handler, request, .. } = self;
        let JointHandler { ports, loaders } = handler;
        let (loaded, found) =
            J::Parts::load(loaders, &*ports.log, (&request.streams, unread), &request.id).await?;
        Ok(Read { loaded, own: found.into_iter().next() })
    }

    /// # Errors
    /// [`CommandError::ExpectedVersion`].
    fn check_version(&self, of: Existing) -> Result<(), CommandError<J::Rejection>> {
        let Some((stream, expected)) = &self.request.expected else { return Ok(()) };
        let versions = J::Parts::versions(&self.loaded);
        let mut streams = self.request.streams.as_ref().iter().zip(versions);
        let found = streams.find(|(it, _)| *it == stream);
        let actual = found.map_or(Version::NONE, |(_, version)| version);
        let is_asked = of == Existing::OrNot || actual != Version::NONE;
        if is_asked && actual != *expected {
            return Err(CommandError::ExpectedVersion { expected: *expected, actual });
        }
        Ok(())
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

    /// Joint commands have no cache. A stream that the command creates is taken for new: if this is a repetition, the
    /// stream's first commit makes the transaction fail, however long ago that was.
    async fn recall(&mut self) -> Result<Recalled, LoadError> {
        let Some(new) = &self.request.new else { return Ok(Recalled::Nothing) };
        let read = self.read(Some(new)).await?;
        if let Some(commit) = read.own {
            return Ok(Recalled::Commit(Box::new(commit)));
        }
        self.before = Some(J::Parts::versions(&read.loaded));
        self.loaded = read.loaded;
        Ok(Recalled::State)
    }

    async fn load(&mut self) -> Result<Option<Commit>, LoadError> {
        let read = self.read(None).await?;
        self.loaded = read.loaded;
        Ok(read.own)
    }

    fn decide(&mut self, origin: &Origin<'_>) -> Result<Draft, CommandError<J::Rejection>> {
        let JointRequest { streams, command, .. } = self.request;
        let context = origin.now();
        let states = J::Parts::states(&self.loaded);
        let access = guarded(|| J::may(context.caller, command, &states))?;
        access::check(access, || {
            let missing = J::Parts::unread(streams);
            J::decide(J::Parts::states(&missing), command, &context)
        })?;
        self.check_version(Existing::Only)?;
        let decision = guarded(|| J::decide(states, command, &context))?;
        let events = decision.map_err(CommandError::Rejected)?;
        self.check_version(Existing::OrNot)?;
        J::Parts::draft(&self.handler.loaders, &self.loaded, &events, origin, context.at)
    }

    /// The streams are read concurrently, and other commands may commit in between. States that are the same in
    /// two reads, one after the other, existed together between the reads.
    ///
    /// The first of two reads may have left out a new stream. If the second one finds no events there, the stream had none
    /// before either.
    async fn existed_together(&self) -> Result<bool, LoadError> {
        if !self.has_whole_transactions() {
            return Ok(false);
        }
        let versions = J::Parts::versions(&self.loaded);
        if self.before.as_ref() == Some(&versions) {
            return Ok(true);
        }
        let again = self.read(None).await?;
        Ok(again.own.is_none() && J::Parts::versions(&again.loaded) == versions)
    }

    fn stored(&mut self) {}
}
