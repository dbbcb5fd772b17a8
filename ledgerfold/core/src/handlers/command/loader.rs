use super::{CommandError, LoadError, Loaded, origin::Origin};
use crate::{
    CommandId, Decider, Rejection, SnapshotPolicy, Snapshots, StreamId, Timestamp,
    ports::{Base, EventReader, Newest, PortError, Span, StoreError},
    vocabulary::{
        Commit, CommitRef, IDEMPOTENCY_WINDOW, MAX_SNAPSHOT_BYTES, NewCommit, Snapshot,
        panics::guarded,
    },
};

/// Reads the streams of a domain. If the domain has snapshots, a load begins at the cached version or at the newest
/// snapshot, whichever is nearer to the end of the stream.
pub struct Loader<D: Decider> {
    snapshots: Option<Snapshots<D::State>>,
}

impl<D: Decider> Loader<D> {
    /// A loader of the domain's streams.
    pub fn new() -> Self {
        Self { snapshots: D::snapshots() }
    }

    /// The current stream. One read is enough if the stream is short or its newest snapshot is near.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn load(
        &self,
        store: &dyn EventReader,
        stream: &StreamId,
    ) -> Result<Loaded<D>, LoadError> {
        let mut loaded = Loaded::unread(stream.clone());
        self.read(store, &mut loaded, None).await?;
        Ok(loaded)
    }

    /// The current stream, and the commit of this command, if there is one. The stream is not read if it is `unread`.
    pub(super) async fn load_unless(
        &self,
        unread: Option<&StreamId>,
        store: &dyn EventReader,
        stream: &StreamId,
        sought: &CommandId,
    ) -> Result<(Loaded<D>, Option<Commit>), LoadError> {
        let mut loaded = Loaded::unread(stream.clone());
        if unread == Some(stream) {
            return Ok((loaded, None));
        }
        let found = self.catch_up(store, &mut loaded, sought).await?;
        Ok((loaded, found))
    }

    /// Updates `loaded` to the end of its stream. Returns the commit of this command, if there is one.
    pub(super) async fn catch_up(
        &self,
        store: &dyn EventReader,
        loaded: &mut Loaded<D>,
        sought: &CommandId,
    ) -> Result<Option<Commit>, LoadError> {
        match self.read(store, loaded, Some(sought)).await? {
            Some(commit) => Ok(Some(commit)),
            None => self.recall(store, loaded, sought).await,
        }
    }

    async fn read(
        &self,
        store: &dyn EventReader,
        loaded: &mut Loaded<D>,
        sought: Option<&CommandId>,
    ) -> Result<Option<Commit>, LoadError> {
        let found = match &self.snapshots {
            Some(snapshots) => read_back(store, loaded, snapshots, sought).await?,
            None => loaded.read_on_from(store, sought, None).await?,
        };
        self.forget(loaded);
        Ok(found)
    }

    /// The commit of this command, if `loaded` remembers its id.
    pub(super) async fn recall(
        &self,
        store: &dyn EventReader,
        loaded: &Loaded<D>,
        sought: &CommandId,
    ) -> Result<Option<Commit>, LoadError> {
        for place in loaded.recent.places(sought, loaded.version()) {
            let place = CommitRef { stream: loaded.stream().clone(), from: place };
            let commit = place.read(store).await?;
            if commit.command().id == *sought {
                return Ok(Some(commit));
            }
        }
        Ok(None)
    }

    /// The commit that adds these events to the stream, and the stream after it.
    ///
    /// # Errors
    /// [`CommandError`] if the events could not be read or folded again. They must not be stored then.
    pub(super) fn follow<R: Rejection>(
        &self,
        loaded: &Loaded<D>,
        events: &[D::Event],
        origin: &Origin<'_>,
        decided_at: Timestamp,
    ) -> Result<(NewCommit, Loaded<D>), CommandError<R>> {
        let commit = guarded(|| origin.commit(loaded, events, decided_at))??;
        let mut after = loaded.after(commit.as_commit(), events)?;
        self.forget(&mut after);
        let snapshot = self.snapshot(loaded, commit.as_commit(), &after);
        if let Some(snapshot) = &snapshot {
            after.snapshot_taken(snapshot);
        }
        Ok((commit.with_snapshot(snapshot), after))
    }

    /// The snapshot for the commit, if one is due. A state that cannot be read back unchanged gets no snapshot:
    /// snapshots only save reads, and are not worth a failed command.
    fn snapshot(&self, loaded: &Loaded<D>, commit: &Commit, after: &Loaded<D>) -> Option<Snapshot> {
        let snapshots = self.snapshots.as_ref()?;
        let (policy, distance) = (snapshots.policy(), loaded.distance.with(commit));
        let is_far = distance.events >= policy.events || distance.bytes >= policy.bytes;
        if !is_far || distance.bytes < distance.snapshot {
            return None;
        }
        let taken = guarded(|| snapshots.take(after.state(), after.recent.clone()));
        let reason = match taken {
            Ok(Ok(snapshot)) => return snapshot,
            Ok(Err(error)) => error.to_string(),
            Err(panicked) => panicked.to_string(),
        };
        tracing::error!(stream = %loaded.stream(), reason, "no snapshot can be taken of this state");
        None
    }

    /// Forgets the commands that a snapshot would not remember either.
    fn forget(&self, loaded: &mut Loaded<D>) {
        if self.snapshots.is_some() {
            loaded.recent.keep(IDEMPOTENCY_WINDOW);
        }
    }
}

/// Updates `loaded` to the end of its stream. Reads the newest commits back to the loaded version or to a readable
/// snapshot, whichever comes first. The first read covers the usual distance between snapshots. The second read covers
/// the longest distance, if earlier commits are as large as these. The third read covers as much as one read can, in
/// case a snapshot was passed over. If there is still neither, the rest of the stream is read from the loaded version,
/// one page at a time.
async fn read_back<D: Decider>(
    store: &dyn EventReader,
    loaded: &mut Loaded<D>,
    snapshots: &Snapshots<D::State>,
    sought: Option<&CommandId>,
) -> Result<Option<Commit>, LoadError> {
    let mut newest: Vec<Commit> = Vec::new();
    let schema = snapshots.schema();
    let mut span = Span::after(loaded.version());
    for reach in [Reach::Usual, Reach::Longest, Reach::All] {
        let limit = reach.commits(snapshots.policy(), &newest);
        match store.read_back_to(schema, loaded.stream(), span, limit).await? {
            Newest::Commits(page) => {
                newest.extend(page.commits);
                span.before = newest.last().map(Commit::from);
                if !page.more || span.is_empty() {
                    return loaded.fold_all(newest.into_iter().rev(), sought, Some(schema));
                }
            }
            Newest::Snapshot { base, following } => {
                let Some(state) = snapshots.open(&base.snapshot) else { break };
                let stream = loaded.stream().clone();
                *loaded = restored(stream.clone(), &base, state);
                let mut found = loaded.fold_all(following.commits, sought, Some(schema))?;
                let rest = if following.more {
                    loaded.read_on_from(store, sought, Some(schema)).await?
                } else {
                    loaded.fold_all(newest.into_iter().rev(), sought, Some(schema))?
                };
                found = rest.or(found);
                if found.is_none() && sought == Some(&base.command) {
                    found = Some(CommitRef { stream, from: base.from }.read(store).await?);
                }
                return Ok(found);
            }
        }
    }
    loaded.read_on_from(store, sought, Some(schema)).await
}

/// How far back a read looks for a snapshot.
#[derive(Clone, Copy)]
enum Reach {
    /// The usual distance between snapshots.
    Usual,
    /// The longest distance: a large snapshot is only replaced once the events since then outweigh it.
    Longest,
    /// As far as one read can.
    All,
}

impl Reach {
    fn commits(self, policy: SnapshotPolicy, newest: &[Commit]) -> usize {
        match self {
            Self::Usual => policy.events.saturating_add(1),
            Self::Longest => {
                let bytes: usize = newest.iter().map(Commit::payload_bytes).sum();
                let apart = policy.bytes.max(MAX_SNAPSHOT_BYTES);
                // Rounded up, plus one for the commit with the snapshot.
                apart.saturating_mul(newest.len()) / bytes.max(1) + 2
            }
            Self::All => usize::MAX,
        }
    }
}

fn restored<D: Decider>(stream: StreamId, base: &Base, state: D::State) -> Loaded<D> {
    let Base { version, hash, snapshot, .. } = base;
    Loaded::restored(
        stream,
        (*version, Some(*hash)),
        state,
        snapshot.recent.clone(),
        snapshot.state.as_str().len(),
    )
}

impl<D: Decider> Default for Loader<D> {
    fn default() -> Self {
        Self::new()
    }
}

impl CommitRef {
    /// The commit at this position.
    ///
    /// A plain read of DynamoDB may show half of a transaction, so a record may be visible a moment before its
    /// commits. A missing commit therefore means "try again later".
    pub(super) async fn read(&self, store: &dyn EventReader) -> Result<Commit, LoadError> {
        let page = store.read_back(&self.stream, Span::before(self.from.next()), 1).await?;
        let found = page.commits.into_iter().next();
        found.filter(|commit| commit.from() == self.from).ok_or_else(|| {
            let Self { stream, from } = self;
            let reason = format!("version {from} of {stream} cannot be seen yet");
            StoreError::Port(PortError::Unavailable(reason.into())).into()
        })
    }
}
