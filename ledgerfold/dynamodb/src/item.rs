use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use ledgerfold::{
    Actor, CausationId, CommandId, CommandName, CommandStamp, Commit, CommitEvent, ContentId,
    CorrelationId, EventType, Fingerprint, Metadata, Payload, Place, RecentCommands, SchemaVersion,
    Snapshot, StateSchema, StreamId, Timestamp, Traceparent, Version,
    ports::{PayloadError, PayloadStore, StoreError},
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::record::PlaceItem;

/// The attributes of an item.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// A commit as an item of the event table: the one place where attribute names, short because each
/// of their bytes is paid for with every commit, meet names that read.
///
/// The events are one JSON text, the rest are attributes side by side. Text comes back to the letter,
/// numbers of any size included, is read without a tree of values in between, and reads well in the
/// console; maps within an item cost DynamoDB Local three times the time of a flat one, and us twice
/// (`COMPARE.md`). As native maps the content of an order of three lines takes 288 bytes instead of
/// 339 (`tests/item.rs`); both leave a commit within its one write unit.
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
    /// Where the events are, if they are too large for an item.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    elsewhere: Option<String>,
    #[serde(rename = "c")]
    command_id: String,
    #[serde(rename = "n")]
    command_name: String,
    #[serde(rename = "f")]
    fingerprint: String,
    /// The command's commits to other streams.
    #[serde(rename = "j", default, skip_serializing_if = "Vec::is_empty")]
    beside: Vec<PlaceItem>,
    #[serde(rename = "t")]
    recorded_at: Timestamp,
    #[serde(rename = "a")]
    actor: String,
    /// Left out where it is the command's own id, as for every command that begins a conversation.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    correlation_id: Option<String>,
    /// Left out where it is the command's own id.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    causation_id: Option<String>,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    snapshot: Option<SnapshotItem>,
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

/// An item of the event table that is no commit.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableCommit {
    /// Something is missing, or not what it should be.
    #[error("the item is no commit: {0}")]
    Malformed(String),
    /// Its events are kept elsewhere, and nobody has said where that is.
    #[error("its events are kept in a payload store, and there is none here")]
    Elsewhere,
    /// Its events are kept elsewhere, and cannot be fetched.
    #[error(transparent)]
    Payload(#[from] PayloadError),
}

impl From<&Commit> for CommitItem {
    fn from(commit: &Commit) -> Self {
        let (command, metadata) = (commit.command(), commit.metadata());
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
            command_id: command.id.to_string(),
            command_name: command.name.to_string(),
            fingerprint: command.fingerprint.to_string(),
            beside: command.beside.iter().map(PlaceItem::from).collect(),
            recorded_at: metadata.recorded_at,
            actor: metadata.actor.to_string(),
            correlation_id: unless_own(metadata.correlation_id.as_str()),
            causation_id: unless_own(metadata.causation_id.as_str()),
            traceparent: metadata.traceparent.as_ref().map(ToString::to_string),
            snapshot: commit.snapshot().map(|snapshot| SnapshotItem {
                schema: snapshot.schema.to_string(),
                state: snapshot.state.as_str().to_owned(),
                recent: ByteBuf::from(snapshot.recent.as_bytes()),
            }),
        }
    }
}

impl CommitItem {
    /// The item's attributes.
    ///
    /// # Errors
    /// [`UnreadableCommit`] if they cannot be written, which the types here do not allow.
    pub fn into_attributes(self) -> Result<HashMap<String, AttributeValue>, UnreadableCommit> {
        serde_dynamo::to_item(self).map_err(unreadable)
    }

    /// Reads the attributes of an item, as a read or a stream record brings them.
    ///
    /// # Errors
    /// [`UnreadableCommit`] if something is missing or has another type.
    pub fn from_attributes(item: impl Into<serde_dynamo::Item>) -> Result<Self, UnreadableCommit> {
        serde_dynamo::from_item(item.into()).map_err(unreadable)
    }

    /// How many events it has.
    pub const fn event_count(&self) -> u64 {
        (self.to + 1).saturating_sub(self.sk)
    }

    /// Whether a snapshot rides with it.
    pub const fn has_snapshot(&self) -> bool {
        self.snapshot.is_some()
    }

    /// The same commit with its events kept elsewhere.
    pub(crate) async fn check_in(self, payloads: &dyn PayloadStore) -> Result<Self, StoreError> {
        let content = serde_json::to_string(&self.events)
            .map_err(|error| StoreError::Refused(error.into()))?;
        let claim = ContentId::keep(payloads, content).await.map_err(|error| match error {
            PayloadError::Unavailable(_) => StoreError::Unavailable(error.into()),
            _ => StoreError::Refused(error.into()),
        })?;
        Ok(Self { events: Vec::new(), elsewhere: Some(claim.to_string()), ..self })
    }

    /// The commit in an item's attributes, its events fetched and checked if they are kept elsewhere.
    ///
    /// # Errors
    /// [`UnreadableCommit`].
    pub async fn read(
        attributes: impl Into<serde_dynamo::Item>,
        payloads: Option<&dyn PayloadStore>,
    ) -> Result<Commit, UnreadableCommit> {
        let mut item = Self::from_attributes(attributes)?;
        if let Some(claim) = item.elsewhere.take() {
            let claim: ContentId = claim.parse().map_err(unreadable)?;
            let content = claim.fetch(payloads.ok_or(UnreadableCommit::Elsewhere)?).await?;
            item.events = serde_json::from_str(&content).map_err(unreadable)?;
        }
        item.into_commit()
    }

    /// The commit in an item that has its events with it.
    ///
    /// # Errors
    /// [`UnreadableCommit`] if a name is none or the versions do not add up.
    pub fn into_commit(self) -> Result<Commit, UnreadableCommit> {
        if self.elsewhere.is_some() {
            return Err(UnreadableCommit::Elsewhere);
        }
        let id = CommandId::new(self.command_id).map_err(unreadable)?;
        let metadata = Metadata {
            recorded_at: self.recorded_at,
            correlation_id: match self.correlation_id {
                Some(id) => CorrelationId::new(id).map_err(unreadable)?,
                None => CorrelationId::from(&id),
            },
            causation_id: match self.causation_id {
                Some(id) => CausationId::new(id).map_err(unreadable)?,
                None => CausationId::from(&id),
            },
            actor: Actor::new(self.actor).map_err(unreadable)?,
            traceparent: self.traceparent.map(Traceparent::new).transpose().map_err(unreadable)?,
        };
        let beside = self.beside.into_iter().map(Place::try_from).collect::<Result<_, _>>();
        let command = CommandStamp {
            id,
            name: CommandName::new(self.command_name).map_err(unreadable)?,
            fingerprint: Fingerprint::restore(self.fingerprint),
            beside: beside.map_err(unreadable)?,
        };
        let events =
            self.events.into_iter().map(EventItem::into_event).collect::<Result<_, _>>()?;
        let stream: StreamId = self.pk.parse().map_err(unreadable)?;
        let versions = (Version::new(self.sk), Version::new(self.to));
        let snapshot = self.snapshot.map(SnapshotItem::into_snapshot).transpose()?;
        let commit = Commit::restore(stream, versions, events, command, metadata);
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

impl SnapshotItem {
    fn into_snapshot(self) -> Result<Snapshot, UnreadableCommit> {
        Ok(Snapshot {
            schema: StateSchema::restore(self.schema),
            state: Payload::from_text(self.state).map_err(unreadable)?,
            recent: RecentCommands::restore(self.recent.into_vec())
                .ok_or_else(|| unreadable("the recent commands of its snapshot are cut short"))?,
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
fn unreadable(error: impl ToString) -> UnreadableCommit {
    UnreadableCommit::Malformed(error.to_string())
}
