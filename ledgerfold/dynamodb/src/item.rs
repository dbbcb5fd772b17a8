//! Commits as items of the event table.

use ledgerfold::{
    Actor, CausationId, CommandId, CommandName, CorrelationId, EventType, Payload, SchemaVersion,
    StreamId, Timestamp, Traceparent, Version,
    ports::{Base, NewerFormat, PayloadError, PayloadStore, PortError, StoreError},
    vocabulary::{
        CommandStamp, Commit, CommitEvent, CommitHash, CommitRef, ContentId, Fingerprint, Metadata,
        RecentCommands, Snapshot, StateSchema,
    },
};
use serde::{Deserialize, Serialize, Serializer, de::IgnoredAny};
use serde_bytes::ByteBuf;

use crate::{
    record::PlaceItem,
    size::MAX_CLAIMED_BYTES,
    stored::{self, Item, Unreadable},
};

/// A commit as an item of the event table. Only here do its attributes, whose short names save bytes in every
/// commit, meet readable names.
///
/// The events are one JSON text, the values that every commit has are another text, and all else are flat attributes. We chose text because it returns unchanged,
/// including numbers of any size, is parsed without a tree of values in between, and is readable in the console.
/// Nested maps in an item take DynamoDB Local three times as long as a flat item, and us twice as long
/// (`COMPARE.md`). As native maps the content of an order of three lines would take 288 bytes instead of 339
/// (`tests/item.rs`); with both, a commit costs one write unit.
#[derive(Debug, Serialize, Deserialize)]
pub struct CommitItem {
    /// Stream.
    pk: String,
    /// Version of the first event.
    sk: u64,
    /// Version of the last event.
    to: u64,
    #[serde(rename = "e", with = "text", default, skip_serializing_if = "Vec::is_empty")]
    events: Vec<EventItem>,
    /// The id of the events in the payload store, if they are too large for an item.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    elsewhere: Option<String>,
    /// Their size in the payload store, so that a read can limit the bytes it fetches.
    #[serde(rename = "z", default, skip_serializing_if = "Option::is_none")]
    elsewhere_bytes: Option<usize>,
    #[serde(rename = "m")]
    stamp: Stamp,
    /// The commits of the same command to other streams.
    #[serde(rename = "j", default, skip_serializing_if = "Vec::is_empty")]
    siblings: Vec<PlaceItem>,
    /// Absent if it equals the command's id, as for each command that begins a conversation.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    correlation_id: Option<String>,
    /// Absent if it equals the command's id.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    causation_id: Option<String>,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
    /// The hash of the commit, 32 bytes.
    #[serde(rename = "h")]
    hash: ByteBuf,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    snapshot: Option<KeptSnapshot>,
}

/// The attributes that every commit has, as one text with a line for each: the id of the command, its name, its
/// fingerprint, the time, and the actor. None of them contains a line break. One
/// attribute in place of five makes a load of many small commits faster, and the item has the same size.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Stamp {
    command_id: String,
    command_name: String,
    fingerprint: String,
    recorded_at: Timestamp,
    actor: String,
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { command_id, command_name, fingerprint, recorded_at, actor } = self;
        serializer.collect_str(&format_args!(
            "{command_id}\n{command_name}\n{fingerprint}\n{recorded_at}\n{actor}"
        ))
    }
}

impl TryFrom<String> for Stamp {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let lines: Vec<_> = text.split('\n').collect();
        let [command_id, command_name, fingerprint, recorded_at, actor] = lines[..] else {
            return Err(format!("the stamp has {} lines", lines.len()));
        };
        Ok(Self {
            command_id: command_id.to_owned(),
            command_name: command_name.to_owned(),
            fingerprint: fingerprint.to_owned(),
            recorded_at: recorded_at.parse().map_err(|error| format!("its time: {error}"))?,
            actor: actor.to_owned(),
        })
    }
}

/// A snapshot only saves time, so one that this program cannot read is ignored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum KeptSnapshot {
    Readable(SnapshotItem),
    #[serde(skip_serializing)]
    Other(IgnoredAny),
}

#[derive(Debug, Serialize, Deserialize)]
struct EventItem {
    #[serde(rename = "i")]
    id: String,
    #[serde(rename = "t")]
    event_type: String,
    #[serde(rename = "v")]
    schema_version: u32,
    #[serde(rename = "d")]
    data: Payload,
}

#[derive(Debug, Serialize, Deserialize)]
struct SnapshotItem {
    #[serde(rename = "f")]
    schema: String,
    /// JSON text.
    #[serde(rename = "d")]
    state: String,
    #[serde(rename = "r")]
    recent: ByteBuf,
}

/// Events as one JSON text.
mod text {
    use serde::{Deserialize, Deserializer, Serializer, de, ser};

    use super::EventItem;

    pub(super) fn serialize<S: Serializer>(
        events: &[EventItem],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&serde_json::to_string(events).map_err(ser::Error::custom)?)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<EventItem>, D::Error> {
        let text = String::deserialize(deserializer)?;
        serde_json::from_str(&text).map_err(de::Error::custom)
    }
}

/// The reason why an item of the event table cannot be read as a commit.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableCommit {
    /// A part is missing or invalid.
    #[error("the item is not a valid commit: {0}")]
    Malformed(String),
    /// A newer program wrote it.
    #[error("this version of the program cannot read the item: {0}")]
    Newer(#[from] NewerFormat),
    /// Its events are in a payload store, and this program has none configured.
    #[error("the events are in a payload store, but this program has none configured")]
    Elsewhere,
    /// Its events are in a payload store and cannot be fetched.
    #[error(transparent)]
    Payload(#[from] PayloadError),
}

impl UnreadableCommit {
    /// Whether the commit is damaged. All other failures end with an outage, a new permission or a new deployment,
    /// so they are retried.
    pub const fn is_damage(&self) -> bool {
        match self {
            Self::Malformed(_) => true,
            Self::Payload(error) => error.is_damage(),
            Self::Newer(_) | Self::Elsewhere => false,
        }
    }

    /// The error for a reader of this stream.
    pub(crate) fn of_stream(self, stream: &StreamId) -> StoreError {
        let stream = stream.to_string();
        match self {
            Self::Newer(source) => StoreError::Newer { stream, source },
            Self::Payload(PayloadError::Port(error)) => error.into(),
            Self::Elsewhere => StoreError::Port(PortError::Refused(self.into())),
            Self::Malformed(_)
            | Self::Payload(PayloadError::Missing(_) | PayloadError::Damaged(_)) => {
                StoreError::Corrupt { stream, reason: self.to_string() }
            }
        }
    }
}

impl From<Unreadable> for UnreadableCommit {
    fn from(error: Unreadable) -> Self {
        match error {
            Unreadable::Newer(format) => Self::Newer(format),
            Unreadable::Malformed(reason) => Self::Malformed(reason),
        }
    }
}

impl From<&Commit> for CommitItem {
    fn from(commit: &Commit) -> Self {
        let command = commit.command();
        let metadata = commit.metadata();
        let unless_own = |id: &str| (id != command.id.as_str()).then(|| id.to_owned());
        Self {
            pk: commit.stream().to_string(),
            sk: commit.from().get(),
            to: commit.to().get(),
            events: commit
                .events()
                .map(|(_, event)| EventItem {
                    id: event.id.to_string(),
                    event_type: event.event_type.to_string(),
                    schema_version: event.schema_version.get(),
                    data: event.data.clone(),
                })
                .collect(),
            elsewhere: None,
            elsewhere_bytes: None,
            stamp: Stamp {
                command_id: command.id.to_string(),
                command_name: command.name.to_string(),
                fingerprint: command.fingerprint.to_string(),
                recorded_at: metadata.recorded_at,
                actor: metadata.actor.to_string(),
            },
            siblings: command.siblings.iter().map(PlaceItem::from).collect(),
            correlation_id: unless_own(metadata.correlation_id.as_str()),
            causation_id: unless_own(metadata.causation_id.as_str()),
            traceparent: metadata.traceparent.as_ref().map(ToString::to_string),
            hash: ByteBuf::from(commit.hash().as_bytes()),
            snapshot: commit.snapshot().map(KeptSnapshot::from),
        }
    }
}

impl CommitItem {
    /// Converts the item to attributes.
    ///
    /// # Errors
    /// [`UnreadableCommit`] if they cannot be written, which these types exclude.
    pub fn into_attributes(self) -> Result<Item, UnreadableCommit> {
        serde_dynamo::to_item(self).map_err(unreadable)
    }

    /// Parses the attributes of an item from a read or a stream record.
    ///
    /// # Errors
    /// [`UnreadableCommit`] if an attribute is missing or has the wrong type, or if the format is newer.
    pub fn from_attributes(item: impl Into<serde_dynamo::Item>) -> Result<Self, UnreadableCommit> {
        Ok(stored::read(item)?)
    }

    /// The number of its events.
    pub const fn event_count(&self) -> u64 {
        (self.to + 1).saturating_sub(self.sk)
    }

    /// The version of its last event.
    pub(crate) const fn to(&self) -> Version {
        Version::new(self.to)
    }

    /// The size of its events in bytes, also if they are in a payload store.
    pub fn content_bytes(&self) -> usize {
        match self.elsewhere {
            None => self.events.iter().map(|event| event.data.as_str().len()).sum(),
            // Without a size, assume the largest possible one.
            Some(_) => self.elsewhere_bytes.unwrap_or(MAX_CLAIMED_BYTES),
        }
    }

    /// The snapshot in this item if it has this schema, with its version. It does not need the events.
    pub(crate) fn base(&self, schema: &StateSchema) -> Option<Base> {
        let Some(KeptSnapshot::Readable(kept)) = &self.snapshot else { return None };
        if kept.schema != schema.as_str() {
            return None;
        }
        Some(Base {
            command: CommandId::new(&*self.stamp.command_id).ok()?,
            from: Version::new(self.sk),
            version: self.to(),
            hash: CommitHash::restore(&self.hash)?,
            snapshot: kept.to_snapshot()?,
        })
    }

    /// Whether it has a snapshot.
    pub const fn has_snapshot(&self) -> bool {
        self.snapshot.is_some()
    }

    /// Moves the events to the payload store.
    pub(crate) async fn check_in(self, payloads: &dyn PayloadStore) -> Result<Self, StoreError> {
        let content = serde_json::to_string(&self.events)
            .map_err(|error| StoreError::Port(PortError::Refused(error.into())))?;
        let elsewhere_bytes = Some(content.len());
        let claim = ContentId::keep(payloads, content).await.map_err(|error| match error {
            PayloadError::Port(PortError::Unavailable(_)) => {
                StoreError::Port(PortError::Unavailable(error.into()))
            }
            _ => StoreError::Port(PortError::Refused(error.into())),
        })?;
        let elsewhere = Some(claim.to_string());
        Ok(Self { events: Vec::new(), elsewhere, elsewhere_bytes, ..self })
    }

    /// Converts attributes to a commit. Events in a payload store are fetched and verified.
    ///
    /// # Errors
    /// [`UnreadableCommit`].
    pub async fn read(
        attributes: impl Into<serde_dynamo::Item>,
        payloads: Option<&dyn PayloadStore>,
    ) -> Result<Commit, UnreadableCommit> {
        Self::from_attributes(attributes)?.resolve(payloads).await
    }

    /// Converts an item to a commit. Events in a payload store are fetched and verified.
    ///
    /// # Errors
    /// [`UnreadableCommit`].
    pub async fn resolve(
        mut self,
        payloads: Option<&dyn PayloadStore>,
    ) -> Result<Commit, UnreadableCommit> {
        if let Some(claim) = self.elsewhere.take() {
            let claim: ContentId = claim.parse().map_err(unreadable)?;
            let content = claim.fetch(payloads.ok_or(UnreadableCommit::Elsewhere)?).await?;
            self.events = serde_json::from_str(&content).map_err(unreadable)?;
        }
        self.into_commit()
    }

    /// Converts an item that contains its events to a commit.
    ///
    /// # Errors
    /// [`UnreadableCommit`] if a name is invalid or the versions do not add up.
    pub fn into_commit(self) -> Result<Commit, UnreadableCommit> {
        if self.elsewhere.is_some() {
            return Err(UnreadableCommit::Elsewhere);
        }
        let id = CommandId::new(self.stamp.command_id).map_err(unreadable)?;
        let metadata = Metadata {
            recorded_at: self.stamp.recorded_at,
            correlation_id: match self.correlation_id {
                Some(id) => CorrelationId::new(id).map_err(unreadable)?,
                None => CorrelationId::from(&id),
            },
            causation_id: match self.causation_id {
                Some(id) => CausationId::new(id).map_err(unreadable)?,
                None => CausationId::from(&id),
            },
            actor: Actor::new(self.stamp.actor).map_err(unreadable)?,
            traceparent: self.traceparent.map(Traceparent::new).transpose().map_err(unreadable)?,
        };
        let siblings = self.siblings.into_iter().map(CommitRef::try_from).collect::<Result<_, _>>();
        let command = CommandStamp {
            id,
            name: CommandName::new(self.stamp.command_name).map_err(unreadable)?,
            fingerprint: Fingerprint::restore(self.stamp.fingerprint),
            siblings: siblings.map_err(unreadable)?,
        };
        let events =
            self.events.into_iter().map(EventItem::into_event).collect::<Result<_, _>>()?;
        let stream: StreamId = self.pk.parse().map_err(unreadable)?;
        let versions = (Version::new(self.sk), Version::new(self.to));
        let snapshot = self.snapshot.and_then(KeptSnapshot::into_snapshot);
        let hash = CommitHash::restore(&self.hash);
        let hash = hash.ok_or_else(|| unreadable("the hash does not have 32 bytes"))?;
        let commit = Commit::restore(stream, versions, events, command, metadata, hash);
        Ok(commit.map_err(unreadable)?.with_snapshot(snapshot))
    }
}

impl EventItem {
    fn into_event(self) -> Result<CommitEvent, UnreadableCommit> {
        Ok(CommitEvent {
            id: self.id.parse().map_err(unreadable)?,
            event_type: EventType::new(self.event_type).map_err(unreadable)?,
            schema_version: SchemaVersion::new(self.schema_version),
            data: self.data,
        })
    }
}

impl From<&Snapshot> for KeptSnapshot {
    fn from(snapshot: &Snapshot) -> Self {
        Self::Readable(SnapshotItem {
            schema: snapshot.schema.to_string(),
            state: snapshot.state.as_str().to_owned(),
            recent: ByteBuf::from(snapshot.recent.as_bytes()),
        })
    }
}

impl KeptSnapshot {
    fn into_snapshot(self) -> Option<Snapshot> {
        let snapshot = match self {
            Self::Readable(item) => item.to_snapshot(),
            Self::Other(_) => None,
        };
        if snapshot.is_none() {
            tracing::warn!("ignored a snapshot that cannot be read");
        }
        snapshot
    }
}

impl SnapshotItem {
    fn to_snapshot(&self) -> Option<Snapshot> {
        Some(Snapshot {
            schema: StateSchema::restore(&*self.schema),
            state: Payload::from_text(self.state.clone()).ok()?,
            recent: RecentCommands::restore(self.recent.to_vec())?,
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
fn unreadable(error: impl ToString) -> UnreadableCommit {
    UnreadableCommit::Malformed(error.to_string())
}
