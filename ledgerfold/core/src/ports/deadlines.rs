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
    /// In how many parts it lists deadlines, so that several may be listed at once; at least one.
    fn parts(&self) -> u32;

    /// Keeps a deadline, unless there is one under its key: then that one stays as it is, and the
    /// new one is superseded.
    ///
    /// # Errors
    /// [`DeadlineError`].
    async fn schedule(&self, deadline: &Deadline) -> Result<Written, DeadlineError>;

    /// Deadlines of this process, in this part, that are to be tried until this instant, the longest
    /// overdue first, from a place on or from the beginning. May lag behind all writes, so that one
    /// may be missing, or be there that is done.
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

    /// Removes a deadline, however often it was tried; superseded where it is gone, or another has
    /// its key.
    ///
    /// # Errors
    /// [`DeadlineError`].
    async fn done(&self, deadline: &Deadline) -> Result<Written, DeadlineError>;

    /// Counts a try that failed, and tries again from this instant on; superseded where it is no
    /// longer as it was seen.
    ///
    /// # Errors
    /// [`DeadlineError`].
    async fn postpone(&self, seen: &Pending, next: Timestamp) -> Result<Written, DeadlineError>;

    /// Counts a try that failed, and gives the deadline up until an operator retries it. Superseded
    /// where it is no longer as it was seen.
    ///
    /// # Errors
    /// [`DeadlineError`].
    async fn give_up(&self, seen: &Pending) -> Result<Written, DeadlineError>;

    /// Deadlines of this process that stand aside, in the order of their tries, from a place on or
    /// from the beginning. May lag behind all writes.
    ///
    /// # Errors
    /// [`DeadlineError`].
    async fn failed(
        &self,
        process: &ProcessName,
        from: Option<&Resume>,
    ) -> Result<DeadlinePage, DeadlineError>;

    /// Tries a deadline again that stood aside, from this instant on, as if it had never been tried;
    /// superseded where it is no longer as it was seen.
    ///
    /// # Errors
    /// [`DeadlineError`].
    async fn retry(&self, seen: &Pending, next: Timestamp) -> Result<Written, DeadlineError>;
}

/// A later action of a process. The process decides on the action when the deadline is due, with the code of that
/// day. Nothing is stored that could become outdated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The identity.
    pub key: DeadlineKey,
    /// From when on.
    pub due: Timestamp,
    /// Why.
    pub cause: Cause,
}

/// The identity of a deadline.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeadlineKey {
    /// Whose it is.
    pub process: ProcessName,
    /// The stream that will get the command.
    pub stream: StreamId,
    /// Which of the stream's.
    pub name: DeadlineName,
}

/// The cause of a later command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The event that the process reacted to.
    pub event: EventId,
    /// The conversation that it belongs to.
    pub correlation_id: CorrelationId,
    /// Where in a trace.
    pub traceparent: Option<Traceparent>,
}

impl Cause {
    /// Something that follows from this event.
    pub fn of(envelope: &Envelope) -> Self {
        Self {
            event: envelope.event.id,
            correlation_id: envelope.metadata.correlation_id.clone(),
            traceparent: envelope.metadata.traceparent.clone(),
        }
    }
}

/// A deadline with its history so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The deadline.
    pub deadline: Deadline,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// When it is to be tried, or was to be before it stood aside.
    pub next: Timestamp,
}

/// A page of deadlines. An item that cannot be read stays in the table and blocks no other.
pub type DeadlinePage = Page<Result<Pending, UnreadableDeadline>>;

/// An item in the table of deadlines that cannot be read, with its key and the reason.
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
        // Neither a process's name nor a deadline's has a number sign; a stream has one.
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
        let text = "payment-deadline#order#a-1#payment";
        let key: DeadlineKey = text.parse().expect("a key");
        assert_eq!((key.process.as_str(), key.name.as_str()), ("payment-deadline", "payment"));
        assert_eq!(key.stream.to_string(), "order#a-1");
        assert_eq!(key.to_string(), text);
        for bad in ["", "payment", "a#b", "a#b#c", "a#b#c#", "#b#c#d", "a#b#c#d#e"] {
            assert!(bad.parse::<DeadlineKey>().is_err(), "{bad:?} was taken for a deadline");
        }
    }
}
