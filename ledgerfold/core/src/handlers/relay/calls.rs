//! The calls of a batch: how its events are divided into them, and how each is sent.

use futures::{StreamExt, stream};

use super::{BACKOFF, Pending, Relay};
use crate::{ports::EntryError, vocabulary::Form};

/// The most calls of a batch that are under way at the same time. A batch of a hundred commits with one event each has
/// ten. Lambda hands over several batches of a shard at a time, each in an environment of its own.
pub const CONCURRENT_CALLS: usize = 10;

/// What became of the events of one or more calls.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// The first record with an event that was not sent.
    pub(super) unsent: Option<Failed>,
    /// Records with an event that the bus can never accept.
    pub(super) refused: Vec<Failed>,
}

/// A record that was not sent completely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failed {
    /// The record's position in the batch.
    pub(super) place: usize,
    /// The error.
    pub(super) reason: String,
}

impl Sent {
    fn add(&mut self, other: Self) {
        let unsent = self.unsent.take().into_iter().chain(other.unsent);
        self.unsent = unsent.min_by_key(|failed| failed.place);
        self.refused.extend(other.refused);
    }
}

impl Relay {
    /// Sends events in concurrent calls. Once a call has failed for good, no further one begins: Lambda delivers its
    /// record and all later ones again, and a bus that is down gets no more load.
    pub(super) async fn send_all(&self, events: Vec<Pending>) -> Sent {
        let mut sent = Sent::default();
        let mut waiting = self.divide(events).into_iter();
        let mut calls = stream::FuturesUnordered::new();
        calls.extend(waiting.by_ref().take(CONCURRENT_CALLS).map(|call| self.send(call)));
        while let Some(outcome) = calls.next().await {
            sent.add(outcome);
            if sent.unsent.is_none() {
                calls.extend(waiting.next().map(|call| self.send(call)));
            }
        }
        sent
    }

    /// Divides events into calls within the limits of the bus.
    fn divide(&self, events: Vec<Pending>) -> Vec<Vec<Pending>> {
        let limits = self.publisher.limits();
        let mut calls: Vec<Vec<Pending>> = Vec::new();
        let mut bytes = 0;
        for event in events {
            match calls.last_mut() {
                Some(call)
                    if call.len() < limits.entries && bytes + event.bytes <= limits.bytes =>
                {
                    bytes += event.bytes;
                    call.push(event);
                }
                _ => {
                    bytes = event.bytes;
                    calls.push(vec![event]);
                }
            }
        }
        calls
    }

    /// Sends one call's events, and sends those again that the bus did not accept.
    async fn send(&self, mut unsent: Vec<Pending>) -> Sent {
        let mut sent = Sent::default();
        let mut reason = String::new();
        for attempt in 0..BACKOFF.attempts {
            BACKOFF.wait(attempt, &*self.clock, &*self.random).await;
            let batch: Vec<_> = unsent.iter().map(|event| event.envelope.clone()).collect();
            match self.publisher.publish(&batch).await {
                Ok(answers) => {
                    unsent = still_unsent(unsent, answers, &mut sent.refused, &mut reason);
                }
                Err(error) => reason = error.to_string(),
            }
            if unsent.is_empty() {
                return sent;
            }
            let unsent = unsent.len();
            tracing::warn!(unsent, attempt, reason, "the bus did not accept all events");
        }
        sent.unsent = unsent.first().map(|event| Failed { place: event.place, reason });
        sent
    }
}

/// The events to send again. Those that the bus can never accept go to `refused`. An event without an answer was not
/// accepted.
fn still_unsent(
    sent: Vec<Pending>,
    answers: Vec<Result<(), EntryError>>,
    refused: &mut Vec<Failed>,
    reason: &mut String,
) -> Vec<Pending> {
    let answers = answers.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
    sent.into_iter()
        .zip(answers)
        .filter_map(|(event, answer)| match answer {
            Some(Ok(())) => None,
            Some(Err(error @ EntryError::Invalid(_))) => {
                let version = event.envelope.version;
                let form =
                    if event.envelope.form == Form::Public { "public event" } else { "event" };
                let reason = format!("{form} {version}: {error}");
                refused.push(Failed { place: event.place, reason });
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
