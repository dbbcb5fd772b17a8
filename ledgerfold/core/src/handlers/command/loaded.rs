use crate::{
    CommandId, Decider, DecodeError, EncodeError, Event, EventId, StreamId, Version,
    ports::{EventReader, StoreError},
    vocabulary::{
        CommandStamp, Commit, CommitEvent, CommitRef, Metadata, NewCommit, Panicked,
        RecentCommands, Snapshot, StateSchema, StreamVersion, panics::guarded,
    },
};

/// The memory of a state beside the bytes of its events; a guess.
const OVERHEAD: usize = 512;
/// How many commits beside its own a stream remembers; only those of the last moments matter.
const MOST_SIBLINGS: usize = 16;

/// A stream as far as it was read: its state and version, and the only source of a [`NewCommit`].
pub struct Loaded<D: Decider> {
    stream: StreamId,
    version: Version,
    state: D::State,
    /// The commands of all commits that were read, or of the newest.
    pub(super) recent: RecentCommands,
    pub(super) distance: Distance,
    /// Commits to other streams in the same transactions as the newest that were read here.
    siblings: Vec<CommitRef>,
}

/// How far a stream has come since the last snapshot that can be read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Distance {
    pub(super) events: usize,
    /// Of their content.
    pub(super) bytes: usize,
    /// The size of that snapshot.
    pub(super) snapshot: usize,
}

/// The result of reading and folding one page.
pub(super) struct PageRead {
    /// The commit of the command that the reader looks for.
    pub(super) found: Option<Commit>,
    /// Whether the stream goes on behind the page.
    pub(super) more: bool,
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
    /// The domain's code panics on an event.
    #[error("version {version} of {stream} cannot be folded: {source}")]
    Panicked {
        /// The stream.
        stream: StreamId,
        /// The event's version.
        version: Version,
        /// With which words.
        source: Panicked,
    },
    /// A commit does not follow the one before it: something is missing, and the stream must not
    /// be taken for shorter than it is.
    #[error("{stream} has a hole: version {expected} is followed by {found}")]
    Hole {
        /// The stream.
        stream: StreamId,
        /// The version that should come next.
        expected: Version,
        /// The version that comes.
        found: Version,
    },
}

impl<D: Decider> Clone for Loaded<D> {
    fn clone(&self) -> Self {
        Self {
            stream: self.stream.clone(),
            version: self.version,
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
        Self::restored(stream, Version::NONE, D::initial(), RecentCommands::default(), 0)
    }

    /// A stream as a snapshot of this many bytes shows it.
    pub(super) fn restored(
        stream: StreamId,
        version: Version,
        state: D::State,
        recent: RecentCommands,
        snapshot: usize,
    ) -> Self {
        let distance = Distance { snapshot, ..Distance::default() };
        Self { stream, version, state, recent, distance, siblings: Vec::new() }
    }

    /// The stream.
    pub const fn stream(&self) -> &StreamId {
        &self.stream
    }

    /// Its version as far as it was read.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Its state at that version.
    pub const fn state(&self) -> &D::State {
        &self.state
    }

    /// The stream and version, as a condition.
    pub fn stream_version(&self) -> StreamVersion {
        StreamVersion::loaded(self.stream.clone(), self.version)
    }

    /// Commits to other streams which the commits that were read here imply.
    pub(super) fn siblings(&self) -> &[CommitRef] {
        &self.siblings
    }

    /// An estimate of its memory in bytes, from the size of its events.
    pub(super) fn weight(&self) -> usize {
        let Distance { bytes, snapshot, .. } = self.distance;
        OVERHEAD + bytes + snapshot + self.recent.as_bytes().len()
    }

    /// Reads to the end of the stream, page by page, and folds while it reads, so that memory is bounded by the state
    /// and one page. Returns the commit of this command, if it is among the pages.
    ///
    /// # Errors
    /// [`LoadError`]; the part that was read may be forgotten then.
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
            let page = self.read_page(store, sought, snapshots).await?;
            found = page.found.or(found);
            if !page.more {
                return Ok(found);
            }
        }
    }

    /// Reads one page and folds it.
    pub(super) async fn read_page(
        &mut self,
        store: &dyn EventReader,
        sought: Option<&CommandId>,
        snapshots: Option<&StateSchema>,
    ) -> Result<PageRead, LoadError> {
        let page = store.read(&self.stream, self.version).await?;
        let found = self.fold_all(page.commits, sought, snapshots)?;
        Ok(PageRead { found, more: page.more })
    }

    /// Moves on by commits that were read, and gives back the one of this command, if it is among them.
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

    /// Moves on by a commit that was read.
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
                    // The state went into the code that failed: there is nothing left to go on from.
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

    /// This stream after a commit of these events, which are not stored yet. Nothing is stored that
    /// could not be folded later.
    pub(super) fn after(&self, commit: &Commit, events: &[D::Event]) -> Result<Self, Panicked> {
        let mut after = self.clone();
        let state = guarded(|| events.iter().fold(self.state.clone(), D::evolve))?;
        after.stand_at(commit, state, None);
        Ok(after)
    }

    /// The newest commit has taken this snapshot along.
    pub(super) fn snapshot_taken(&mut self, snapshot: &Snapshot) {
        let snapshot = snapshot.state.as_str().len();
        self.distance = Distance { snapshot, ..Distance::default() };
    }

    fn stand_at(&mut self, commit: &Commit, state: D::State, snapshots: Option<&StateSchema>) {
        self.state = state;
        self.version = commit.to();
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
        Ok(NewCommit::follow(self.stream.clone(), self.version, events, command, metadata))
    }
}

impl Distance {
    /// One commit further.
    pub(super) fn with(self, commit: &Commit) -> Self {
        Self {
            events: self.events + commit.events().count(),
            bytes: self.bytes + commit.payload_bytes(),
            ..self
        }
    }
}
