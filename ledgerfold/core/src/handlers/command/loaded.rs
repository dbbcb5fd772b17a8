use crate::{
    CommandId, Decider, DecodeError, EncodeError, Event, EventId, StreamId, Version,
    ports::{EventReader, StoreError},
    vocabulary::{
        CommandStamp, Commit, CommitEvent, CommitHash, CommitRef, Metadata, NewCommit, Panicked,
        RecentCommands, Snapshot, StateSchema, StreamVersion, panics::guarded,
    },
};

/// The estimated memory of a state in bytes, in addition to the bytes of its events.
const OVERHEAD: usize = 512;
/// The number of commits to other streams that a stream remembers. Only the commits of the last moments matter.
const MOST_SIBLINGS: usize = 16;

/// A stream up to the version that was read, with its state. Only this type makes a [`NewCommit`].
pub struct Loaded<D: Decider> {
    stream: StreamId,
    version: Version,
    /// The hash of the newest commit that was read, which the next commit continues.
    hash: Option<CommitHash>,
    state: D::State,
    /// The commands of all commits that were read, or only of the newest ones.
    pub(super) recent: RecentCommands,
    pub(super) distance: Distance,
    /// Commits to other streams in the same transactions as the newest commits that were read.
    siblings: Vec<CommitRef>,
}

/// The part of a stream after its last readable snapshot.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Distance {
    pub(super) events: usize,
    /// The size of the events' content.
    pub(super) bytes: usize,
    /// The size of that snapshot.
    pub(super) snapshot: usize,
}

/// A stream could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An event cannot be read.
    #[error("version {version} of {stream} cannot be read: {source}")]
    Event {
        /// The stream.
        stream: StreamId,
        /// The event's version.
        version: Version,
        /// The reason.
        source: DecodeError,
    },
    /// The domain's code panicked on an event.
    #[error("version {version} of {stream} cannot be folded: {source}")]
    Panicked {
        /// The stream.
        stream: StreamId,
        /// The event's version.
        version: Version,
        /// The message of the panic.
        source: Panicked,
    },
    /// A commit does not follow the one before it. Events are missing, and the stream must not be treated as shorter
    /// than it is.
    #[error("{stream} has a gap: version {found} comes where version {expected} should")]
    Hole {
        /// The stream.
        stream: StreamId,
        /// The version that should come next.
        expected: Version,
        /// The version that comes next.
        found: Version,
    },
}

impl<D: Decider> Clone for Loaded<D> {
    fn clone(&self) -> Self {
        Self {
            stream: self.stream.clone(),
            version: self.version,
            hash: self.hash,
            state: self.state.clone(),
            recent: self.recent.clone(),
            distance: self.distance,
            siblings: self.siblings.clone(),
        }
    }
}

impl<D: Decider> Loaded<D> {
    /// A stream of which nothing has been read yet.
    pub fn unread(stream: StreamId) -> Self {
        Self::restored(stream, (Version::NONE, None), D::initial(), RecentCommands::default(), 0)
    }

    /// A stream that is restored from a snapshot of this many bytes.
    pub(super) fn restored(
        stream: StreamId,
        (version, hash): (Version, Option<CommitHash>),
        state: D::State,
        recent: RecentCommands,
        snapshot: usize,
    ) -> Self {
        let distance = Distance { snapshot, ..Distance::default() };
        Self { stream, version, hash, state, recent, distance, siblings: Vec::new() }
    }

    /// The stream.
    pub const fn stream(&self) -> &StreamId {
        &self.stream
    }

    /// The version up to which the stream was read.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The state at that version.
    pub const fn state(&self) -> &D::State {
        &self.state
    }

    /// The stream and version, as a condition.
    pub fn stream_version(&self) -> StreamVersion {
        StreamVersion::loaded(self.stream.clone(), self.version)
    }

    /// Commits to other streams that must exist, because they are siblings of the commits that were read.
    pub(super) fn siblings(&self) -> &[CommitRef] {
        &self.siblings
    }

    /// The estimated memory in bytes, from the size of the stream's events.
    pub(super) fn weight(&self) -> usize {
        let Distance { bytes, snapshot, .. } = self.distance;
        OVERHEAD + bytes + snapshot + self.recent.as_bytes().len()
    }

    /// Reads the rest of the stream page by page and folds each page, so that memory is bounded by the state and one
    /// page. Returns the commit of this command, if it is among the pages.
    ///
    /// # Errors
    /// [`LoadError`]. This value may then be an unread stream again.
    pub async fn read_on(
        &mut self,
        store: &dyn EventReader,
        sought: &CommandId,
    ) -> Result<Option<Commit>, LoadError> {
        self.read_on_from(store, Some(sought), None).await
    }

    pub(super) async fn read_on_from(
        &mut self,
        store: &dyn EventReader,
        sought: Option<&CommandId>,
        snapshots: Option<&StateSchema>,
    ) -> Result<Option<Commit>, LoadError> {
        let mut found = None;
        loop {
            let page = store.read(&self.stream, self.version).await?;
            found = self.fold_all(page.commits, sought, snapshots)?.or(found);
            if !page.more {
                return Ok(found);
            }
        }
    }

    /// Folds commits that were read. Returns the commit of this command, if it is among them.
    pub(super) fn fold_all(
        &mut self,
        commits: impl IntoIterator<Item = Commit>,
        sought: Option<&CommandId>,
        snapshots: Option<&StateSchema>,
    ) -> Result<Option<Commit>, LoadError> {
        let mut found = None;
        for commit in commits {
            self.fold(&commit, snapshots)?;
            if commit.is_of(sought) {
                found = Some(commit);
            }
        }
        Ok(found)
    }

    /// Folds one commit that was read.
    pub(super) fn fold(
        &mut self,
        commit: &Commit,
        snapshots: Option<&StateSchema>,
    ) -> Result<(), LoadError> {
        if commit.from() != self.version.next() {
            return Err(LoadError::Hole {
                stream: self.stream.clone(),
                expected: self.version.next(),
                found: commit.from(),
            });
        }
        let mut state = std::mem::replace(&mut self.state, D::initial());
        for (version, event) in commit.events() {
            state = match self.evolve(state, version, event) {
                Ok(state) => state,
                Err(error) => {
                    // The failed code consumed the state, so the stream must be read again from its start.
                    *self = Self::unread(self.stream.clone());
                    return Err(error);
                }
            };
        }
        self.stand_at(commit, state, snapshots);
        Ok(())
    }

    fn evolve(
        &self,
        state: D::State,
        version: Version,
        event: &CommitEvent,
    ) -> Result<D::State, LoadError> {
        let CommitEvent { event_type, schema_version, data, .. } = event;
        let stream = || self.stream.clone();
        guarded(|| {
            let events = D::Event::decode(event_type, *schema_version, data)?;
            Ok(events.as_slice().iter().fold(state, D::evolve))
        })
        .map_err(|source| LoadError::Panicked { stream: stream(), version, source })?
        .map_err(|source| LoadError::Event { stream: stream(), version, source })
    }

    /// This stream after a commit of these events, which are not stored yet. So an event that cannot be folded is never
    /// stored.
    pub(super) fn after(&self, commit: &Commit, events: &[D::Event]) -> Result<Self, Panicked> {
        let mut after = self.clone();
        let state = guarded(|| events.iter().fold(self.state.clone(), D::evolve))?;
        after.stand_at(commit, state, None);
        Ok(after)
    }

    /// Records that the newest commit contains this snapshot.
    pub(super) fn snapshot_taken(&mut self, snapshot: &Snapshot) {
        let snapshot = snapshot.state.as_str().len();
        self.distance = Distance { snapshot, ..Distance::default() };
    }

    fn stand_at(&mut self, commit: &Commit, state: D::State, snapshots: Option<&StateSchema>) {
        self.state = state;
        self.version = commit.to();
        self.hash = Some(commit.hash());
        self.recent.push(&commit.command().id, commit.events().count());
        self.siblings.extend_from_slice(&commit.command().siblings);
        self.siblings.drain(..self.siblings.len().saturating_sub(MOST_SIBLINGS));
        self.distance = match commit.snapshot() {
            Some(snapshot) if Some(&snapshot.schema) == snapshots => {
                Distance { snapshot: snapshot.state.as_str().len(), ..Distance::default() }
            }
            _ => self.distance.with(commit),
        };
    }

    /// The commit that adds these events to the stream.
    ///
    /// # Errors
    /// [`EncodeError`] if an event cannot be written as JSON.
    pub fn commit(
        &self,
        events: &[D::Event],
        mut new_id: impl FnMut() -> EventId,
        command: CommandStamp,
        metadata: Metadata,
    ) -> Result<NewCommit, EncodeError> {
        let events = events
            .iter()
            .map(|event| {
                Ok(CommitEvent {
                    id: new_id(),
                    event_type: event.event_type(),
                    schema_version: event.schema_version(),
                    data: event.encode()?,
                })
            })
            .collect::<Result<_, EncodeError>>()?;
        let head = (self.version, self.hash);
        Ok(NewCommit::follow(self.stream.clone(), head, events, command, metadata))
    }
}

impl Distance {
    /// The distance after one more commit.
    pub(super) fn with(self, commit: &Commit) -> Self {
        Self {
            events: self.events + commit.events().count(),
            bytes: self.bytes + commit.payload_bytes(),
            ..self
        }
    }
}
