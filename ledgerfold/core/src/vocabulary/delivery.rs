use crate::vocabulary::{Envelope, StreamId, Version};

/// One message of a queue.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The queue's name for the message, which reports a failure.
    pub receipt: Receipt,
    /// The content, or the reason why it cannot be read.
    pub content: Result<Content, String>,
    /// The replay that brought it, if it is not fresh from the log. Read models take replayed events
    /// like any other; side effects must refuse them.
    pub replay: Option<ReplayName>,
}

/// The content of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// This happened.
    Event(Box<Envelope>),
    /// Something happened that is too large for the bus. The log has it.
    Pointer {
        /// Where it happened.
        stream: StreamId,
        /// The version of the last event of its commit.
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

/// A message that must be delivered again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedReceipt {
    /// The message.
    pub receipt: Receipt,
    /// The reason, for the log.
    pub reason: String,
}

/// The name of a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayName(pub String);
