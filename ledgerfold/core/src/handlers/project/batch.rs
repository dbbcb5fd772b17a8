//! The messages of a batch, grouped by stream once. Nothing is read or written here.

use std::collections::BTreeMap;

use super::gap::{Gap, Turns};
use crate::{
    Envelope, StreamId, Version,
    vocabulary::{Content, Delivery, FailedReceipt, Form, Receipt, Selection, Source},
};

/// A batch of messages by stream.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) streams: Vec<(StreamId, Arrived)>,
    /// The messages that cannot be read.
    pub(super) unreadable: Vec<FailedReceipt>,
}

/// The messages of a batch that concern one stream.
#[derive(Debug, Default)]
pub(super) struct Arrived {
    receipts: Vec<Receipt>,
    /// By version, which puts the events in order and drops repetitions.
    events: BTreeMap<Version, Envelope>,
    /// The end of the newest commit that a message names.
    newest: Option<Version>,
    /// The events that the messages lack, as far as they have been read.
    pub(super) gap: Gap,
}

impl Batch {
    /// Groups messages. Streams that the projection does not read need no work.
    ///
    /// A message may have its event in a form that the projection does not read, if a rule of the bus is wrong. It then
    /// only announces the event, and the projection reads it from the log.
    pub(super) fn of(deliveries: Vec<Delivery>, selection: &Selection) -> Self {
        let form = selection.source().map_or(Form::Private, Source::on_the_bus);
        let turns = Turns::default();
        let mut streams: BTreeMap<StreamId, Arrived> = BTreeMap::new();
        let mut unreadable = Vec::new();
        for Delivery { receipt, content, .. } in deliveries {
            let (stream, committed, event) = match content {
                Ok(Content::Event(event)) => {
                    let place = (event.stream.clone(), event.commit.1);
                    (place.0, place.1, Some(*event).filter(|event| event.form == form))
                }
                Ok(Content::Pointer { stream, committed }) => (stream, committed, None),
                Err(reason) => {
                    unreadable.push(FailedReceipt { receipt, reason });
                    continue;
                }
            };
            if !selection.has(&stream) {
                tracing::debug!(%stream, "the projection does not read streams of this category");
                continue;
            }
            let known = streams.len();
            let arrived = streams.entry(stream).or_insert_with(|| Arrived::none(turns.of(known)));
            arrived.add(receipt, committed, event);
        }
        Self { streams: streams.into_iter().collect(), unreadable }
    }

    /// All messages of the batch, failed for one reason.
    pub(super) fn fail(self, reason: &str) -> Vec<FailedReceipt> {
        let failed = self.streams.into_iter().flat_map(|(_, arrived)| arrived.fail(reason));
        self.unreadable.into_iter().chain(failed).collect()
    }
}

impl Arrived {
    /// A commit that ends at this version, without its events: they are in the log.
    pub(super) fn only_version(committed: Version) -> Self {
        Self { newest: Some(committed), ..Self::default() }
    }

    const fn none(gap: Gap) -> Self {
        Self { receipts: Vec::new(), events: BTreeMap::new(), newest: None, gap }
    }

    fn add(&mut self, receipt: Receipt, committed: Version, event: Option<Envelope>) {
        self.receipts.push(receipt);
        self.newest = self.newest.max(Some(committed));
        self.events.extend(event.map(|event| (event.version, event)));
    }

    /// The version that a read model must reach to contain everything that arrived.
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

    /// The messages of the stream, failed for one reason.
    pub(super) fn fail(self, reason: &str) -> Vec<FailedReceipt> {
        let failed = |receipt| FailedReceipt { receipt, reason: reason.to_owned() };
        self.receipts.into_iter().map(failed).collect()
    }
}
