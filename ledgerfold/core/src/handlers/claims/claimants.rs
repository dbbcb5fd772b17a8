use std::{
    collections::{BTreeMap, BTreeSet},
    marker::PhantomData,
};

use futures::future::BoxFuture;

use crate::{
    Category, Claim, Decider, ReservedKey, StreamId, UniqueKey,
    command::{LoadError, Loader},
    ports::EventReader,
    vocabulary::{DecisionContext, StreamVersion},
};

/// The domains of a context whose events claim unique keys, one per category.
///
/// ```
/// # use ledgerfold::{Decider, claims::Claimants};
/// # fn of<Accounts: Decider, Phones: Decider>() -> Claimants {
/// Claimants::new().with::<Accounts>().with::<Phones>()
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Claimants(BTreeMap<Category, Claimant>);

/// The claims of a domain, without its types.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claimant {
    pub(super) revision: u32,
    owned: Owned,
}

type Owned =
    for<'a> fn(&'a dyn EventReader, StreamId) -> BoxFuture<'a, Result<Ownership, LoadError>>;

/// The keys that a stream owns at a version, according to its events.
#[derive(Clone, Debug)]
pub(super) struct Ownership {
    pub(super) seen: StreamVersion,
    pub(super) keys: BTreeSet<ReservedKey>,
}

impl Claimants {
    /// Claimants without a domain.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds this domain. If several domains share a category, add any one of them: they read the same events, and must
    /// agree on the claims.
    #[must_use]
    pub fn with<D: Decider>(mut self) -> Self {
        let claimant = Claimant {
            revision: D::CLAIMS_REVISION,
            owned: |log, stream| Box::pin(owned::<D>(log, stream)),
        };
        self.0.insert(D::CATEGORY, claimant);
        self
    }

    /// The categories of the domains.
    pub fn categories(&self) -> impl Iterator<Item = &Category> {
        self.0.keys()
    }

    pub(super) fn of(&self, category: &Category) -> Option<Claimant> {
        self.0.get(category).copied()
    }
}

impl Claimant {
    /// The keys that a stream owns now.
    pub(super) async fn owned(
        self,
        log: &dyn EventReader,
        stream: &StreamId,
    ) -> Result<Ownership, LoadError> {
        (self.owned)(log, stream.clone()).await
    }
}

async fn owned<D: Decider>(
    log: &dyn EventReader,
    stream: StreamId,
) -> Result<Ownership, LoadError> {
    let loaded = Loader::<Owning<D>>::new().load(log, &stream).await?;
    let keys = loaded.state().iter().map(|key| ReservedKey::of(&stream, key.clone()));
    Ok(Ownership { seen: loaded.stream_version(), keys: keys.collect() })
}

/// A decider whose state is the set of keys that the stream owns. It is a decider so that [`Loader`] reads the stream,
/// which pages through it and detects gaps.
struct Owning<D>(PhantomData<fn() -> D>);

impl<D: Decider> Decider for Owning<D> {
    type Command = D::Command;
    type Event = D::Event;
    type State = BTreeSet<UniqueKey>;
    type Rejection = D::Rejection;

    const CATEGORY: Category = D::CATEGORY;

    fn initial() -> Self::State {
        BTreeSet::new()
    }

    fn evolve(mut keys: Self::State, event: &D::Event) -> Self::State {
        for claim in D::claims(event) {
            match claim {
                Claim::Reserve(key) => keys.insert(key),
                Claim::Release(key) => keys.remove(&key),
            };
        }
        keys
    }

    fn decide(
        _: &Self::State,
        _: &D::Command,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<D::Event>, D::Rejection> {
        Ok(Vec::new())
    }
}
