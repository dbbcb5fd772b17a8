use std::{collections::HashSet, ops::RangeInclusive};

use crate::{
    EventId, StreamId, Timestamp, Version,
    ports::{EventReader, StoreError},
    vocabulary::Commit,
};

/// The events that the bus has delivered, for a comparison with the log.
///
/// Read models do not reveal an event that the bus has lost: a projector reads it from the log at the stream's next
/// event. Other consumers of the bus have no log. So an audit replays the archive, collects the events' ids, and
/// compares them with the log. It needs 16 bytes per event.
///
/// ```
/// # use ledgerfold::{ports::{EventReader, StoreError}, reconcile::PublishedEvents, StreamId, Timestamp};
/// # async fn audit(log: &dyn EventReader, stream: &StreamId) -> Result<(), StoreError> {
/// # let (from, to) = (Timestamp::MIN, Timestamp::MAX);
/// # let replayed: Vec<ledgerfold::EventId> = Vec::new();
/// let published: PublishedEvents = replayed.into_iter().collect();
/// for commit in published.lacks(log, stream, &(from..=to)).await? {
///     println!("version {} of {} was not published", commit.to(), commit.stream());
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct PublishedEvents(HashSet<EventId>);

impl PublishedEvents {
    /// Adds an event; `false` if it was added before.
    pub fn hear(&mut self, event: EventId) -> bool {
        self.0.insert(event)
    }

    /// The number of different events.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no events.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The commits of a stream that were recorded in this time range and have an event that was not published.
    ///
    /// # Errors
    /// [`StoreError`] if the log fails.
    pub async fn lacks(
        &self,
        log: &dyn EventReader,
        stream: &StreamId,
        recorded: &RangeInclusive<Timestamp>,
    ) -> Result<Vec<Commit>, StoreError> {
        let mut lacking = Vec::new();
        let mut after = Version::NONE;
        loop {
            let page = log.read(stream, after).await?;
            after = page.commits.last().map_or(after, Commit::to);
            // Clocks can run backwards, so a commit after the range does not end the search.
            let unpublished = page.commits.into_iter().filter(|commit| {
                recorded.contains(&commit.metadata().recorded_at) && !self.has_all_of(commit)
            });
            lacking.extend(unpublished);
            if !page.more {
                return Ok(lacking);
            }
        }
    }

    fn has_all_of(&self, commit: &Commit) -> bool {
        commit.events().all(|(_, event)| self.0.contains(&event.id))
    }
}

impl FromIterator<EventId> for PublishedEvents {
    fn from_iter<I: IntoIterator<Item = EventId>>(events: I) -> Self {
        Self(events.into_iter().collect())
    }
}
