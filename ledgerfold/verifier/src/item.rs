//! Items of the event table in the JSON form of DynamoDB, as an export to S3 contains them.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, value::RawValue};

use crate::{Digest, Sibling, StoredCommit, StoredEvent};

/// A commit whose events may still have to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    commit: StoredCommit,
    /// The JSON array of the events, if it is in the item.
    events: Option<String>,
    payload: Option<String>,
}

/// An item that is no readable commit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the item {stream:?} {from:?} is no commit: {reason}")]
pub struct ItemError {
    /// The stream, if it can be read.
    pub stream: Option<String>,
    /// The version of the first event, if it can be read.
    pub from: Option<u64>,
    /// The reason.
    pub reason: &'static str,
}

impl Item {
    /// Reads an item. Bytes are in base64.
    ///
    /// # Errors
    /// [`ItemError`].
    pub fn parse(item: &Map<String, Value>) -> Result<Self, ItemError> {
        let stream = text(item, "pk");
        let from = number(item, "sk");
        Self::of(item).map_err(|reason| ItemError {
            stream: stream.map(str::to_owned),
            from,
            reason,
        })
    }

    fn of(item: &Map<String, Value>) -> Result<Self, &'static str> {
        if item.contains_key("format") {
            return Err("it has a newer format");
        }
        let stamp = text(item, "m").ok_or("m is missing")?;
        let stamp: Vec<_> = stamp.split('\n').collect();
        let [id, name, fingerprint, recorded_at, actor] = stamp[..] else {
            return Err("m does not have five lines");
        };
        let hash = item.get("h").and_then(|h| h.get("B")).and_then(Value::as_str);
        let hash = hash.and_then(|hash| STANDARD.decode(hash).ok()).ok_or("h is missing")?;
        let hash = hash.as_slice().try_into().map_err(|_| "h does not have 32 bytes")?;
        let commit = StoredCommit {
            stream: text(item, "pk").ok_or("pk is missing")?.to_owned(),
            from: number(item, "sk").ok_or("sk is missing")?,
            to: number(item, "to").ok_or("to is missing")?,
            events: Vec::new(),
            command_id: id.to_owned(),
            command_name: name.to_owned(),
            fingerprint: fingerprint.to_owned(),
            siblings: siblings(item).ok_or("j is malformed")?,
            recorded_at: recorded_at.to_owned(),
            correlation_id: text(item, "r").unwrap_or(id).to_owned(),
            causation_id: text(item, "u").unwrap_or(id).to_owned(),
            actor: actor.to_owned(),
            traceparent: text(item, "p").unwrap_or("").to_owned(),
            hash: Digest(hash),
        };
        let events = text(item, "e").map(str::to_owned);
        let payload = text(item, "x").map(str::to_owned);
        if events.is_some() == payload.is_some() {
            return Err("it has not exactly one of e and x");
        }
        Ok(Self { commit, events, payload })
    }

    /// The stream.
    pub fn stream(&self) -> &str {
        &self.commit.stream
    }

    /// The id of the events in the payload store, if they are there.
    pub fn payload(&self) -> Option<&str> {
        self.payload.as_deref()
    }

    /// The commit, with the events from the payload store if they are there.
    ///
    /// # Errors
    /// [`ItemError`] if the events cannot be read.
    pub fn commit(self, payload: Option<&str>) -> Result<StoredCommit, ItemError> {
        let Self { mut commit, events, .. } = self;
        let read = events.as_deref().or(payload).ok_or("its events are missing").and_then(parse);
        match read {
            Ok(events) => {
                commit.events = events;
                Ok(commit)
            }
            Err(reason) => {
                Err(ItemError { stream: Some(commit.stream), from: Some(commit.from), reason })
            }
        }
    }
}

/// The events of a JSON array, with the exact text of their content.
fn parse(text: &str) -> Result<Vec<StoredEvent>, &'static str> {
    let events: Vec<Box<RawValue>> =
        serde_json::from_str(text).map_err(|_| "its events are no JSON array")?;
    events.iter().map(|event| parse_event(event).ok_or("an event is malformed")).collect()
}

fn parse_event(event: &RawValue) -> Option<StoredEvent> {
    let members: std::collections::BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(event.get()).ok()?;
    let text = |name: &str| serde_json::from_str(members.get(name)?.get()).ok();
    Some(StoredEvent {
        id: text("i")?,
        event_type: text("t")?,
        schema_version: serde_json::from_str(members.get("v")?.get()).ok()?,
        data: members.get("d")?.get().to_owned(),
    })
}

fn siblings(item: &Map<String, Value>) -> Option<Vec<Sibling>> {
    let Some(list) = item.get("j") else { return Some(Vec::new()) };
    let sibling = |sibling: &Value| {
        let members = sibling.get("M")?.as_object()?;
        Some(Sibling { stream: text(members, "s")?.to_owned(), from: number(members, "v")? })
    };
    list.get("L")?.as_array()?.iter().map(sibling).collect()
}

fn text<'a>(item: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    item.get(name)?.get("S")?.as_str()
}

fn number(item: &Map<String, Value>, name: &str) -> Option<u64> {
    item.get(name)?.get("N")?.as_str()?.parse().ok()
}
