//! The relay, which publishes every commit of the log to the bus.
//!
//! It keeps the order, skips nothing, and acknowledges a record only after the bus has accepted its events. It decodes an
//! event only if the context has [public events](crate::PublicEvents): it then publishes the public form as well.

use std::{fmt::Display, sync::Arc, time::Duration};

use crate::{
    Envelope, Version,
    ports::{Clock, DeadLetter, DeadLetters, EntryError, Publisher, Random},
    vocabulary::{Commit, Form, PublicForms},
    waiting::{Backoff, ExponentialWait},
};

/// How often one call's events are sent before the relay returns the record to the change stream.
const BACKOFF: Backoff = Backoff {
    attempts: 5,
    wait: ExponentialWait::new(Duration::from_millis(50), Duration::from_secs(1)),
};

/// The longest time that a deployment takes to replace the relay. So long, an event that the relay does not know may
/// come from the new program.
pub const DEPLOYMENT: Duration = Duration::from_secs(10 * 60);

/// Publishes the records of the log's change stream.
#[derive(Clone)]
pub struct Relay {
    publisher: Arc<dyn Publisher>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    dead_letters: Option<Arc<dyn DeadLetters>>,
    public_forms: PublicForms,
}

/// One record of the change stream.
#[derive(Clone, Debug)]
pub struct StreamRecord {
    /// The change stream's sequence number of the record. The relay reports a failure with it.
    pub sequence_number: String,
    /// The name of the commit for people, for example `order#1 at 5`.
    pub name: String,
    /// The commit, or the reason why it cannot be read.
    pub commit: Result<Commit, Unreadable>,
}

/// The reason why a commit cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// The commit may be readable later: a store did not respond, a permission is missing, or a newer program wrote
    /// the commit.
    Transient(String),
    /// The commit is damaged.
    Permanent(String),
}

/// The first record of a batch that was not sent completely. Lambda sends this record and all later ones again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsent {
    /// The record.
    pub sequence_number: String,
    /// The error.
    pub reason: String,
}

/// An event that is not sent yet, with its record.
struct Pending<'a> {
    /// The record's position in the batch.
    place: usize,
    record: &'a StreamRecord,
    envelope: Envelope,
    bytes: usize,
}

/// The events of a commit to send.
struct Weighed<'a> {
    events: Vec<Pending<'a>>,
    /// Why some events have no public form, although they should.
    defect: Option<String>,
}

impl Weighed<'_> {
    fn add_defect(&mut self, version: Version, error: &dyn Display) {
        let sentence = format!("version {version} has no public event: {error}");
        self.defect = Some(match self.defect.take() {
            Some(earlier) => format!("{earlier}; {sentence}"),
            None => sentence,
        });
    }
}

impl Relay {
    /// A relay over these ports.
    pub fn new(
        publisher: Arc<dyn Publisher>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        let public_forms = PublicForms::none();
        Self { publisher, clock, random, dead_letters: None, public_forms }
    }

    /// Adds a dead-letter queue for commits that can never be published. The relay then continues with later commits.
    #[must_use]
    pub fn with_dead_letters(self, dead_letters: Arc<dyn DeadLetters>) -> Self {
        Self { dead_letters: Some(dead_letters), ..self }
    }

    /// Also publishes the public forms of events, each after its event.
    #[must_use]
    pub fn publishing(self, public_forms: PublicForms) -> Self {
        Self { public_forms, ..self }
    }

    /// Publishes the commits of a batch, in its order.
    ///
    /// A commit can never be published if it is damaged, or if one of its events is too large for the bus. Retries
    /// would block all other commits of its shard. So the relay sends a dead letter about it, after all earlier
    /// commits are sent. Without a dead-letter queue such a commit is returned for a retry like any other.
    ///
    /// An event may lack its public form because the mapping is wrong, or the form may be too large. The relay then sends
    /// everything else of the commit, and a dead letter about it. An event that this program does not know is different:
    /// a newer program is probably being deployed. For [`DEPLOYMENT`] the commit is returned for a retry.
    ///
    /// # Errors
    /// [`Unsent`] names the first record that was not sent completely. Later events may have been sent, and are sent
    /// again; consumers recognise them by their ids.
    pub async fn publish(&self, records: &[StreamRecord]) -> Result<(), Unsent> {
        let mut pending = Vec::new();
        for (place, record) in records.iter().enumerate() {
            match self.weigh(place, record) {
                Ok(Weighed { events, defect }) => {
                    pending.extend(events);
                    if let Some(reason) = defect {
                        self.send_all(std::mem::take(&mut pending)).await?;
                        self.give_up(record, Unreadable::Permanent(reason)).await?;
                    }
                }
                Err(reason) => {
                    self.send_all(std::mem::take(&mut pending)).await?;
                    self.give_up(record, reason).await?;
                }
            }
        }
        self.send_all(pending).await
    }

    fn weigh<'a>(&self, place: usize, record: &'a StreamRecord) -> Result<Weighed<'a>, Unreadable> {
        let commit = record.commit.as_ref().map_err(Clone::clone)?;
        let form = self.public_forms.of(commit.stream().category());
        let mut weighed = Weighed { events: Vec::new(), defect: None };
        for envelope in commit.envelopes() {
            let public = form.map(|form| envelope.published_as(form));
            let bytes = self.publisher.weigh(&envelope);
            let bytes = bytes.map_err(|error| Unreadable::Permanent(error.to_string()))?;
            let version = envelope.version;
            weighed.events.push(Pending { place, record, envelope, bytes });
            let weighable = match public {
                None | Some(Ok(None)) => continue,
                Some(Ok(Some(public))) => {
                    self.publisher.weigh(&public).map(|bytes| (public, bytes))
                }
                Some(Err(error)) if error.is_unknown() && self.may_be_deploying(commit) => {
                    return Err(Unreadable::Transient(format!("version {version}: {error}")));
                }
                Some(Err(error)) => {
                    weighed.add_defect(version, &error);
                    continue;
                }
            };
            match weighable {
                Ok((envelope, bytes)) => {
                    weighed.events.push(Pending { place, record, envelope, bytes });
                }
                Err(error) => weighed.add_defect(version, &error),
            }
        }
        Ok(weighed)
    }

    /// Whether the commit is so new that the program that wrote it may not run everywhere yet.
    fn may_be_deploying(&self, commit: &Commit) -> bool {
        let end = commit.metadata().recorded_at.checked_add(DEPLOYMENT);
        end.is_ok_and(|end| self.clock.now() < end)
    }

    /// Sends a dead letter about a record that can never be sent. Returns all other records for a retry.
    async fn give_up(&self, record: &StreamRecord, cause: Unreadable) -> Result<(), Unsent> {
        let retry = |reason| {
            let sequence_number = record.sequence_number.clone();
            Err(Unsent { sequence_number, reason })
        };
        let (reason, dead_letters) = match (cause, &self.dead_letters) {
            (Unreadable::Permanent(reason), Some(dead_letters)) => (reason, dead_letters),
            (Unreadable::Transient(reason) | Unreadable::Permanent(reason), _) => {
                return retry(reason);
            }
        };
        let letter = DeadLetter { commit: record.name.clone(), reason };
        tracing::error!(
            commit = letter.commit,
            reason = letter.reason,
            "the commit can never be published"
        );
        match dead_letters.send(&letter).await {
            Ok(()) => Ok(()),
            Err(error) => {
                retry(format!("{}; the dead letter could not be sent: {error}", letter.reason))
            }
        }
    }

    async fn send_all(&self, pending: Vec<Pending<'_>>) -> Result<(), Unsent> {
        for chunk in self.chunks(pending) {
            self.send(chunk).await?;
        }
        Ok(())
    }

    /// Divides the events into calls within the limits of the bus.
    fn chunks<'a>(&self, pending: Vec<Pending<'a>>) -> Vec<Vec<Pending<'a>>> {
        let limits = self.publisher.limits();
        let mut chunks: Vec<Vec<Pending>> = Vec::new();
        let mut bytes = 0;
        for event in pending {
            match chunks.last_mut() {
                Some(chunk)
                    if chunk.len() < limits.entries && bytes + event.bytes <= limits.bytes =>
                {
                    bytes += event.bytes;
                    chunk.push(event);
                }
                _ => {
                    bytes = event.bytes;
                    chunks.push(vec![event]);
                }
            }
        }
        chunks
    }

    /// Sends one call's events, and retries those that failed. Events that the bus can never accept become dead letters
    /// after all earlier events are sent.
    async fn send(&self, mut unsent: Vec<Pending<'_>>) -> Result<(), Unsent> {
        let mut reason = String::new();
        let mut refused = Vec::new();
        for attempt in 0..BACKOFF.attempts {
            BACKOFF.wait(attempt, &*self.clock, &*self.random).await;
            let batch: Vec<_> = unsent.iter().map(|event| event.envelope.clone()).collect();
            match self.publisher.publish(&batch).await {
                Ok(answers) => {
                    unsent = still_unsent(unsent, answers, &mut refused, &mut reason);
                }
                Err(error) => reason = error.to_string(),
            }
            if unsent.is_empty() {
                break;
            }
            tracing::warn!(
                unsent = unsent.len(),
                attempt,
                reason,
                "the bus did not accept all events"
            );
        }
        let blocked = unsent.first();
        refused.sort_by_key(|(event, _)| event.place);
        refused.dedup_by_key(|(event, _)| event.place);
        for (event, reason) in refused {
            if blocked.is_none_or(|blocked| event.place < blocked.place) {
                self.give_up(event.record, Unreadable::Permanent(reason)).await?;
            }
        }
        let first = blocked.map(|event| event.record.sequence_number.clone());
        first.map_or(Ok(()), |sequence_number| Err(Unsent { sequence_number, reason }))
    }
}

/// The events to retry. Events that the bus can never accept go to `refused`. An event without an answer was not
/// accepted.
fn still_unsent<'a>(
    sent: Vec<Pending<'a>>,
    answers: Vec<Result<(), EntryError>>,
    refused: &mut Vec<(Pending<'a>, String)>,
    reason: &mut String,
) -> Vec<Pending<'a>> {
    let answers = answers.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
    sent.into_iter()
        .zip(answers)
        .filter_map(|(event, answer)| match answer {
            Some(Ok(())) => None,
            Some(Err(error @ EntryError::Invalid(_))) => {
                let version = event.envelope.version;
                let form =
                    if event.envelope.form == Form::Public { "public event" } else { "event" };
                refused.push((event, format!("{form} {version}: {error}")));
                None
            }
            Some(Err(error)) => {
                *reason = error.to_string();
                Some(event)
            }
            None => {
                "the bus returned fewer answers than events".clone_into(reason);
                Some(event)
            }
        })
        .collect()
}
