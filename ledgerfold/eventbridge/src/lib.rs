//! The bus: events as CloudEvents on EventBridge.
//!
//! `source` is `ledgerfold.<context>`, `detail-type` the event type, `time` the time of recording
//! (archives and replays go by it), and `detail` a [`CloudEvent`]. EventBridge gives an entry an id
//! of its own at every hop; the identity of an event is the CloudEvent's.

mod cloud_event;
mod delivery;
mod publisher;
mod replay;

pub use cloud_event::{CloudEvent, NotACloudEvent};
pub use delivery::{BusMessage, NotABusMessage};
pub use publisher::{EventBridgePublisher, MAX_CALL_BYTES, MAX_CALL_ENTRIES};
pub use replay::{
    ARCHIVED_AFTER, EmptyWindow, NotARule, ReplayError, ReplayPage, ReplayState, ReplayStatus,
    Replays, RuleArn, Window,
};
