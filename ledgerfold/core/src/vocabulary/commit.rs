use crate::{
    Actor, CausationId, CommandId, CommandName, CorrelationId, Envelope, EventId, EventType,
    Payload, SchemaVersion, StreamId, Timestamp, Traceparent, Version,
    vocabulary::{Fingerprint, Snapshot},
};

/// The most events one commit may hold: a decision that makes more has most likely run away.
pub const MAX_EVENTS_PER_COMMIT: usize = 100;

/// The effect of one command on one stream: its events, stored and published together or not at all.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    stream: StreamId,
    from: Version,
    events: Vec<CommitEvent>,
    command: CommandStamp,
    metadata: Metadata,
    snapshot: Option<Snapshot>,
}

/// One event within its commit.
#[derive(Clone, Debug, PartialEq)]
pub struct CommitEvent {
    /// Its identity, everywhere and for ever.
    pub id: EventId,
    /// The event's type, for example `OrderPlaced`.
    pub event_type: EventType,
    /// The version of the schema that `data` follows.
    pub schema_version: SchemaVersion,
    /// The event's content.
    pub data: Payload,
}

/// The command of a commit. It makes a repeated command recognisable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandStamp {
    /// Which attempt it was.
    pub id: CommandId,
    /// The command's name, for example `PlaceOrder`.
    pub name: CommandName,
    /// A digest of the whole request.
    pub fingerprint: Fingerprint,
    /// The commits to other streams, if one decision was over several. Each of them leads to all others.
    pub siblings: Vec<CommitRef>,
}

/// Where a commit stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommitRef {
    /// In which stream.
    pub stream: StreamId,
    /// The version of its first event.
    pub from: Version,
}

/// The circumstances of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// When it was recorded, by the clock of the function that wrote it. May run backwards within a
    /// stream, as clocks do.
    pub recorded_at: Timestamp,
    /// The conversation it belongs to.
    pub correlation_id: CorrelationId,
    /// The direct cause.
    pub causation_id: CausationId,
    /// On whose behalf.
    pub actor: Actor,
    /// Where in a trace, if the caller said.
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
    /// A commit read back from where it was kept; `from` and `to` are the versions of its first and
    /// last event.
    ///
    /// # Errors
    /// [`CorruptCommit`] if the events do not fill the versions exactly.
    pub fn restore(
        stream: StreamId,
        (from, to): (Version, Version),
        events: Vec<CommitEvent>,
        command: CommandStamp,
        metadata: Metadata,
    ) -> Result<Self, CorruptCommit> {
        let commit = Self { stream, from, events, command, metadata, snapshot: None };
        if commit.events.is_empty() || from == Version::NONE || commit.to() != to {
            let Self { stream, events, .. } = commit;
            return Err(CorruptCommit { stream, from, to, events: events.len() });
        }
        Ok(commit)
    }

    /// The same commit with the snapshot that was kept with it.
    #[must_use]
    pub fn with_snapshot(self, snapshot: Option<Snapshot>) -> Self {
        Self { snapshot, ..self }
    }

    /// The stream it belongs to.
    pub const fn stream(&self) -> &StreamId {
        &self.stream
    }

    /// The version of its first event.
    pub const fn from(&self) -> Version {
        self.from
    }

    /// The version of its last event, and so of the stream with it.
    pub fn to(&self) -> Version {
        self.from.advance(self.events.len().saturating_sub(1))
    }

    /// Its events, oldest first, with their versions.
    pub fn events(&self) -> impl Iterator<Item = (Version, &CommitEvent)> {
        self.events.iter().enumerate().map(|(at, event)| (self.from.advance(at), event))
    }

    /// The command that it answers.
    pub const fn command(&self) -> &CommandStamp {
        &self.command
    }

    /// Where it stands.
    pub fn place(&self) -> CommitRef {
        CommitRef { stream: self.stream.clone(), from: self.from }
    }

    /// Whether it is the commit of the command that is sought, if one is.
    pub(crate) fn is_of(&self, sought: Option<&CommandId>) -> bool {
        sought == Some(&self.command.id)
    }

    /// Its circumstances.
    pub const fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The state after it, where it took one along.
    pub const fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    /// The bytes of its events' content.
    pub fn payload_bytes(&self) -> usize {
        self.events.iter().map(|event| event.data.as_str().len()).sum()
    }

    /// Its events as they travel, oldest first; a snapshot does not.
    pub fn envelopes(&self) -> impl Iterator<Item = Envelope> + '_ {
        self.events().map(|(version, event)| Envelope {
            event: event.clone(),
            stream: self.stream.clone(),
            version,
            commit: (self.from, self.to()),
            command_id: self.command.id.clone(),
            metadata: self.metadata.clone(),
        })
    }
}

/// A commit that is not stored yet, and follows a stream that was loaded.
///
/// Only a [`Loaded`](crate::command::Loaded) stream makes one: that is why its version cannot be
/// made up.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCommit(Commit);

impl NewCommit {
    pub(crate) fn follow(
        stream: StreamId,
        head: Version,
        events: Vec<CommitEvent>,
        command: CommandStamp,
        metadata: Metadata,
    ) -> Self {
        let from = head.next();
        Self(Commit { stream, from, events, command, metadata, snapshot: None })
    }

    pub(crate) fn with_snapshot(self, snapshot: Option<Snapshot>) -> Self {
        Self(self.0.with_snapshot(snapshot))
    }

    /// The same, as one of several commits of one transaction.
    pub(crate) fn with_siblings(mut self, all: &[CommitRef]) -> Self {
        let own = self.0.place();
        self.0.command.siblings = all.iter().filter(|place| **place != own).cloned().collect();
        self
    }

    /// The commit to store.
    pub const fn as_commit(&self) -> &Commit {
        &self.0
    }

    /// The commit, once it is stored.
    pub fn into_commit(self) -> Commit {
        self.0
    }
}
