use std::{fmt, sync::Arc};

use async_trait::async_trait;

use super::{
    Answer, CommandError, Context, LoadError, Loaded, Loader, Seen,
    error::Refusal,
    handler::{BACKOFF, within_limits},
    request::{Origin, repeated},
};
use crate::{
    Claim, Command, CommandId, Commit, Decider, EncodeError, Fingerprint, Idempotency, NewCommit,
    Rejection, StreamId, Version,
    ports::{Clock, EventStore, Place, Random, Transaction},
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
    /// for each stream that got events.
    ///
    /// Costs one read of each stream and a transaction, whose write units count twice; a command that
    /// is refused or has nothing to do costs a second read instead.
    ///
    /// # Errors
    /// [`CommandError`]; nothing is committed then, in any of the streams.
    pub async fn handle(&self, request: &JointRequest<J>) -> Outcome<Vec<Answer>, J> {
        let streams = request.streams.as_ref();
        let fingerprint = Fingerprint::of_joint(&request.command, streams)?;
        for attempt in 0..BACKOFF.attempts {
            BACKOFF.wait(attempt, &*self.clock, &*self.random).await;
            let (loaded, mut found) = self.load(request).await?;
            if !found.is_empty() {
                if found.len() < streams.len() {
                    // The streams are read one beside the other, and the command may have taken effect
                    // between two of the reads. Who has seen one part of it sees the others now.
                    found = self.load(request).await?.1;
                }
                return found.iter().map(|commit| repeated(commit, &fingerprint)).collect();
            }
            let decision = J::decide(J::Parts::states(&loaded), &request.command);
            let events = match decision {
                Ok(events) => events,
                Err(_) if !self.stood_together(request, &loaded).await? => continue,
                Err(rejection) => return Err(CommandError::Rejected(rejection)),
            };
            let origin = Origin {
                id: &request.id,
                name: request.command.name(),
                fingerprint: &fingerprint,
                context: &request.context,
                clock: &*self.clock,
                random: &*self.random,
            };
            let draft = J::Parts::draft(&self.loaders, &loaded, &events, &origin)?;
            if draft.commits.is_empty() {
                if !self.stood_together(request, &loaded).await? {
                    continue;
                }
                return Ok(Vec::new());
            }
            for commit in &draft.commits {
                within_limits(commit.as_commit().events().count())?;
            }
            let answers = draft.commits.iter().map(|new| Answer::from(new.as_commit())).collect();
            let strict = request.command.idempotency() == Idempotency::Strict;
            let once = strict.then(|| request.id.clone());
            let Draft { commits, unchanged, claims } = draft;
            let transaction = Transaction::new(commits, unchanged, claims, once)?;
            let Err(error) = self.store.transact(&transaction).await else {
                return Ok(answers);
            };
            match Refusal::from(error) {
                // A commit of this very command is found by the next load.
                Refusal::Again => {}
                Refusal::Final(error) => return Err(error),
                Refusal::Committed(places) => return self.first(&places, &fingerprint).await,
            }
        }
        let names: Vec<_> = streams.iter().map(ToString::to_string).collect();
        Err(CommandError::Contention { streams: names.join(", "), attempts: BACKOFF.attempts })
    }

    /// The streams as they are now, and the commits of this very command among theirs.
    async fn load(
        &self,
        request: &JointRequest<J>,
    ) -> Result<(<J::Parts as Parts>::Loaded, Vec<Commit>), LoadError> {
        J::Parts::load(&self.loaders, &*self.store, &request.streams, &request.id).await
    }

    /// Whether these states were true at one moment. Streams are read one beside the other, and others
    /// may commit in between; a transaction says so, and what needs none is asked for again: what is
    /// the same in two reads, one behind the other, stood together between them.
    async fn stood_together(
        &self,
        request: &JointRequest<J>,
        loaded: &<J::Parts as Parts>::Loaded,
    ) -> Result<bool, LoadError> {
        let (again, found) = self.load(request).await?;
        Ok(found.is_empty() && J::Parts::versions(&again) == J::Parts::versions(loaded))
    }

    /// What a command did that is recognised for ever.
    async fn first(&self, places: &[Place], fingerprint: &Fingerprint) -> Outcome<Vec<Answer>, J> {
        let mut answers = Vec::new();
        for place in places {
            answers.push(repeated(&place.read(&*self.store).await?, fingerprint)?);
        }
        Ok(answers)
    }
}

/// What one joint decision makes of its streams.
#[doc(hidden)]
#[derive(Default)]
pub struct Draft {
    commits: Vec<NewCommit>,
    unchanged: Vec<Seen>,
    claims: Vec<(StreamId, Claim)>,
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
    fn draft(
        loaders: &Self::Loaders,
        loaded: &Self::Loaded,
        events: &Self::Events,
        origin: &Origin<'_>,
    ) -> Result<Draft, EncodeError>;
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

            fn draft(
                loaders: &Self::Loaders,
                loaded: &Self::Loaded,
                events: &Self::Events,
                origin: &Origin<'_>,
            ) -> Result<Draft, EncodeError> {
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
    fn add<D: Decider>(
        &mut self,
        loader: &Loader<D>,
        loaded: &Loaded<D>,
        events: &[D::Event],
        origin: &Origin<'_>,
    ) -> Result<(), EncodeError> {
        if events.is_empty() {
            self.unchanged.push(loaded.seen());
            return Ok(());
        }
        self.commits.push(loader.with_snapshot(loaded, events, origin.commit(loaded, events)?)?);
        let claims = events.iter().flat_map(D::claims);
        self.claims.extend(claims.map(|claim| (loaded.stream().clone(), claim)));
        Ok(())
    }
}
