use std::{collections::BTreeSet, fmt};

use async_trait::async_trait;

use super::{CommandError, LoadError, Loaded, Loader, draft::Draft, origin::Origin};
use crate::{
    Category, CommandId, Decider, Rejection, StreamId, Timestamp, Version,
    ports::EventReader,
    vocabulary::{Commit, CommitRef},
};

/// The domains of the streams of a joint decision. The library implements it for tuples of two to four
/// [`Decider`]s, which may repeat a decider.
#[async_trait]
pub trait Parts: Send + Sync + 'static {
    /// One stream for each domain.
    type Streams: AsRef<[StreamId]> + Clone + fmt::Debug + Send + Sync;
    /// One state for each domain.
    type States<'a>;
    /// Any number of events for each domain.
    type Events: Send + Sync;
    #[doc(hidden)]
    type Loaders: Send + Sync;
    #[doc(hidden)]
    type Loaded: Send + Sync;

    #[doc(hidden)]
    fn categories() -> Vec<Category>;
    #[doc(hidden)]
    fn loaders() -> Self::Loaders;
    #[doc(hidden)]
    fn unread(streams: &Self::Streams) -> Self::Loaded;
    #[doc(hidden)]
    async fn load(
        loaders: &Self::Loaders,
        store: &dyn EventReader,
        streams: (&Self::Streams, Option<&StreamId>),
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
        decided_at: Timestamp,
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

            fn categories() -> Vec<Category> {
                let all: BTreeSet<_> = [$($D::CATEGORY),+].into();
                all.into_iter().collect()
            }

            fn loaders() -> Self::Loaders {
                ($(Loader::<$D>::new(),)+)
            }

            fn unread(streams: &Self::Streams) -> Self::Loaded {
                ($(Loaded::unread(streams[$at].clone()),)+)
            }

            async fn load(
                loaders: &Self::Loaders,
                store: &dyn EventReader,
                (streams, unread): (&Self::Streams, Option<&StreamId>),
                sought: &CommandId,
            ) -> Result<(Self::Loaded, Vec<Commit>), LoadError> {
                let parts = futures::try_join!(
                    $(loaders.$at.load_unless(unread, store, &streams[$at], sought)),+
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
                decided_at: Timestamp,
            ) -> Result<Draft, CommandError<R>> {
                let mut draft = Draft::decided_at(decided_at);
                $(draft.add(&loaders.$at, &loaded.$at, &events.$at, origin)?;)+
                Ok(draft)
            }
        }
    };
}

parts!(2: A 0, B 1);
parts!(3: A 0, B 1, C 2);
parts!(4: A 0, B 1, C 2, D 3);
