use crate::{
    CommandId, CommandStamp, Commit, CommitEvent, Decider, DecodeError, Decoded, EncodeError,
    Event, EventId, Metadata, NewCommit, StreamId, Version,
    ports::{EventStore, StoreError},
};

/// A stream as far as it was read: its state and version, and the only source of a [`NewCommit`].
#[derive(Clone, Debug)]
pub struct Loaded<D: Decider> {
    stream: StreamId,
    version: Version,
    state: D::State,
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
        /// What is wrong with it.
        source: DecodeError,
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

impl<D: Decider> Loaded<D> {
    /// A stream of which nothing has been read yet.
    pub fn unread(stream: StreamId) -> Self {
        Self { stream, version: Version::NONE, state: D::initial() }
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

    /// Reads on to the end of the stream, page by page, folding while it reads, so that memory is
    /// bounded by the state and one page. Gives back the commit of this command, if it passed by.
    ///
    /// # Errors
    /// [`LoadError`]; `self` then stands at the last commit that could be read.
    pub async fn read_on(
        &mut self,
        store: &dyn EventStore,
        sought: &CommandId,
    ) -> Result<Option<Commit>, LoadError> {
        let mut found = None;
        loop {
            let page = store.read(&self.stream, self.version).await?;
            for commit in page.commits {
                self.fold(&commit)?;
                if commit.command().id == *sought {
                    found = Some(commit);
                }
            }
            if !page.more {
                return Ok(found);
            }
        }
    }

    fn fold(&mut self, commit: &Commit) -> Result<(), LoadError> {
        if commit.from() != self.version.next() {
            return Err(LoadError::Hole {
                stream: self.stream.clone(),
                expected: self.version.next(),
                found: commit.from(),
            });
        }
        let events = commit
            .events()
            .map(|(version, event)| {
                let CommitEvent { event_type, schema_version, data, .. } = event;
                D::Event::decode(event_type, *schema_version, data).map_err(|source| {
                    LoadError::Event { stream: self.stream.clone(), version, source }
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let state = std::mem::replace(&mut self.state, D::initial());
        self.state = events.iter().flat_map(Decoded::as_slice).fold(state, D::evolve);
        self.version = commit.to();
        Ok(())
    }

    /// The commit that puts these events behind what was read.
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
