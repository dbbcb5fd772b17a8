use std::collections::BTreeMap;

use crate::{
    Envelope, StreamId, Version,
    vocabulary::{Content, Delivery, Receipt},
};

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
