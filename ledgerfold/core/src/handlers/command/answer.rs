use crate::{EventId, EventType, Payload, StreamId, Version, ports::Unchanged, vocabulary::Commit};

/// The effect of a command on one stream. A repeated command gets the answer of the first one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The stream.
    pub stream: StreamId,
    /// The version of the stream after the command.
    pub version: Version,
    /// The events of the command, oldest first; none if nothing needed to change.
    pub events: Vec<AnsweredEvent>,
}

/// An event in an [`Answer`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnsweredEvent {
    /// The event's identity.
    pub id: EventId,
    /// The event's type, for example `OrderPlaced`.
    pub event_type: EventType,
    /// The event's position in the stream.
    pub version: Version,
    /// The event's content, as it is stored.
    pub data: Payload,
}

/// The effect of a command on all its streams.
#[derive(Debug, Default)]
pub(super) struct Effect {
    /// One answer for each stream with events, in the order of the request.
    pub(super) committed: Vec<Answer>,
    /// The streams that the command read and did not change, as far as they are known.
    pub(super) unchanged: Vec<Unchanged>,
}

impl Effect {
    /// The answer of a command for one stream.
    ///
    /// A record in an older format may not name the unchanged stream, so the request names it.
    pub(super) fn into_answer(self, stream: &StreamId) -> Answer {
        let unchanged = self.unchanged.into_iter().map(Answer::from);
        let mut answers = self.committed.into_iter().chain(unchanged);
        answers.next().unwrap_or_else(|| Answer {
            stream: stream.clone(),
            version: Version::NONE,
            events: Vec::new(),
        })
    }

    /// The answer of a joint command: the streams with events, or all streams if nothing needed to change.
    pub(super) fn into_answers(self) -> Vec<Answer> {
        if self.committed.is_empty() {
            return self.unchanged.into_iter().map(Answer::from).collect();
        }
        self.committed
    }

    /// The effect that consists of these commits and these unchanged streams.
    pub(super) fn of(commits: &[Commit], unchanged: Vec<Unchanged>) -> Self {
        Self { committed: commits.iter().map(Answer::from).collect(), unchanged }
    }
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
                    data: event.data.clone(),
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
