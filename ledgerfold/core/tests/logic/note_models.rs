//! Read models for tests: a projection and a tally over accounts, with all ports in memory.

use std::sync::Arc;

use ledgerfold::{
    Decider, Envelope, InvalidId, Recorded, StreamId, Version,
    command::{Answer, CommandError, CommandHandler},
    ports::{CounterKey, EventStore, IndexKey, Skips},
    project::{
        Counts, Projection, Projector, ProjectorPorts, ReadModel, RowModel, Tally, TallyModel,
    },
    vocabulary::{Delivery, Receipt},
};
use ledgerfold_proofs::conformance::requests::write;
use ledgerfold_testkit::bank::{AccountRejection, Accounts, NoteEvent, Plain};
use ledgerfold_testkit::{
    ManualClock, MemoryEventStore, MemoryQuarantine, MemoryRowStore, MemoryTallyStore, SeededRandom,
};

/// A projection of the notes of an account.
pub(crate) struct Notes;

/// A note that [`Notes`] cannot apply.
pub(crate) const UNPLACEABLE: &str = "unplaceable";
/// A note that removes the row.
pub(crate) const REMOVE: &str = "remove";

impl Projection for Notes {
    type Event = NoteEvent;
    type Row = Vec<String>;

    fn evolve(
        row: Option<Vec<String>>,
        event: &Recorded<NoteEvent>,
    ) -> Result<Option<Vec<String>>, String> {
        let NoteEvent::NoteWritten(note) = &event.event;
        match note.text.as_str() {
            UNPLACEABLE => Err("it has no place".to_owned()),
            REMOVE => Ok(None),
            text => {
                let mut notes = row.unwrap_or_default();
                notes.push(text.to_owned());
                Ok(Some(notes))
            }
        }
    }

    fn index(row: &Vec<String>) -> Result<Option<IndexKey>, InvalidId> {
        row.first().map(|first| IndexKey::new("all", first)).transpose()
    }
}

/// A tally of the notes by text.
pub(crate) struct Words;

impl Tally for Words {
    type Event = NoteEvent;
    type Memo = u64;

    fn count(
        memo: &mut u64,
        event: &Recorded<NoteEvent>,
        counts: &mut Counts,
    ) -> Result<(), String> {
        let NoteEvent::NoteWritten(note) = &event.event;
        *memo += 1;
        counts.add(CounterKey::new(note.text.clone()).expect("a key"), "notes", 1)
    }
}

/// All ports in memory.
pub(crate) struct World {
    pub(crate) log: Arc<MemoryEventStore>,
    pub(crate) rows: Arc<MemoryRowStore>,
    pub(crate) tallies: Arc<MemoryTallyStore>,
    pub(crate) clock: Arc<ManualClock>,
    /// The quarantines of the rows and of the counters.
    pub(crate) parked_notes: Arc<MemoryQuarantine>,
    pub(crate) parked_words: Arc<MemoryQuarantine>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_pages_of(1_000)
    }

    pub(crate) fn with_pages_of(commits: usize) -> Self {
        Self {
            log: Arc::new(MemoryEventStore::with_pages_of(commits)),
            rows: Arc::default(),
            tallies: Arc::default(),
            clock: Arc::default(),
            parked_notes: Arc::default(),
            parked_words: Arc::default(),
        }
    }

    pub(crate) fn handler<D: Decider>(&self) -> CommandHandler<D> {
        self.handler_over(self.log.clone())
    }

    pub(crate) fn handler_over<D: Decider>(&self, log: Arc<dyn EventStore>) -> CommandHandler<D> {
        CommandHandler::new(log, self.clock.clone(), Arc::new(SeededRandom::new(7)))
    }

    pub(crate) async fn write(
        &self,
        stream: &StreamId,
        attempt: &str,
        notes: &[&str],
    ) -> Result<Answer, CommandError<AccountRejection>> {
        self.handler::<Accounts<Plain>>().handle(&write(stream, attempt, notes)).await
    }

    pub(crate) fn notes(&self) -> Projector {
        self.rows_of::<Notes>()
    }

    /// A projector of this read model over the rows.
    pub(crate) fn rows_of<P: Projection>(&self) -> Projector {
        let model = Arc::new(RowModel::<P>::new(self.rows.clone()));
        let parked = self.parked_notes.clone();
        self.projector(model, parked.clone()).with_quarantine(parked)
    }

    pub(crate) fn words(&self) -> Projector {
        self.tally_of::<Words>()
    }

    /// A projector of this tally over the counters.
    pub(crate) fn tally_of<T: Tally>(&self) -> Projector {
        let model = Arc::new(TallyModel::<T>::new(self.tallies.clone()));
        let parked = self.parked_words.clone();
        self.projector(model, parked.clone()).with_quarantine(parked)
    }

    /// A projector without a quarantine.
    pub(crate) fn projector(&self, model: Arc<dyn ReadModel>, skips: Arc<dyn Skips>) -> Projector {
        let random = Arc::new(SeededRandom::new(1));
        let (log, clock) = (self.log.clone(), self.clock.clone());
        Projector::new(model, ProjectorPorts { log, skips, clock, random })
    }

    /// All events of the log, by stream.
    pub(crate) fn envelopes(&self) -> Vec<Envelope> {
        self.log
            .commits()
            .iter()
            .flat_map(|commit| commit.envelopes().collect::<Vec<_>>())
            .collect()
    }

    /// The row of an account, with its version.
    pub(crate) fn row(&self, stream: &StreamId) -> Option<(Version, Option<Vec<String>>)> {
        let row = self.rows.rows().into_iter().find(|row| row.stream == *stream)?;
        Some((row.version, row.body.map(|body| body.decode().expect("a list of texts"))))
    }
}

/// Messages of these events. Their receipts are `m0`, `m1` and so on.
pub(crate) fn deliveries(events: impl IntoIterator<Item = Envelope>) -> Vec<Delivery> {
    let delivery = |(at, envelope): (usize, Envelope)| Delivery {
        receipt: Receipt(format!("m{at}")),
        content: Ok(envelope.into()),
        replay: None,
    };
    events.into_iter().enumerate().map(delivery).collect()
}
