//! Tests of panics in a team's code: only one stream, one deadline or one message fails.
//!
//! Guards: a-panic-fails-one-item

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use ledgerfold::{
    ProcessName, Recorded, StreamId,
    ports::{Clock, Deadline},
    process::{Expiry, MAX_ATTEMPTS, Unfulfilled},
    project::{Counts, Projection, Projector, RowModel, Tally, TallyModel, Verdict, Verifiable},
};
use ledgerfold_proofs::conformance::requests::fresh;

use crate::{
    lending::{Bank, LOAN, NEVER, account},
    note_models::{Notes, UNPLACEABLE, Words, World, deliveries},
};
use ledgerfold_testkit::bank::AccountCommand;
use ledgerfold_testkit::bank::NoteEvent;

/// The note on which the models panic.
const POISON: &str = "a poison note";

/// A projection and a tally that panic on [`POISON`].
struct FailingModel;

impl Projection for FailingModel {
    type Event = NoteEvent;
    type Row = Vec<String>;

    fn evolve(
        row: Option<Vec<String>>,
        event: &Recorded<NoteEvent>,
    ) -> Result<Option<Vec<String>>, String> {
        let NoteEvent::NoteWritten(note) = &event.event;
        assert_ne!(note.text, POISON, "this note panics");
        Notes::evolve(row, event)
    }
}

impl Tally for FailingModel {
    type Event = NoteEvent;
    type Memo = u64;

    fn count(
        memo: &mut u64,
        event: &Recorded<NoteEvent>,
        counts: &mut Counts,
    ) -> Result<(), String> {
        let NoteEvent::NoteWritten(note) = &event.event;
        assert_ne!(note.text, POISON, "this note panics");
        Words::count(memo, event, counts)
    }
}

/// Ten streams with one note. The first stream has a second note, on which the models panic.
async fn ten_streams() -> (World, Vec<StreamId>) {
    let world = World::new();
    let mut streams: Vec<_> = (0..10).map(|_| fresh()).collect();
    streams.sort();
    for stream in &streams {
        world.write(stream, "one", &["a"]).await.expect("the command is accepted");
    }
    world.write(&streams[0], "two", &[POISON]).await.expect("the command is accepted");
    (world, streams)
}

async fn take_all(world: &World, projector: &Projector) {
    assert_eq!(projector.project(deliveries(world.envelopes())).await, [], "every message is done");
}

#[tokio::test]
async fn a_panic_of_a_projection_parks_its_stream_and_no_other() {
    let (world, streams) = ten_streams().await;
    take_all(&world, &world.rows_of::<FailingModel>()).await;
    for stream in &streams {
        let (version, row) = world.row(stream).expect("a row");
        assert_eq!((version.get(), row), (1, Some(vec!["a".to_owned()])));
    }
    let parked = world.parked_notes.parked();
    assert_eq!(parked.iter().map(|it| &it.stream).collect::<Vec<_>>(), [&streams[0]]);
    assert!(parked[0].reason.contains("a poison note"), "{}", parked[0].reason);
    assert_eq!(parked[0].version.map(|version| version.get()), Some(2));
}

#[tokio::test]
async fn a_panic_of_a_tally_parks_its_stream_and_no_other() {
    let (world, streams) = ten_streams().await;
    take_all(&world, &world.tally_of::<FailingModel>()).await;
    let parked = world.parked_words.parked();
    assert_eq!(parked.iter().map(|it| &it.stream).collect::<Vec<_>>(), [&streams[0]]);
}

#[tokio::test]
async fn an_audit_finds_one_stream_unreadable_and_compares_the_rest() {
    let (world, streams) = ten_streams().await;
    take_all(&world, &world.rows_of::<FailingModel>()).await;
    take_all(&world, &world.tally_of::<FailingModel>()).await;
    let rows = RowModel::<FailingModel>::new(world.rows.clone());
    let counters = TallyModel::<FailingModel>::new(world.tallies.clone());
    let models: [&dyn Verifiable; 2] = [&rows, &counters];
    for model in models {
        for (at, stream) in streams.iter().enumerate() {
            let verdict = model
                .compare(stream, &*world.log, &*world.parked_notes)
                .await
                .expect("the model can be compared")
                .verdict;
            match verdict {
                Verdict::Unreadable(reason) if at == 0 => assert!(reason.contains("a poison note")),
                verdict => assert_eq!((at > 0, verdict), (true, Verdict::Current)),
            }
        }
    }
}

/// A projection whose index key panics.
struct Unplaced;

impl Projection for Unplaced {
    type Event = NoteEvent;
    type Row = Vec<String>;

    fn evolve(
        row: Option<Vec<String>>,
        event: &Recorded<NoteEvent>,
    ) -> Result<Option<Vec<String>>, String> {
        let NoteEvent::NoteWritten(note) = &event.event;
        let mut notes = row.unwrap_or_default();
        notes.push(note.text.clone());
        Ok(Some(notes))
    }

    fn index(
        row: &Vec<String>,
    ) -> Result<Option<ledgerfold::ports::IndexKey>, ledgerfold::InvalidId> {
        assert!(!row.contains(&UNPLACEABLE.to_owned()), "the note was refused");
        Notes::index(row)
    }
}

#[tokio::test]
async fn a_panic_of_a_list_s_key_parks_its_stream() {
    let (world, stream) = (World::new(), fresh());
    world.write(&stream, "one", &["a"]).await.expect("the command is accepted");
    world.write(&stream, "two", &[UNPLACEABLE]).await.expect("the command is accepted");
    take_all(&world, &world.rows_of::<Unplaced>()).await;
    assert_eq!(world.row(&stream).map(|(version, _)| version.get()), Some(1));
    let parked = world.parked_notes.parked();
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0].version, None, "no single event is at fault, so none can be skipped");
}

/// The deadlines of a process that panics on one account.
struct Panicking(Arc<dyn Expiry>);

#[async_trait]
impl Expiry for Panicking {
    fn process(&self) -> &ProcessName {
        self.0.process()
    }

    async fn expire(&self, deadline: &Deadline) -> Result<(), Unfulfilled> {
        assert_ne!(deadline.key.stream, account("first"), "this account panics");
        self.0.expire(deadline).await
    }
}

#[tokio::test]
async fn a_deadline_that_panics_stops_no_other_and_is_given_up_in_the_end() {
    let bank = Bank::new();
    for name in ["first", "b", "c", "d", "e", "f", "g", "h"] {
        bank.ask(&account(name), AccountCommand::Borrow(100)).await;
        bank.pass(Duration::from_secs(1));
    }
    assert_eq!(bank.process().handle(bank.messages()).await, []);
    bank.pass(LOAN);
    let worker = bank.worker_of(Arc::new(Panicking(bank.expiry())));
    let fire = async || {
        bank.sweep().sweep(NEVER).await.expect("deadlines can be listed");
        worker.handle(bank.due.receive()).await
    };
    let first = fire().await;
    assert_eq!((first.done, first.postponed, first.failed), (7, 1, Vec::new()));
    let mut given_up = 0;
    for _ in 1..MAX_ATTEMPTS {
        bank.clock.set(bank.clock.now() + Duration::from_secs(3_600));
        given_up += fire().await.given_up;
    }
    assert_eq!(given_up, 1);
}
