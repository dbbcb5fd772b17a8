use std::{collections::HashSet, ops::RangeInclusive};

use crate::{
    EventId, StreamId, Timestamp, Version,
    ports::{EventReader, StoreError},
    vocabulary::{Commit, Form, PublicForms},
};

/// The events that the bus has delivered, for a comparison with the log.
///
/// Read models do not reveal an event that the bus has lost: a projector reads it from the log at the stream's next
/// event. Other consumers of the bus have no log. So an audit replays the archive, collects the events' ids, and
/// compares them with the log. It needs 16 bytes per event. An event and its public form have the same id, and are kept
/// apart.
///
/// ```
/// # use ledgerfold::{ports::{EventReader, StoreError}, reconcile::PublishedEvents, StreamId, Timestamp};
/// # use ledgerfold::vocabulary::Form;
/// # async fn audit(log: &dyn EventReader, stream: &StreamId) -> Result<(), StoreError> {
/// # let (from, to) = (Timestamp::MIN, Timestamp::MAX);
/// # let replayed: Vec<(ledgerfold::EventId, Form)> = Vec::new();
/// let published: PublishedEvents = replayed.into_iter().collect();
/// for commit in published.lacks(log, stream, &(from..=to)).await? {
///     println!("version {} of {} was not published", commit.to(), commit.stream());
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct PublishedEvents {
    stored: HashSet<EventId>,
    public: HashSet<EventId>,
    public_forms: PublicForms,
}

impl PublishedEvents {
    /// Adds an event in the form in which the bus has delivered it; `false` if it was added before.
    pub fn hear(&mut self, event: EventId, form: Form) -> bool {
        match form {
            Form::Public => self.public.insert(event),
            Form::Private | Form::ReadAs(_) => self.stored.insert(event),
        }
    }

    /// Also requires the public events of the context.
    #[must_use]
    pub fn with_public_forms(self, public_forms: PublicForms) -> Self {
        Self { public_forms, ..self }
    }

    /// The number of different events, with public ones.
    pub fn len(&self) -> usize {
        self.stored.len() + self.public.len()
    }

    /// Whether there are no events.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The commits of a stream that were recorded in this time range and have an event that was not published. An event
    /// whose public form cannot be made counts as not published.
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
        let form = self.public_forms.of(commit.stream().category());
        commit.events().all(|(_, event)| {
            let needs_public = form.is_some_and(|form| !matches!(form.of(event), Ok(None)));
            let has_public = !needs_public || self.public.contains(&event.id);
            has_public && self.stored.contains(&event.id)
        })
    }
}

impl FromIterator<(EventId, Form)> for PublishedEvents {
    fn from_iter<I: IntoIterator<Item = (EventId, Form)>>(events: I) -> Self {
        let mut published = Self::default();
        for (event, form) in events {
            published.hear(event, form);
        }
        published
    }
}
