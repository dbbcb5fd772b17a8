use std::{fmt, str::FromStr};

use async_trait::async_trait;

use super::{Page, PortError, Resume, Written};
use crate::{
    CorrelationId, DeadlineName, Envelope, EventId, InvalidId, ProcessName, StreamId, Timestamp,
    Traceparent,
};

/// The store of deadlines.
///
/// A deadline stays until its command has taken effect or was refused for good. Its process never moves or cancels
/// it; see [`process`](crate::process). The suite `conformance::deadline_store` of `ledgerfold-proofs` tests every
/// store.
#[async_trait]
pub trait DeadlineStore: Send + Sync {
    /// The number of parts, at least one. Several parts can be listed at the same time.
    fn parts(&self) -> u32;

    /// Stores a deadline. If its key already has a deadline, that one stays as it is, and the new one is superseded.
    ///
    /// # Errors
    /// [`DeadlineError`].
    async fn schedule(&self, deadline: &Deadline) -> Result<Written, DeadlineError>;

    /// The deadlines of this process, in this part, whose next attempt is at `until` or earlier. The longest overdue
    /// come first, from a place on or from the beginning. The list may lag behind all writes: it may lack a deadline,
    /// or contain one that is done.
    ///
    /// # Errors
    /// [`DeadlineError`].
    async fn due(
        &self,
        process: &ProcessName,
        part: u32,
        until: Timestamp,
        from: Option<&Resume>,
    ) -> Result<DeadlinePage, DeadlineError>;

    /// The deadline with this key as it is now, by a strongly consistent read. `None` if there is none, or if it was given
    /// up.
    ///
    /// # Errors
    /// [`DeadlineError`], also if the deadline cannot be read.
    async fn get(&self, key: &DeadlineKey) -> Result<Option<Pending>, DeadlineError>;

    /// Removes a deadline, regardless of its attempts. Superseded if it is no longer stored, or if another deadline has
    /// its key.
    ///
    /// # Errors
    /// [`DeadlineError`].
    async fn done(&self, deadline: &Deadline) -> Result<Written, DeadlineError>;

    /// Counts a failed attempt, and sets the time of the next one. Superseded if the deadline has changed since it was
    /// read.
    ///
    /// # Errors
    /// [`DeadlineError`].
    async fn postpone(&self, seen: &Pending, next: Timestamp) -> Result<Written, DeadlineError>;

    /// Counts a failed attempt, and gives the deadline up until an operator retries it. Superseded if the deadline has
    /// changed since it was read.
    ///
    /// # Errors
    /// [`DeadlineError`].
    async fn give_up(&self, seen: &Pending) -> Result<Written, DeadlineError>;

    /// The deadlines of this process that were given up, in the order of their attempts, from a place on or from the
    /// beginning. The list may lag behind all writes.
    ///
    /// # Errors
    /// [`DeadlineError`].
    async fn failed(
        &self,
        process: &ProcessName,
        from: Option<&Resume>,
    ) -> Result<DeadlinePage, DeadlineError>;

    /// Retries a deadline that was given up, from this time on and with no attempts counted. Superseded if the deadline
    /// has changed since it was read.
    ///
    /// # Errors
    /// [`DeadlineError`].
    async fn retry(&self, seen: &Pending, next: Timestamp) -> Result<Written, DeadlineError>;
}

/// A later action of a process. The process chooses the action when the deadline is due, with the code of that day. So
/// nothing is stored that could become outdated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The identity.
    pub key: DeadlineKey,
    /// The time from which it is due.
    pub due: Timestamp,
    /// The cause.
    pub cause: Cause,
}

/// The identity of a deadline.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeadlineKey {
    /// The process that owns it.
    pub process: ProcessName,
    /// The stream that will get the command.
    pub stream: StreamId,
    /// The deadline's name among those of the stream.
    pub name: DeadlineName,
}

/// The cause of a later command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The event that the process reacted to.
    pub event: EventId,
    /// The conversation that the event belongs to.
    pub correlation_id: CorrelationId,
    /// The event's place in a trace.
    pub traceparent: Option<Traceparent>,
}

impl Cause {
    /// The cause of a command that follows from this event.
    pub fn of(envelope: &Envelope) -> Self {
        Self {
            event: envelope.event.id,
            correlation_id: envelope.metadata.correlation_id.clone(),
            traceparent: envelope.metadata.traceparent.clone(),
        }
    }
}

/// A deadline with its attempts so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The deadline.
    pub deadline: Deadline,
    /// The number of failed attempts.
    pub attempts: u32,
    /// The time of the next attempt. If the deadline was given up, the time that was planned for its last attempt.
    pub next: Timestamp,
}

/// A page of deadlines. An unreadable item stays in the table and does not block the others.
pub type DeadlinePage = Page<Result<Pending, UnreadableDeadline>>;

/// An unreadable item in the table of deadlines, with its key and the reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnreadableDeadline(pub String);

/// The deadlines could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the store of deadlines {0}")]
pub struct DeadlineError(#[from] pub PortError);

/// Written `<process>#<stream>#<name>`.
impl fmt::Display for DeadlineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}#{}", self.process, self.stream, self.name)
    }
}

impl FromStr for DeadlineKey {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        // Names of processes and deadlines contain no number sign. A stream contains one.
        let parts = text.split_once('#').zip(text.rsplit_once('#'));
        let ((process, rest), (_, name)) =
            parts.ok_or(InvalidId::new("a deadline", "written <process>#<stream>#<name>"))?;
        let stream = rest.strip_suffix(name).and_then(|stream| stream.strip_suffix('#'));
        let stream = stream.unwrap_or_default();
        Ok(Self { process: process.parse()?, stream: stream.parse()?, name: name.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::DeadlineKey;

    #[test]
    fn a_key_is_read_back_as_it_is_written() {
        let text = "payment-deadline#default/order#a-1#payment";
        let key: DeadlineKey = text.parse().expect("a key");
        assert_eq!((key.process.as_str(), key.name.as_str()), ("payment-deadline", "payment"));
        assert_eq!(key.stream.to_string(), "default/order#a-1");
        assert_eq!(key.to_string(), text);
        for bad in ["", "payment", "a#b", "a#b#c", "a#b#c#", "#b#c#d", "a#b#c#d#e"] {
            assert!(bad.parse::<DeadlineKey>().is_err(), "{bad:?} was taken for a deadline");
        }
    }
}
