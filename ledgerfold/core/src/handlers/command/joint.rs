use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use async_trait::async_trait;

use super::{
    Answer, CommandError, Context, LoadError, Loaded, Loader,
    claiming::{self, Revisions},
    error::Refusal,
    handler::{BACKOFF, within_limits},
    request::{Origin, once, same_request},
};
use crate::{
    Claim, Command, CommandId, Decider, Rejection, StreamId, Version,
    ports::{AppendError, Clock, CommandRecord, EventStore, Once, Random, Transaction},
    vocabulary::{Commit, CommitRef, Fingerprint, NewCommit, StreamVersion, panics::guarded},
};

/// A decision over several streams at once, of one domain or of several: a transfer from one account
/// to another.
///
/// Everything that is looked at is a condition: the streams that get no events must be as they were
/// when the decision is committed, those that get some are committed together. There is no lock and
/// no order of streams; who is overtaken decides again.
pub trait JointDecider: Send + Sync + 'static {
    /// What can be asked.
    type Command: Command;
    /// The domains of the streams that take part, in their order: a tuple of two to four.
    type Parts: Parts;
    /// Why it can be refused.
    type Rejection: Rejection;

    /// What happens in each stream, possibly nothing. Pure.
    ///
    /// # Errors
    /// The reason to refuse.
    fn decide(
        states: <Self::Parts as Parts>::States<'_>,
        command: &Self::Command,
    ) -> Result<<Self::Parts as Parts>::Events, Self::Rejection>;
}

/// A command for several streams with everything that goes with it.
pub struct JointRequest<J: JointDecider> {
    /// The streams, in the order of [`JointDecider::Parts`].
    pub streams: <J::Parts as Parts>::Streams,
    /// What is asked.
    pub command: J::Command,
    /// Which attempt this is; the same for every repetition.
    pub id: CommandId,
    /// The circumstances.
    pub context: Context,
}

/// Takes the commands of a joint decider to transactions.
pub struct JointHandler<J: JointDecider> {
    store: Arc<dyn EventStore>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    loaders: <J::Parts as Parts>::Loaders,
}

type Outcome<T, J> = Result<T, CommandError<<J as JointDecider>::Rejection>>;

impl<J: JointDecider> JointHandler<J> {
    /// A handler over these ports.
    pub fn new(store: Arc<dyn EventStore>, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { store, clock, random, loaders: J::Parts::loaders() }
    }

    /// Handles one command: loads all streams, decides, commits in one transaction, and does so again,
    /// a bounded number of times and with jitter, when a stream has moved on. The answer has one part
    /// for each stream that got events, in the order of the streams.
    ///
    /// Costs one read of each stream and a transaction, whose write units count twice; a command that
    /// is refused or has nothing to do costs a second read instead. A repeated command costs one read
    /// more for each stream that got events.
    ///
    /// # Errors
    /// [`CommandError`]; nothing is committed then, in any of the streams.
    pub async fn handle(&self, request: &JointRequest<J>) -> Outcome<Vec<Answer>, J> {
        let streams = request.streams.as_ref();
        check_distinct(streams)?;
        let fingerprint = guarded(|| Fingerprint::of(&request.command, streams))??;
        let attempt = Attempt { handler: self, request, fingerprint };
        for number in 0..BACKOFF.attempts {
            BACKOFF.wait(number, &*self.clock, &*self.random).await;
            if let Some(answers) = attempt.once_more().await? {
                return Ok(answers);
            }
        }
        let names: Vec<_> = streams.iter().map(ToString::to_string).collect();
        Err(CommandError::Contention { streams: names.join(", "), attempts: BACKOFF.attempts })
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

/// One request on its way.
struct Attempt<'a, J: JointDecider> {
    handler: &'a JointHandler<J>,
    request: &'a JointRequest<J>,
    fingerprint: Fingerprint,
}

impl<J: JointDecider> Attempt<'_, J> {
    /// Loads, decides, commits. Without an answer, a stream has moved on.
    async fn once_more(&self) -> Outcome<Option<Vec<Answer>>, J> {
        let (loaded, found) = self.load().await?;
        if let Some(commit) = found.first() {
            return self.repeated(commit).await.map(Some);
        }
        let states = J::Parts::states(&loaded);
        let events = match guarded(|| J::decide(states, &self.request.command))? {
            Ok(events) => events,
            Err(_) if !self.stood_together(&loaded).await? => return Ok(None),
            Err(rejection) => {
                return self.refuse(CommandError::Rejected(rejection)).await.map(Some);
            }
        };
        let draft = J::Parts::draft(&self.handler.loaders, &loaded, &events, &self.origin())?;
        for commit in &draft.commits {
            within_limits(commit.as_commit().events().count())?;
        }
        if draft.commits.is_empty() && !self.stood_together(&loaded).await? {
            return Ok(None);
        }
        self.commit(draft).await
    }

    async fn commit(&self, draft: Draft) -> Outcome<Option<Vec<Answer>>, J> {
        let Draft { commits, unchanged, claims, revisions } = draft;
        let once = self.once();
        if commits.is_empty() && once.is_none() {
            return Ok(Some(Vec::new()));
        }
        let places: Vec<_> = commits.iter().map(|new| new.as_commit().place()).collect();
        let commits: Vec<_> = commits.into_iter().map(|new| new.siblings(&places)).collect();
        let answers = commits.iter().map(|new| Answer::from(new.as_commit())).collect();
        let transaction = Transaction::new(commits, unchanged, claims, once)?;
        match claiming::transact(&*self.handler.store, transaction, &revisions).await {
            Ok(()) => Ok(Some(answers)),
            Err(error) => self.refused(error).await,
        }
    }

    async fn refused(&self, error: AppendError) -> Outcome<Option<Vec<Answer>>, J> {
        match Refusal::of(error, &self.request.id) {
            Refusal::Again => Ok(None),
            Refusal::Final(error) => Err(error),
            Refusal::Committed(commit) => self.repeated(&commit).await.map(Some),
            Refusal::Recorded(record) => self.first(&record).await.map(Some),
        }
    }

    /// Refuses a command, unless it is one that is recognised for ever and was accepted before.
    async fn refuse(&self, refusal: CommandError<J::Rejection>) -> Outcome<Vec<Answer>, J> {
        let Some(once) = self.once() else { return Err(refusal) };
        match self.handler.store.record(&once.command).await? {
            Some(record) => self.first(&record).await,
            None => Err(refusal),
        }
    }

    /// The answer to a command of which this commit was found: it names all others.
    async fn repeated(&self, commit: &Commit) -> Outcome<Vec<Answer>, J> {
        let stamp = commit.command();
        same_request(&stamp.fingerprint, &self.fingerprint)?;
        let mut places = stamp.siblings.clone();
        places.push(commit.place());
        self.answers(&places).await
    }

    /// The first answer to a command that is recognised for ever.
    async fn first(&self, record: &CommandRecord) -> Outcome<Vec<Answer>, J> {
        same_request(&record.fingerprint, &self.fingerprint)?;
        self.answers(&record.commits).await
    }

    /// What the commits at these places say, in the order of the request's streams.
    async fn answers(&self, places: &[CommitRef]) -> Outcome<Vec<Answer>, J> {
        let mut answers = Vec::new();
        for stream in self.request.streams.as_ref() {
            if let Some(place) = places.iter().find(|place| place.stream == *stream) {
                answers.push(Answer::from(&place.read(&*self.handler.store).await?));
            }
        }
        Ok(answers)
    }

    /// The streams as they are now, and the commits of this very command among theirs.
    async fn load(&self) -> Result<(<J::Parts as Parts>::Loaded, Vec<Commit>), LoadError> {
        let Self { handler, request, .. } = self;
        J::Parts::load(&handler.loaders, &*handler.store, &request.streams, &request.id).await
    }

    /// Whether these states were true at one moment. Streams are read one beside the other, and others
    /// may commit in between; a transaction says so, and what needs none is asked for again: what is
    /// the same in two reads, one behind the other, stood together between them.
    ///
    /// A read beside a transaction may see some of its commits before the others, for as long as the
    /// transaction takes; so each commit that was read must have those beside it.
    async fn stood_together(
        &self,
        loaded: &<J::Parts as Parts>::Loaded,
    ) -> Result<bool, LoadError> {
        let versions = J::Parts::versions(loaded);
        let streams = self.request.streams.as_ref().iter().zip(&versions);
        let heads: BTreeMap<_, _> = streams.collect();
        let is_there =
            |place: &CommitRef| heads.get(&place.stream).is_none_or(|to| **to >= place.from);
        if !J::Parts::siblings(loaded).iter().all(is_there) {
            return Ok(false);
        }
        let (again, found) = self.load().await?;
        Ok(found.is_empty() && J::Parts::versions(&again) == versions)
    }

    fn once(&self) -> Option<Once> {
        once(&self.request.command, &self.request.id, &self.fingerprint)
    }

    fn origin(&self) -> Origin<'_> {
        let Self { handler, request, fingerprint } = self;
        Origin {
            id: &request.id,
            name: request.command.name(),
            fingerprint,
            context: &request.context,
            clock: &*handler.clock,
            random: &*handler.random,
        }
    }
}

/// What one joint decision makes of its streams.
#[doc(hidden)]
#[derive(Default)]
pub struct Draft {
    commits: Vec<NewCommit>,
    unchanged: Vec<StreamVersion>,
    claims: Vec<(StreamId, Claim)>,
    revisions: Revisions,
}

/// The domains of the streams that take part in a joint decision. Implemented for tuples of two to
/// four [`Decider`]s; the same one may stand in it several times.
#[async_trait]
pub trait Parts: Send + Sync + 'static {
    /// One stream for each.
    type Streams: AsRef<[StreamId]> + Clone + fmt::Debug + Send + Sync;
    /// One state for each.
    type States<'a>;
    /// Any number of events for each.
    type Events: Send + Sync;
    #[doc(hidden)]
    type Loaders: Send + Sync;
    #[doc(hidden)]
    type Loaded: Send + Sync;

    #[doc(hidden)]
    fn loaders() -> Self::Loaders;
    #[doc(hidden)]
    async fn load(
        loaders: &Self::Loaders,
        store: &dyn EventStore,
        streams: &Self::Streams,
        sought: &CommandId,
    ) -> Result<(Self::Loaded, Vec<Commit>), LoadError>;
    #[doc(hidden)]
    fn states(loaded: &Self::Loaded) -> Self::States<'_>;
    #[doc(hidden)]
    fn versions(loaded: &Self::Loaded) -> Vec<Version>;
    #[doc(hidden)]
    fn siblings(loaded: &Self::Loaded) -> Vec<CommitRef>;
    #[doc(hidden)]
    fn draft<R: Rejection>(
        loaders: &Self::Loaders,
        loaded: &Self::Loaded,
        events: &Self::Events,
        origin: &Origin<'_>,
    ) -> Result<Draft, CommandError<R>>;
}

macro_rules! parts {
    ($count:literal: $($D:ident $at:tt),+) => {
        #[async_trait]
        impl<$($D: Decider),+> Parts for ($($D,)+) {
            type Streams = [StreamId; $count];
            type States<'a> = ($(&'a $D::State,)+);
            type Events = ($(Vec<$D::Event>,)+);
            type Loaders = ($(Loader<$D>,)+);
            type Loaded = ($(Loaded<$D>,)+);

            fn loaders() -> Self::Loaders {
                ($(Loader::<$D>::new(),)+)
            }

            async fn load(
                loaders: &Self::Loaders,
                store: &dyn EventStore,
                streams: &Self::Streams,
                sought: &CommandId,
            ) -> Result<(Self::Loaded, Vec<Commit>), LoadError> {
                let parts = futures::try_join!(
                    $(loaders.$at.load_seeking(store, &streams[$at], sought)),+
                )?;
                let found = [$(parts.$at.1),+].into_iter().flatten().collect();
                Ok((($(parts.$at.0,)+), found))
            }

            fn states(loaded: &Self::Loaded) -> Self::States<'_> {
                ($(loaded.$at.state(),)+)
            }

            fn versions(loaded: &Self::Loaded) -> Vec<Version> {
                vec![$(loaded.$at.version(),)+]
            }

            fn siblings(loaded: &Self::Loaded) -> Vec<CommitRef> {
                [$(loaded.$at.siblings()),+].concat()
            }

            fn draft<R: Rejection>(
                loaders: &Self::Loaders,
                loaded: &Self::Loaded,
                events: &Self::Events,
                origin: &Origin<'_>,
            ) -> Result<Draft, CommandError<R>> {
                let mut draft = Draft::default();
                $(draft.add(&loaders.$at, &loaded.$at, &events.$at, origin)?;)+
                Ok(draft)
            }
        }
    };
}

parts!(2: A 0, B 1);
parts!(3: A 0, B 1, C 2);
parts!(4: A 0, B 1, C 2, D 3);

impl Draft {
    fn add<D: Decider, R: Rejection>(
        &mut self,
        loader: &Loader<D>,
        loaded: &Loaded<D>,
        events: &[D::Event],
        origin: &Origin<'_>,
    ) -> Result<(), CommandError<R>> {
        if events.is_empty() {
            self.unchanged.push(loaded.seen());
            return Ok(());
        }
        self.commits.push(loader.draft(loaded, events, origin)?.commit);
        let claims = guarded(|| events.iter().flat_map(D::claims).collect::<Vec<_>>())?;
        self.claims.extend(claims.into_iter().map(|claim| (loaded.stream().clone(), claim)));
        self.revisions.insert(loaded.stream().category().clone(), D::CLAIMS_REVISION);
        Ok(())
    }
}
