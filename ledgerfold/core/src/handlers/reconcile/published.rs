use std::{collections::HashSet, ops::RangeInclusive};

use crate::{
    EventId, StreamId, Timestamp, Version,
    ports::{EventReader, StoreError},
    vocabulary::Commit,
};

/// The events that the bus has delivered, for a comparison with the log.
///
/// Read models cannot reveal a lost event: they find it in the log at the next event of the stream. Other consumers
/// of the bus have no log. An audit replays the archive and collects ids only, 16 bytes an event.
///
/// ```
/// # use ledgerfold::{ports::{EventReader, StoreError}, reconcile::PublishedEvents, StreamId, Timestamp};
/// # async fn audit(log: &dyn EventReader, stream: &StreamId) -> Result<(), StoreError> {
/// # let (from, to) = (Timestamp::MIN, Timestamp::MAX);
/// # let brought: Vec<ledgerfold::EventId> = Vec::new();
/// let heard: PublishedEvents = brought.into_iter().collect();
/// for commit in heard.lacks(log, stream, &(from..=to)).await? {
///     println!("version {} of {} never was on the bus", commit.to(), commit.stream());
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct PublishedEvents(HashSet<EventId>);

impl PublishedEvents {
    /// Remembers an event; `false` if it was heard before.
    pub fn hear(&mut self, event: EventId) -> bool {
        self.0.insert(event)
    }

    /// How many different events were heard.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none was heard.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The commits of a stream that were recorded at one of these times, and of which not every event
    /// was heard.
    ///
    /// # Errors
    /// [`StoreError`] where the log fails.
    pub async fn lacks(
        &self,
        log: &dyn EventReader,
        stream: &StreamId,
        recorded: &RangeInclusive<Timestamp>,
    ) -> Result<Vec<Commit>, StoreError> {
        let (mut lacking, mut after) = (Vec::new(), Version::NONE);
        loop {
            let page = log.read(stream, after).await?;
            after = page.commits.last().map_or(after, Commit::to);
            // Clocks run backwards at times, so that no commit is the last that can be meant.
            let meant = page.commits.into_iter().filter(|commit| {
                recorded.contains(&commit.metadata().recorded_at) && !self.has_all_of(commit)
            });
            lacking.extend(meant);
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
