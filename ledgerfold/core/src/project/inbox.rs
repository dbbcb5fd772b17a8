use std::collections::BTreeMap;

use crate::{Envelope, StreamId, Version};

/// One message of a queue.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What the queue calls it: the id that a failure is reported by.
    pub receipt: Receipt,
    /// What is in it, or why it cannot be read.
    pub content: Result<Content, String>,
    /// The replay that brought it, if it is not fresh from the log. Read models take replayed events
    /// like any other; side effects must refuse them.
    pub replay: Option<ReplayName>,
}

/// What a message says.
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

/// What a queue calls a message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Receipt(pub String);

/// What a replay is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayName(pub String);

/// What a batch brought of one stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrived {
    pub(super) receipts: Vec<Receipt>,
    /// By version, so that order and repetition are settled here.
    events: BTreeMap<Version, Envelope>,
    /// The end of the newest commit that was heard of.
    newest: Option<Version>,
}

impl Arrived {
    /// Word of a commit's end, without its events: they are in the log.
    pub(super) fn word_of(committed: Version) -> Self {
        Self { newest: Some(committed), ..Self::default() }
    }

    fn add(&mut self, receipt: Receipt, committed: Version, event: Option<Envelope>) {
        self.receipts.push(receipt);
        self.newest = self.newest.max(Some(committed));
        self.events.extend(event.map(|event| (event.version, event)));
    }

    /// The version that a read model must reach for all of this to be in it: the end of the newest
    /// commit that was heard of.
    pub(super) fn newest(&self) -> Version {
        self.newest.unwrap_or(Version::NONE)
    }

    /// The whole commits that follow this version without a gap.
    pub(super) fn following(&self, mut version: Version) -> Vec<Envelope> {
        let mut whole = Vec::new();
        while let Some(next) = self.events.get(&version.next()) {
            let commit: Vec<_> = self.events.range(next.commit.0..=next.commit.1).collect();
            let last = next.commit.1;
            if version.advance(commit.len()) != last {
                break;
            }
            whole.extend(commit.into_iter().map(|(_, event)| event.clone()));
            version = last;
        }
        whole
    }
}

/// A batch by stream, and the messages that hold no event.
pub(super) fn sort(
    deliveries: Vec<Delivery>,
) -> (BTreeMap<StreamId, Arrived>, Vec<(Receipt, String)>) {
    let mut streams: BTreeMap<StreamId, Arrived> = BTreeMap::new();
    let mut unreadable = Vec::new();
    for Delivery { receipt, content, .. } in deliveries {
        let (stream, committed, event) = match content {
            Ok(Content::Event(event)) => (event.stream.clone(), event.commit.1, Some(*event)),
            Ok(Content::Pointer { stream, committed }) => (stream, committed, None),
            Err(reason) => {
                unreadable.push((receipt, reason));
                continue;
            }
        };
        streams.entry(stream).or_default().add(receipt, committed, event);
    }
    (streams, unreadable)
}
