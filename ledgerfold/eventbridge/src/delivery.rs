use ledgerfold::{
    EventId,
    project::{Content, ReplayName},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{CloudEvent, NotACloudEvent};

/// An event as EventBridge hands it to a target.
#[derive(Clone, Debug)]
pub struct BusMessage {
    /// The event's id, the same on every delivery and replay.
    pub event: EventId,
    /// What it says.
    pub content: Content,
    /// The replay that brought it, if one did.
    pub replay: Option<ReplayName>,
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
    /// Reads the body of a message.
    ///
    /// # Errors
    /// [`NotABusMessage`].
    pub fn parse(body: &str) -> Result<Self, NotABusMessage> {
        let Wire { detail, replay_name } = serde_json::from_str(body)?;
        let detail = CloudEvent::parse(detail.get())?;
        let event = detail.id();
        let content = if detail.is_pointer() {
            let (stream, committed) = detail.place();
            Content::Pointer { stream, committed }
        } else {
            detail.into_envelope()?.into()
        };
        Ok(Self { event, content, replay: replay_name.map(ReplayName) })
    }
}
