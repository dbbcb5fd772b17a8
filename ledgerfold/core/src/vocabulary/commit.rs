use crate::{
    Actor, CausationId, CommandId, CommandName, CorrelationId, Envelope, EventId, EventType,
    Payload, SchemaVersion, StreamId, Timestamp, Traceparent, Version,
    vocabulary::{CommitHash, Fingerprint, Form, PublicForm, Snapshot},
};

/// The most events of one commit. A decision with more events is most likely a bug.
pub const MAX_EVENTS_PER_COMMIT: usize = 100;

/// The events of one command in one stream. They are stored together or not at all.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    stream: StreamId,
    from: Version,
    events: Vec<CommitEvent>,
    command: CommandStamp,
    metadata: Metadata,
    hash: CommitHash,
    snapshot: Option<Snapshot>,
    form: Form,
}

/// One event of a commit.
#[derive(Clone, Debug, PartialEq)]
pub struct CommitEvent {
    /// The event's identity. It never changes, on no delivery and on no replay.
    pub id: EventId,
    /// The event's type, for example `OrderPlaced`.
    pub event_type: EventType,
    /// The version of the schema that `data` follows.
    pub schema_version: SchemaVersion,
    /// The event's content.
    pub data: Payload,
}

/// The command of a commit. A repeated command is recognised by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandStamp {
    /// The command's id. Every repetition carries the same id.
    pub id: CommandId,
    /// The command's name, for example `PlaceOrder`.
    pub name: CommandName,
    /// A digest of the request.
    pub fingerprint: Fingerprint,
    /// The commits of the same decision to other streams. Every sibling names all others.
    pub siblings: Vec<CommitRef>,
}

/// The place of a commit in the log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommitRef {
    /// The commit's stream.
    pub stream: StreamId,
    /// The version of its first event.
    pub from: Version,
}

/// The circumstances of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The time of the commit, by the clock of the function that wrote it. Clocks differ, so this time
    /// can run backwards within a stream.
    pub recorded_at: Timestamp,
    /// The id that all commands and events of one conversation share.
    pub correlation_id: CorrelationId,
    /// The direct cause.
    pub causation_id: CausationId,
    /// The person or process on whose behalf the command was sent.
    pub actor: Actor,
    /// The position in a distributed trace, if the caller sent one.
    pub traceparent: Option<Traceparent>,
}

/// A stored commit that contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the commit of {stream} at {from} to {to} holds {events} events")]
pub struct CorruptCommit {
    stream: StreamId,
    from: Version,
    to: Version,
    events: usize,
}

impl Commit {
    /// A commit that a store has read. `from` and `to` are the versions of its first and its last event. The hash is the
    /// stored one, whether it is right or not.
    ///
    /// # Errors
    /// [`CorruptCommit`] if the number of events does not match the versions.
    pub fn restore(
        stream: StreamId,
        (from, to): (Version, Version),
        events: Vec<CommitEvent>,
        command: CommandStamp,
        metadata: Metadata,
        hash: CommitHash,
    ) -> Result<Self, CorruptCommit> {
        let form = Form::Private;
        let commit = Self { stream, from, events, command, metadata, hash, snapshot: None, form };
        if commit.events.is_empty() || from == Version::NONE || commit.to() != to {
            let Self { stream, events, .. } = commit;
            return Err(CorruptCommit { stream, from, to, events: events.len() });
        }
        Ok(commit)
    }

    /// The same commit with the snapshot that was stored with it.
    #[must_use]
    pub fn with_snapshot(self, snapshot: Option<Snapshot>) -> Self {
        Self { snapshot, ..self }
    }

    /// The same commit for a reader in another context: its envelopes open to the public form of its events.
    #[must_use]
    pub fn read_as(self, form: PublicForm) -> Self {
        Self { form: Form::ReadAs(form), ..self }
    }

    /// The commit's stream.
    pub const fn stream(&self) -> &StreamId {
        &self.stream
    }

    /// The version of its first event.
    pub const fn from(&self) -> Version {
        self.from
    }

    /// The version of its last event. The stream has this version after the commit.
    pub fn to(&self) -> Version {
        self.from.advance(self.events.len().saturating_sub(1))
    }

    /// The events with their versions, oldest first.
    pub fn events(&self) -> impl Iterator<Item = (Version, &CommitEvent)> {
        self.events.iter().enumerate().map(|(at, event)| (self.from.advance(at), event))
    }

    /// The command that caused the commit.
    pub const fn command(&self) -> &CommandStamp {
        &self.command
    }

    /// Its place in the log.
    pub fn place(&self) -> CommitRef {
        CommitRef { stream: self.stream.clone(), from: self.from }
    }

    /// Whether it is the commit of this command. Never true if `sought` is `None`.
    pub(crate) fn is_of(&self, sought: Option<&CommandId>) -> bool {
        sought == Some(&self.command.id)
    }

    /// The circumstances of the commit.
    pub const fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The hash in the store. [`CommitHash::of`] computes the right one.
    pub const fn hash(&self) -> CommitHash {
        self.hash
    }

    /// The state after the commit, if it was stored with one.
    pub const fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    /// The size of the events' content, in bytes.
    pub fn payload_bytes(&self) -> usize {
        self.events.iter().map(|event| event.data.as_str().len()).sum()
    }

    /// The events as they are published, oldest first. A snapshot is never published.
    pub fn envelopes(&self) -> impl Iterator<Item = Envelope> + '_ {
        self.events().map(|(version, event)| Envelope {
            event: event.clone(),
            form: self.form,
            stream: self.stream.clone(),
            version,
            commit: (self.from, self.to()),
            command_id: self.command.id.clone(),
            metadata: self.metadata.clone(),
        })
    }
}

/// A commit that follows a loaded stream and is not stored yet.
///
/// Only a [`Loaded`](crate::command::Loaded) stream makes one, so its version is always a version that
/// was read.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCommit {
    commit: Commit,
    /// The hash of the commit before it.
    previous: Option<CommitHash>,
}

impl NewCommit {
    pub(crate) fn follow(
        stream: StreamId,
        (head, previous): (Version, Option<CommitHash>),
        events: Vec<CommitEvent>,
        command: CommandStamp,
        metadata: Metadata,
    ) -> Self {
        let from = head.next();
        let form = Form::Private;
        let hash = CommitHash::NONE;
        let commit = Commit { stream, from, events, command, metadata, hash, snapshot: None, form };
        Self { commit, previous }.hashed()
    }

    pub(crate) fn with_snapshot(self, snapshot: Option<Snapshot>) -> Self {
        Self { commit: self.commit.with_snapshot(snapshot), ..self }
    }

    /// The same commit as part of a transaction with all of these commits.
    pub(crate) fn with_siblings(mut self, all: &[CommitRef]) -> Self {
        let own = self.commit.place();
        self.commit.command.siblings = all.iter().filter(|place| **place != own).cloned().collect();
        self.hashed()
    }

    fn hashed(mut self) -> Self {
        self.commit.hash = CommitHash::of(&self.commit, self.previous);
        self
    }

    /// The commit to store.
    pub const fn as_commit(&self) -> &Commit {
        &self.commit
    }

    /// The commit, once it is stored.
    pub fn into_commit(self) -> Commit {
        self.commit
    }
}
