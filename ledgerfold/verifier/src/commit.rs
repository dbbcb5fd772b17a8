//! A commit as it is stored, and its hash: `docs/stored-format.md`.

use crate::{Digest, fields::Canonical};

/// A stored commit, as texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCommit {
    /// The stream, as `<tenant>/<category>#<id>`.
    pub stream: String,
    /// The version of the first event.
    pub from: u64,
    /// The version of the last event.
    pub to: u64,
    /// The events.
    pub events: Vec<StoredEvent>,
    /// The id of the command.
    pub command_id: String,
    /// The name of the command.
    pub command_name: String,
    /// The fingerprint of the command.
    pub fingerprint: String,
    /// The other commits of the same command.
    pub siblings: Vec<Sibling>,
    /// The time, as RFC 3339.
    pub recorded_at: String,
    /// The correlation id.
    pub correlation_id: String,
    /// The causation id.
    pub causation_id: String,
    /// The actor.
    pub actor: String,
    /// The traceparent, or an empty text.
    pub traceparent: String,
    /// The stored hash.
    pub hash: Digest,
}

/// An event of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// The id.
    pub id: String,
    /// The type.
    pub event_type: String,
    /// The version of the schema.
    pub schema_version: u64,
    /// The content, exactly as it is stored.
    pub data: String,
}

/// A commit to another stream by the same command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sibling {
    /// The stream.
    pub stream: String,
    /// The version of the first event.
    pub from: u64,
}

impl StoredCommit {
    /// The hash that the content has at these versions, after a commit with the hash `previous`.
    pub fn hash_at(&self, (from, to): (u64, u64), previous: Option<Digest>) -> Digest {
        let mut fields = Canonical::of("ledgerfold commit 1");
        fields.text(&self.stream);
        fields.number(from);
        fields.number(to);
        fields.raw(&previous.unwrap_or(Digest([0; 32])).0);
        fields.length(self.events.len());
        for event in &self.events {
            fields.text(&event.id);
            fields.text(&event.event_type);
            fields.number(event.schema_version);
            fields.text(&event.data);
        }
        fields.text(&self.command_id);
        fields.text(&self.command_name);
        fields.text(&self.fingerprint);
        fields.length(self.siblings.len());
        for sibling in &self.siblings {
            fields.text(&sibling.stream);
            fields.number(sibling.from);
        }
        fields.text(&self.recorded_at);
        fields.text(&self.correlation_id);
        fields.text(&self.causation_id);
        fields.text(&self.actor);
        fields.text(&self.traceparent);
        fields.digest()
    }

    /// Whether the stored hash is that of the content at its place, after a commit with the hash `previous`.
    pub fn follows(&self, previous: Option<Digest>) -> bool {
        self.hash_at((self.from, self.to), previous) == self.hash
    }
}
