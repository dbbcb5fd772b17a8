use super::batch::Arrived;
use crate::{
    Envelope, StreamId, Version,
    ports::{EventReader, StoreError},
    vocabulary::Commit,
};

/// Events of whole commits without gaps, and whether there may be more after them.
#[derive(Clone, Debug)]
pub(crate) struct Tail {
    pub(crate) events: Vec<Envelope>,
    pub(crate) more: bool,
    /// Whether the events come from the log, and not from messages.
    pub(super) from_log: bool,
}

/// The events after `after`: from messages if they suffice, otherwise up to one page from the log.
///
/// Returns no event beyond the newest commit of the messages, even if the log has more. All these events were committed
/// before the batch arrived, so no generation gets ahead of another one that has taken the same batch.
pub(super) async fn following(
    after: Version,
    stream: &StreamId,
    arrived: &Arrived,
    log: &dyn EventReader,
) -> Result<Tail, StoreError> {
    let events = arrived.following(after);
    match events.last() {
        Some(last) => Ok(Tail { more: last.commit.1 < arrived.newest(), events, from_log: false }),
        None => Ok(arrived.gap.read(after, stream, log).await?.up_to(arrived.newest())),
    }
}

impl Tail {
    /// The events after this version, if it is the version of one of them but the last.
    pub(super) fn after(&self, version: Version) -> Option<Self> {
        let at = self.events.iter().position(|event| event.version == version)?;
        let events = self.events[at + 1..].to_vec();
        (!events.is_empty()).then_some(Self { events, ..*self })
    }

    fn up_to(mut self, version: Version) -> Self {
        let read = self.events.len();
        self.events.retain(|event| event.commit.1 <= version);
        self.more &= self.events.len() == read;
        self
    }
}

/// One page of the log after `after`.
pub(crate) async fn read(
    after: Version,
    stream: &StreamId,
    log: &dyn EventReader,
) -> Result<Tail, StoreError> {
    let page = log.read(stream, after).await?;
    let events = page.commits.iter().flat_map(Commit::envelopes).collect();
    Ok(Tail { more: page.more, events: contiguous(stream, after, events)?, from_log: true })
}

/// These events, if they follow the version and each other without a gap.
pub(crate) fn contiguous(
    stream: &StreamId,
    after: Version,
    events: Vec<Envelope>,
) -> Result<Vec<Envelope>, StoreError> {
    let mut expected = after;
    for event in &events {
        expected = expected.next();
        if event.version != expected {
            return Err(StoreError::Corrupt {
                stream: stream.to_string(),
                reason: format!("version {expected} is missing"),
            });
        }
    }
    Ok(events)
}
