//! The bus: events as CloudEvents on EventBridge.
//!
//! `source` is `ledgerfold.<context>`, `detail-type` the event type, `time` the recording time, which archives and
//! replays use, and `detail` a [`CloudEvent`]. EventBridge gives an entry a new id at every hop, so the CloudEvent's id
//! identifies the event.
//!
//! If a context has [public events](ledgerfold::PublicEvents), their `source` is `ledgerfold.<context>.public`. An event
//! and its public form have the same id, stream and version.
//!
//! Anybody with the permission to publish on the bus can claim to be the relay. So the relay signs every event with a
//! [`SigningKey`]. A consumer with this key looks up an event without a valid signature in the log.

mod cloud_event;
mod delivery;
mod publisher;
mod replay;
mod signature;

pub use cloud_event::{CloudEvent, NotACloudEvent};
pub use delivery::{BusMessage, Label, NotABusMessage, Origin};
pub use publisher::{EventBridgePublisher, MAX_CALL_BYTES, MAX_CALL_ENTRIES};
pub use replay::{
    ARCHIVED_AFTER, EmptyWindow, NotARule, ReplayError, ReplayPage, ReplayState, ReplayStatus,
    Replays, RuleArn, Window,
};
pub use signature::{SigningKey, WeakSecret};
