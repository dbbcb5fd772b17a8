//! The relay, which publishes every commit of the log to the bus.
//!
//! It skips nothing, and acknowledges a record only after the bus has accepted its events. It keeps no order: consumers
//! order events by version, so the calls of a batch are sent concurrently. It decodes an event only if the context has
//! [public events](crate::PublicEvents): it then publishes the public form as well.

mod calls;

use std::{fmt::Display, sync::Arc, time::Duration};

use self::calls::{Failed, Sent};
use crate::{
    Envelope, Version,
    ports::{Clock, DeadLetter, DeadLetters, Publisher, Random},
    vocabulary::{Commit, PublicForms},
    waiting::{Backoff, ExponentialWait},
};

pub use self::calls::CONCURRENT_CALLS;

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

/// The first record of a batch that was not sent completely. Lambda delivers this record and all later ones again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsent {
    /// The record.
    pub sequence_number: String,
    /// The error.
    pub reason: String,
}

/// An event that is not sent yet.
struct Pending {
    /// The position of its record in the batch.
    place: usize,
    envelope: Envelope,
    bytes: usize,
}

/// The events of a commit to send.
#[derive(Default)]
struct Weighed {
    events: Vec<Pending>,
    /// Why some events have no public form, although they should.
    defect: Option<String>,
}

impl Weighed {
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

    /// Also publishes the public forms of events.
    #[must_use]
    pub fn publishing(self, public_forms: PublicForms) -> Self {
        Self { public_forms, ..self }
    }

    /// Publishes the commits of a batch.
    ///
    /// A commit can never be published if it is damaged, or if one of its events is too large for the bus. Retries
    /// would block all other commits of its shard. So the relay sends a dead letter about it, if all earlier commits
    /// are sent: otherwise the commit is delivered again anyway. Without a dead-letter queue such a commit is returned
    /// for a retry like any other.
    ///
    /// An event may lack its public form because the mapping is wrong, or the form may be too large. The relay then sends
    /// everything else of the commit, and a dead letter about it. An event that this program does not know is different:
    /// a newer program is probably being deployed. For [`DEPLOYMENT`] the commit is returned for a retry.
    ///
    /// # Errors
    /// [`Unsent`] names the first record that was not sent completely. Later events may have been sent, and are sent
    /// again; consumers recognise them by their ids.
    pub async fn publish(&self, records: &[StreamRecord]) -> Result<(), Unsent> {
        let mut events = Vec::new();
        let mut impossible = Vec::new();
        let mut blocked = None;
        for (place, record) in records.iter().enumerate() {
            match self.weigh(place, record) {
                Ok(weighed) => {
                    events.extend(weighed.events);
                    impossible.extend(weighed.defect.map(|reason| Failed { place, reason }));
                }
                Err(Unreadable::Permanent(reason)) if self.dead_letters.is_some() => {
                    impossible.push(Failed { place, reason });
                }
                Err(Unreadable::Transient(reason) | Unreadable::Permanent(reason)) => {
                    // This record and all later ones come again.
                    blocked = Some(Failed { place, reason });
                    break;
                }
            }
        }
        let Sent { unsent, refused } = self.send_all(events).await;
        impossible.extend(refused);
        let blocked = unsent.or(blocked);
        let blocked = self.give_up(impossible, records, blocked.as_ref()).await.err().or(blocked);
        blocked.map_or(Ok(()), |Failed { place, reason }| {
            Err(Unsent { sequence_number: records[place].sequence_number.clone(), reason })
        })
    }

    fn weigh(&self, place: usize, record: &StreamRecord) -> Result<Weighed, Unreadable> {
        let commit = record.commit.as_ref().map_err(Clone::clone)?;
        let form = self.public_forms.of(commit.stream().category());
        let mut weighed = Weighed::default();
        for envelope in commit.envelopes() {
            let public = form.map(|form| envelope.published_as(form));
            let bytes = self.publisher.weigh(&envelope);
            let bytes = bytes.map_err(|error| Unreadable::Permanent(error.to_string()))?;
            let version = envelope.version;
            weighed.events.push(Pending { place, envelope, bytes });
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
                Ok((envelope, bytes)) => weighed.events.push(Pending { place, envelope, bytes }),
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

    /// Sends a dead letter about each record that can never be sent, up to the blocked one.
    ///
    /// # Errors
    /// The first record that must be delivered again, because there is no dead letter about it.
    async fn give_up(
        &self,
        mut impossible: Vec<Failed>,
        records: &[StreamRecord],
        blocked: Option<&Failed>,
    ) -> Result<(), Failed> {
        impossible.sort_by_key(|failed| failed.place);
        impossible.dedup_by(|later, first| {
            let is_same = later.place == first.place;
            if is_same {
                first.reason = format!("{}; {}", first.reason, later.reason);
            }
            is_same
        });
        impossible.retain(|failed| blocked.is_none_or(|blocked| failed.place < blocked.place));
        for Failed { place, reason } in impossible {
            let Some(dead_letters) = &self.dead_letters else {
                return Err(Failed { place, reason });
            };
            let letter = DeadLetter { commit: records[place].name.clone(), reason };
            let DeadLetter { commit, reason } = &letter;
            tracing::error!(commit, reason, "the commit can never be published");
            dead_letters.send(&letter).await.map_err(|error| {
                let reason = format!("{reason}; the dead letter could not be sent: {error}");
                Failed { place, reason }
            })?;
        }
        Ok(())
    }
}
