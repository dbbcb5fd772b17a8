//! From the log to the bus: every commit, in order, nothing skipped, nothing acknowledged before
//! the bus has said that it has it.

use std::{sync::Arc, time::Duration};

use crate::{
    Envelope,
    ports::{Clock, DeadLetter, DeadLetters, EntryError, Publisher, Random},
    vocabulary::Commit,
    waiting::{Backoff, ExponentialWait},
};

/// How often one call's unsent events are offered before the relay gives the record back.
const BACKOFF: Backoff = Backoff {
    attempts: 5,
    wait: ExponentialWait::new(Duration::from_millis(50), Duration::from_secs(1)),
};

/// Publishes the records of the log's change stream.
#[derive(Clone)]
pub struct Relay {
    publisher: Arc<dyn Publisher>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    dead_letters: Option<Arc<dyn DeadLetters>>,
}

/// One record of the change stream.
#[derive(Clone, Debug)]
pub struct StreamRecord {
    /// The change stream's name for the record: a sequence number, which reports a failure.
    pub sequence_number: String,
    /// Which commit it is of, for people: `order#1 at 5`.
    pub name: String,
    /// The commit in it, or why there is none to be read.
    pub commit: Result<Commit, Unreadable>,
}

/// Why there is no commit to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It can be read later: a store did not answer, a right is missing, a newer program wrote it.
    Transient(String),
    /// It is damaged.
    Permanent(String),
}

/// The first record of a batch that did not get through whole. It and all behind it come again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsent {
    /// The record.
    pub sequence_number: String,
    /// The obstacle.
    pub reason: String,
}

/// An event with the record that it came in.
struct Pending<'a> {
    /// The record's place in the batch.
    place: usize,
    record: &'a StreamRecord,
    envelope: Envelope,
    bytes: usize,
}

impl Relay {
    /// A relay over these ports.
    pub fn new(
        publisher: Arc<dyn Publisher>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self { publisher, clock, random, dead_letters: None }
    }

    /// The same, with a dead-letter queue for commits that can never be published. The relay then goes on behind
    /// them.
    #[must_use]
    pub fn with_dead_letters(self, dead_letters: Arc<dyn DeadLetters>) -> Self {
        Self { dead_letters: Some(dead_letters), ..self }
    }

    /// Publishes the commits of a batch, in its order.
    ///
    /// A commit that can never be published as it is, because it is damaged or no call can hold one of
    /// its events, would hold up all others of its shard for as long as it is tried again. Word of it
    /// is left as a dead letter instead, once all before it is sent. Without a place for dead letters
    /// it is given back like one that may be sent later.
    ///
    /// # Errors
    /// [`Unsent`], the first record that was not sent whole. Events behind it may have been sent:
    /// consumers know them by their ids.
    pub async fn publish(&self, records: &[StreamRecord]) -> Result<(), Unsent> {
        let mut pending = Vec::new();
        for (place, record) in records.iter().enumerate() {
            match self.weigh(place, record) {
                Ok(events) => pending.extend(events),
                Err(why) => {
                    self.send_all(std::mem::take(&mut pending)).await?;
                    self.give_up(record, why).await?;
                }
            }
        }
        self.send_all(pending).await
    }

    fn weigh<'a>(
        &self,
        place: usize,
        record: &'a StreamRecord,
    ) -> Result<Vec<Pending<'a>>, Unreadable> {
        let commit = record.commit.as_ref().map_err(Clone::clone)?;
        commit
            .envelopes()
            .map(|envelope| match self.publisher.weigh(&envelope) {
                Ok(bytes) => Ok(Pending { place, record, envelope, bytes }),
                Err(error) => Err(Unreadable::Permanent(error.to_string())),
            })
            .collect()
    }

    /// Leaves word of a record that can never be sent; gives all others back.
    async fn give_up(&self, record: &StreamRecord, why: Unreadable) -> Result<(), Unsent> {
        let given_back = |reason| {
            let sequence_number = record.sequence_number.clone();
            Err(Unsent { sequence_number, reason })
        };
        let (reason, dead_letters) = match (why, &self.dead_letters) {
            (Unreadable::Permanent(reason), Some(dead_letters)) => (reason, dead_letters),
            (Unreadable::Transient(reason) | Unreadable::Permanent(reason), _) => {
                return given_back(reason);
            }
        };
        let letter = DeadLetter { commit: record.name.clone(), reason };
        tracing::error!(commit = letter.commit, why = letter.reason, "it can never be published");
        match dead_letters.send(&letter).await {
            Ok(()) => Ok(()),
            Err(error) => {
                given_back(format!("{}, and that could not be said: {error}", letter.reason))
            }
        }
    }

    async fn send_all(&self, pending: Vec<Pending<'_>>) -> Result<(), Unsent> {
        for chunk in self.chunks(pending) {
            self.send(chunk).await?;
        }
        Ok(())
    }

    /// Cuts the events into calls that the bus takes.
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

    /// Sends one call's events, and those that failed again. Of those that the bus can never take word is
    /// left once all before them are sent.
    async fn send(&self, mut unsent: Vec<Pending<'_>>) -> Result<(), Unsent> {
        let (mut reason, mut refused) = (String::new(), Vec::new());
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
            tracing::warn!(unsent = unsent.len(), attempt, reason, "events not taken by the bus");
        }
        let held_up = unsent.first();
        refused.sort_by_key(|(event, _)| event.place);
        refused.dedup_by_key(|(event, _)| event.place);
        for (event, why) in refused {
            if held_up.is_none_or(|held_up| event.place < held_up.place) {
                self.give_up(event.record, Unreadable::Permanent(why)).await?;
            }
        }
        let first = held_up.map(|event| event.record.sequence_number.clone());
        first.map_or(Ok(()), |sequence_number| Err(Unsent { sequence_number, reason }))
    }
}

/// The events that may be taken later; those that never will be go to `refused`. An answer that is missing
/// is not a good one.
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
                refused.push((event, error.to_string()));
                None
            }
            Some(Err(error)) => {
                *reason = error.to_string();
                Some(event)
            }
            None => {
                "the bus gave fewer answers than it got events".clone_into(reason);
                Some(event)
            }
        })
        .collect()
}
