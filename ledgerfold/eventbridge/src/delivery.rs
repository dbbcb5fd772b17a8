//! Messages that EventBridge delivers to a target.

use ledgerfold::{
    EventId,
    vocabulary::{Content, Form, ReplayName},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{CloudEvent, NotACloudEvent, SigningKey};

/// An event as EventBridge delivers it to a target.
#[derive(Clone, Debug)]
pub struct BusMessage {
    /// The event's id. It is the same for every delivery and replay.
    pub event: EventId,
    /// The event, or a pointer to it in the log.
    pub content: Content,
    /// The replay that delivered it, if any.
    pub replay: Option<ReplayName>,
    /// The publisher.
    pub origin: Origin,
}

/// The publisher of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The context's relay, which signed it.
    Relay,
    /// Unknown: the event has no signature, or one by another key.
    Unknown,
}

/// A message that EventBridge did not create, or that contains no event of Ledgerfold.
#[derive(Debug, thiserror::Error)]
pub enum NotABusMessage {
    /// It is not JSON, or has no `detail`.
    #[error("the message does not come from the bus: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Its `detail` is not an event of Ledgerfold.
    #[error(transparent)]
    Detail(#[from] NotACloudEvent),
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    detail: &'a RawValue,
    #[serde(rename = "replay-name")]
    replay_name: Option<String>,
}

impl BusMessage {
    /// Parses the body of a message. An event without a signature by this key is not trusted: its content becomes a
    /// pointer into the log, which shows whether the event exists.
    ///
    /// # Errors
    /// [`NotABusMessage`].
    pub fn parse(body: &str, key: &SigningKey) -> Result<Self, NotABusMessage> {
        let Wire { detail, replay_name } = serde_json::from_str(body)?;
        let detail = CloudEvent::parse(detail.get())?;
        let event = detail.id();
        let origin = if detail.is_signed_with(key) { Origin::Relay } else { Origin::Unknown };
        let (stream, committed) = detail.place();
        let pointer = Content::Pointer { stream, committed };
        let content = if detail.is_pointer() {
            pointer
        } else {
            let envelope = detail.into_envelope()?;
            match origin {
                Origin::Relay => envelope.into(),
                Origin::Unknown => pointer,
            }
        };
        Ok(Self { event, content, replay: replay_name.map(ReplayName), origin })
    }

    /// The label of a message. The signature is not checked: an audit compares the ids with the log.
    ///
    /// # Errors
    /// [`NotABusMessage`].
    pub fn label(body: &str) -> Result<Label, NotABusMessage> {
        let Wire { detail, replay_name } = serde_json::from_str(body)?;
        let event = CloudEvent::parse(detail.get())?;
        let replay = replay_name.map(ReplayName);
        Ok(Label { event: event.id(), form: event.form(), replay })
    }
}

/// The identity of a message without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The event's id.
    pub event: EventId,
    /// The form of the event. An event and its public form have the same id.
    pub form: Form,
    /// The replay that delivered it, if any.
    pub replay: Option<ReplayName>,
}
