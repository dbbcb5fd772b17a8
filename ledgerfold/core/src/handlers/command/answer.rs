use crate::{EventId, EventType, StreamId, Version, ports::Unchanged, vocabulary::Commit};

/// What a command did. A repeated command gets what the first one got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The stream.
    pub stream: StreamId,
    /// Its version after the command.
    pub version: Version,
    /// The events of the command, oldest first; none if nothing needed to change.
    pub events: Vec<AnsweredEvent>,
}

/// An event as an answer names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnsweredEvent {
    /// Its identity.
    pub id: EventId,
    /// What happened.
    pub event_type: EventType,
    /// Its place in the stream.
    pub version: Version,
}

impl From<&Commit> for Answer {
    fn from(commit: &Commit) -> Self {
        Self {
            stream: commit.stream().clone(),
            version: commit.to(),
            events: commit
                .events()
                .map(|(version, event)| AnsweredEvent {
                    id: event.id,
                    event_type: event.event_type.clone(),
                    version,
                })
                .collect(),
        }
    }
}

impl From<Unchanged> for Answer {
    fn from(Unchanged { stream, version }: Unchanged) -> Self {
        Self { stream, version, events: Vec::new() }
    }
}
