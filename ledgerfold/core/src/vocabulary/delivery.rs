use crate::vocabulary::{Envelope, StreamId, Version};

/// One message of a queue.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The queue's name for the message. A consumer reports a failure with it.
    pub receipt: Receipt,
    /// The content, or the reason why the message cannot be read.
    pub content: Result<Content, String>,
    /// The replay that sent the message; `None` for live events. Read models apply replayed events like any other
    /// event. Side effects must ignore them.
    pub replay: Option<ReplayName>,
}

/// The content of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// An event.
    Event(Box<Envelope>),
    /// The place of an event that is too large for the bus. The consumer reads it from the log.
    Pointer {
        /// The event's stream.
        stream: StreamId,
        /// The version of the last event in its commit.
        committed: Version,
    },
}

impl From<Envelope> for Content {
    fn from(envelope: Envelope) -> Self {
        Self::Event(Box::new(envelope))
    }
}

/// A queue's name for a message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Receipt(pub String);

/// A message that the queue must deliver again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedReceipt {
    /// The message.
    pub receipt: Receipt,
    /// The reason, for log lines.
    pub reason: String,
}

/// The name of a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayName(pub String);
