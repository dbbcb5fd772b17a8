//! The bus: events as CloudEvents on EventBridge.
//!
//! `source` is `ledgerfold.<context>`, `detail-type` the event type, `time` the time of recording
//! (archives and replays go by it), and `detail` a [`CloudEvent`]. EventBridge gives an entry an id
//! of its own at every hop; the identity of an event is the CloudEvent's.
//!
//! Whoever may publish on the bus can publish as anybody. So the relay signs every event with a
//! [`SigningKey`], and a consumer that has the key reads an event without a good signature from the log.

mod cloud_event;
mod delivery;
mod publisher;
mod replay;
mod signature;

pub use cloud_event::{CloudEvent, NotACloudEvent};
pub use delivery::{BusMessage, NotABusMessage, Origin};
pub use publisher::{EventBridgePublisher, MAX_CALL_BYTES, MAX_CALL_ENTRIES};
pub use replay::{
    ARCHIVED_AFTER, EmptyWindow, NotARule, ReplayError, ReplayPage, ReplayState, ReplayStatus,
    Replays, RuleArn, Window,
};
pub use signature::{SigningKey, WeakSecret};
