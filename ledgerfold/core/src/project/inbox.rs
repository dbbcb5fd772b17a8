use std::collections::BTreeMap;

use crate::{Envelope, StreamId, Version};

/// One message of a queue.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What the queue calls it: the id that a failure is reported by.
    pub receipt: Receipt,
    /// The event in it, or why there is none to be read.
    pub envelope: Result<Envelope, String>,
    /// The replay that brought it, if it is not fresh from the log. Read models take replayed events
    /// like any other; side effects must refuse them.
    pub replay: Option<ReplayName>,
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
}

impl Arrived {
    pub(super) fn add(&mut self, receipt: Receipt, envelope: Envelope) {
        self.receipts.push(receipt);
        self.events.insert(envelope.version, envelope);
    }

    /// The version that a read model must reach for all of this to be in it: the end of the newest
    /// commit that was heard of.
    pub(super) fn newest(&self) -> Version {
        self.events.values().map(|event| event.commit.1).max().unwrap_or(Version::NONE)
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
    for Delivery { receipt, envelope, .. } in deliveries {
        match envelope {
            Ok(event) => streams.entry(event.stream.clone()).or_default().add(receipt, event),
            Err(reason) => unreadable.push((receipt, reason)),
        }
    }
    (streams, unreadable)
}
