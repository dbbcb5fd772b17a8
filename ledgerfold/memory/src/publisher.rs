use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use ledgerfold::{
    Envelope,
    ports::{DeadLetter, DeadLetters, EntryError, Limits, PublishError, Publisher, Unpublishable},
    vocabulary::Form,
};

/// A fault of a call to the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No fault: all entries are accepted.
    None,
    /// The entries at these positions are not accepted, but a retry may succeed.
    Entries(Vec<usize>),
    /// The entries at these positions can never be accepted.
    Invalid(Vec<usize>),
    /// All entries are accepted, but the last answer is missing.
    ShortAnswer,
    /// The call fails, and no entry is accepted.
    Call,
}

/// A bus in memory. Each call has the next requested fault; calls after the last one have none.
#[derive(Debug)]
pub struct MemoryPublisher {
    limits: Limits,
    /// A mutex, so that every call is atomic. Only the methods of the ports and `order` change it.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    faults: VecDeque<Fault>,
    calls: Vec<Vec<Envelope>>,
    taken: Vec<Envelope>,
    letters: Vec<DeadLetter>,
}

impl MemoryPublisher {
    /// A bus with these limits. The size of an event is the size of its content.
    pub fn new(limits: Limits) -> Self {
        Self { limits, state: Mutex::default() }
    }

    /// Requests faults for the next calls.
    pub fn order(&self, faults: impl IntoIterator<Item = Fault>) {
        self.lock().faults.extend(faults);
    }

    /// The events of every call, accepted or not.
    pub fn calls(&self) -> Vec<Vec<Envelope>> {
        self.lock().calls.clone()
    }

    /// The accepted events, in order.
    pub fn taken(&self) -> Vec<Envelope> {
        self.lock().taken.clone()
    }

    /// The accepted events of this form, in order.
    pub fn taken_as(&self, form: Form) -> Vec<Envelope> {
        self.taken().into_iter().filter(|envelope| envelope.form == form).collect()
    }

    /// The messages in the dead-letter queue, in order.
    pub fn letters(&self) -> Vec<DeadLetter> {
        self.lock().letters.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Publisher for MemoryPublisher {
    fn limits(&self) -> Limits {
        self.limits
    }

    fn weigh(&self, envelope: &Envelope) -> Result<usize, Unpublishable> {
        let bytes = envelope.event.data.as_str().len();
        if bytes > self.limits.bytes {
            let event = envelope.event.id.to_string();
            return Err(Unpublishable { event, reason: format!("{bytes} bytes") });
        }
        Ok(bytes)
    }

    async fn publish(
        &self,
        batch: &[Envelope],
    ) -> Result<Vec<Result<(), EntryError>>, PublishError> {
        let mut state = self.lock();
        state.calls.push(batch.to_vec());
        let fault = state.faults.pop_front().unwrap_or(Fault::None);
        if fault == Fault::Call {
            return Err(PublishError("the call failed, as requested by the test".into()));
        }
        let mut answers = Vec::new();
        for (at, envelope) in batch.iter().enumerate() {
            if matches!(&fault, Fault::Entries(failing) if failing.contains(&at)) {
                answers.push(Err(EntryError::NotTaken(
                    "not accepted, as requested by the test".to_owned(),
                )));
            } else if matches!(&fault, Fault::Invalid(failing) if failing.contains(&at)) {
                answers.push(Err(EntryError::Invalid(
                    "malformed, as requested by the test".to_owned(),
                )));
            } else {
                state.taken.push(envelope.clone());
                answers.push(Ok(()));
            }
        }
        if fault == Fault::ShortAnswer {
            answers.pop();
        }
        Ok(answers)
    }
}

#[async_trait]
impl DeadLetters for MemoryPublisher {
    async fn send(&self, letter: &DeadLetter) -> Result<(), PublishError> {
        let mut state = self.lock();
        if state.faults.pop_front() == Some(Fault::Call) {
            return Err(PublishError("the call failed, as requested by the test".into()));
        }
        state.letters.push(letter.clone());
        Ok(())
    }
}
