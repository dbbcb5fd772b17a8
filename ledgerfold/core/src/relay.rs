//! From the log to the bus: every commit, in order, nothing skipped, nothing acknowledged before
//! the bus has said that it has it.

use std::{sync::Arc, time::Duration};

use crate::{
    Commit, Envelope,
    backoff::Backoff,
    ports::{Clock, Publisher, Random},
};

/// How often one call's unsent events are offered before the relay gives the record back.
const BACKOFF: Backoff =
    Backoff { attempts: 5, first: Duration::from_millis(50), longest: Duration::from_secs(1) };

/// Publishes what the log's change stream brings.
#[derive(Clone)]
pub struct Relay {
    publisher: Arc<dyn Publisher>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// One record of the change stream.
#[derive(Clone, Debug)]
pub struct StreamRecord {
    /// What the change stream calls it: the sequence number that a failure is reported by.
    pub sequence_number: String,
    /// The commit in it, or why there is none to be read.
    pub commit: Result<Commit, String>,
}

/// The first record of a batch that did not get through whole. It and all behind it come again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsent {
    /// The record.
    pub sequence_number: String,
    /// What was in the way.
    pub reason: String,
}

/// An event with the record that it came in.
struct Pending<'a> {
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
        Self { publisher, clock, random }
    }

    /// Publishes the commits of a batch, in its order.
    ///
    /// A record that can never be sent stops the batch where it stands: what precedes it is sent,
    /// and the record is given back, so that the change stream's own retries, bisecting and failure
    /// destination take care of it.
    ///
    /// # Errors
    /// [`Unsent`], the first record that was not sent whole. Events behind it may have been sent:
    /// consumers know them by their ids.
    pub async fn publish(&self, records: &[StreamRecord]) -> Result<(), Unsent> {
        let (pending, stopped) = self.pending(records);
        for chunk in self.chunks(pending) {
            self.send(chunk).await?;
        }
        stopped.map_or(Ok(()), Err)
    }

    /// The events up to the first record that cannot be sent at all.
    fn pending<'a>(&self, records: &'a [StreamRecord]) -> (Vec<Pending<'a>>, Option<Unsent>) {
        let mut pending = Vec::new();
        for record in records {
            match self.weigh(record) {
                Ok(events) => pending.extend(events),
                Err(reason) => {
                    let sequence_number = record.sequence_number.clone();
                    return (pending, Some(Unsent { sequence_number, reason }));
                }
            }
        }
        (pending, None)
    }

    fn weigh<'a>(&self, record: &'a StreamRecord) -> Result<Vec<Pending<'a>>, String> {
        let commit = record.commit.as_ref().map_err(Clone::clone)?;
        commit
            .envelopes()
            .map(|envelope| match self.publisher.weigh(&envelope) {
                Ok(bytes) => Ok(Pending { record, envelope, bytes }),
                Err(error) => Err(error.to_string()),
            })
            .collect()
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

    /// Sends one call's events, and those that failed again.
    async fn send(&self, mut unsent: Vec<Pending<'_>>) -> Result<(), Unsent> {
        let mut reason = String::new();
        for attempt in 0..BACKOFF.attempts {
            BACKOFF.wait(attempt, &*self.clock, &*self.random).await;
            let batch: Vec<_> = unsent.iter().map(|event| event.envelope.clone()).collect();
            match self.publisher.publish(&batch).await {
                Ok(answers) => unsent = still_unsent(unsent, answers, &mut reason),
                Err(error) => reason = error.to_string(),
            }
            if unsent.is_empty() {
                return Ok(());
            }
            tracing::warn!(unsent = unsent.len(), attempt, reason, "events not taken by the bus");
        }
        let first = unsent.first().map(|event| event.record.sequence_number.clone());
        first.map_or(Ok(()), |sequence_number| Err(Unsent { sequence_number, reason }))
    }
}

/// The events without a good answer. An answer that is missing is not a good one.
fn still_unsent<'a>(
    sent: Vec<Pending<'a>>,
    answers: Vec<Result<(), crate::ports::EntryError>>,
    reason: &mut String,
) -> Vec<Pending<'a>> {
    let answers = answers.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
    sent.into_iter()
        .zip(answers)
        .filter_map(|(event, answer)| match answer {
            Some(Ok(())) => None,
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
