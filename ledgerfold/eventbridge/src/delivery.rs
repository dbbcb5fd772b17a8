use ledgerfold::{
    EventId,
    vocabulary::{Content, ReplayName},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{CloudEvent, NotACloudEvent, SigningKey};

/// An event as EventBridge hands it to a target.
#[derive(Clone, Debug)]
pub struct BusMessage {
    /// The event's id, the same on every delivery and replay.
    pub event: EventId,
    /// What it says.
    pub content: Content,
    /// The replay that brought it, if one did.
    pub replay: Option<ReplayName>,
    /// Who published it.
    pub origin: Origin,
}

/// Who published an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The context's relay, which signed it.
    Relay,
    /// Nobody knows: it is not signed, or with another key.
    Unknown,
}

/// A message that EventBridge did not make, or not of one of our events.
#[derive(Debug, thiserror::Error)]
pub enum NotABusMessage {
    /// It is not JSON, or has no `detail`.
    #[error("the message does not come from the bus: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Its `detail` is no event of ours.
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
    /// Reads the body of a message. What is not signed with this key is not taken at its word: its
    /// content is a pointer into the log, which has the event or has not.
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

    /// The id of the event in a message and the replay that brought it, whoever published it: for an
    /// audit, which compares ids with the log.
    ///
    /// # Errors
    /// [`NotABusMessage`].
    pub fn label(body: &str) -> Result<(EventId, Option<ReplayName>), NotABusMessage> {
        let Wire { detail, replay_name } = serde_json::from_str(body)?;
        Ok((CloudEvent::parse(detail.get())?.id(), replay_name.map(ReplayName)))
    }
}
