//! A cached state may be out of date. That may cost an attempt; it must never show in an answer.

use std::sync::Arc;

use async_trait::async_trait;
use ledgerfold::{
    Category, Decider, StreamId, Version,
    command::{CommandError, CommandHandler, StreamHint},
    ports::{AppendError, EventStore, PortError, StoreError},
    vocabulary::NewCommit,
};
use ledgerfold_proofs::conformance::{
    account::{self, AccountCommand, AccountRejection, Accounts, ask},
    notebook::{FORBIDDEN, NoteWritten, Notebook, NotebookEvent, Refused, Write, fresh, write},
};
use ledgerfold_testkit::{Amended, Amendment, ManualClock, MemoryEventStore, SeededRandom};

/// Two functions' containers over one log, each with a memory of its own.
struct Containers {
    log: Arc<MemoryEventStore>,
    one: CommandHandler<Notebook>,
    other: CommandHandler<Notebook>,
}

fn handler<D: Decider>(log: &Arc<MemoryEventStore>, seed: u64) -> CommandHandler<D> {
    let (clock, random) = (Arc::new(ManualClock::default()), Arc::new(SeededRandom::new(seed)));
    CommandHandler::new(log.clone(), clock, random)
}

impl Containers {
    fn new() -> Self {
        let log = Arc::new(MemoryEventStore::with_pages_of(2));
        Self { one: handler(&log, 1), other: handler(&log, 2), log }
    }

    /// A stream that `one` remembers at version 1, and that `other` has moved to version 3.
    async fn overtaken(&self) -> StreamId {
        let stream = fresh();
        self.one.handle(&write(&stream, "one", &["a"])).await.expect("it is accepted");
        for attempt in ["two", "three"] {
            self.other.handle(&write(&stream, attempt, &["b"])).await.expect("it is accepted");
        }
        stream
    }
}

#[tokio::test]
async fn a_remembered_stream_is_not_read_again() {
    let (world, stream) = (Containers::new(), fresh());
    world.one.handle(&write(&stream, "one", &["a"])).await.expect("it is accepted");
    let reads = world.log.reads();
    for attempt in ["two", "three", "four"] {
        world.one.handle(&write(&stream, attempt, &["b"])).await.expect("it is accepted");
    }
    assert_eq!((world.log.reads(), world.log.commits().len()), (reads, 4));
}

#[tokio::test]
async fn a_creation_that_is_presumed_new_reads_nothing_and_is_right_where_it_is_not() {
    let (world, stream) = (Containers::new(), fresh());
    let mut creation = write(&stream, "one", &["a"]);
    creation.hint = StreamHint::New;
    let first = world.one.handle(&creation).await.expect("it is accepted");
    assert_eq!(world.log.reads(), 0);
    let again = world.other.handle(&creation).await.expect("it was accepted before");
    assert_eq!((again, world.log.commits().len()), (first, 1));
    let mut another = write(&stream, "two", &["b"]);
    another.hint = StreamHint::New;
    let second = world.other.handle(&another).await.expect("it is accepted");
    assert_eq!(second.version, Version::new(2));
}

#[tokio::test]
async fn a_decision_on_a_state_that_is_old_is_made_again_on_the_new_one() {
    let world = Containers::new();
    let stream = world.overtaken().await;
    let answer = world.one.handle(&write(&stream, "four", &["c"])).await.expect("it is accepted");
    assert_eq!(answer.version, Version::new(4));
}

#[tokio::test]
async fn a_command_that_another_container_has_committed_is_recognised() {
    let world = Containers::new();
    let stream = world.overtaken().await;
    let again = world.one.handle(&write(&stream, "two", &["b"])).await.expect("it was accepted");
    assert_eq!((again.version, world.log.commits().len()), (Version::new(2), 3));
    let reused = world.one.handle(&write(&stream, "three", &["another"])).await;
    assert!(matches!(reused, Err(CommandError::Reused)), "{reused:?}");
}

#[tokio::test]
async fn an_own_command_is_recognised_from_memory() {
    let (world, stream) = (Containers::new(), fresh());
    let first = world.one.handle(&write(&stream, "one", &["a"])).await.expect("it is accepted");
    world.one.handle(&write(&stream, "two", &["b"])).await.expect("it is accepted");
    let again = world.one.handle(&write(&stream, "one", &["a"])).await.expect("it was accepted");
    assert_eq!((again, world.log.commits().len()), (first, 2));
}

#[tokio::test]
async fn an_expectation_is_measured_by_the_present() {
    let world = Containers::new();
    let stream = world.overtaken().await;
    let mut current = write(&stream, "four", &["c"]);
    current.expected = Some(Version::new(3));
    world.one.handle(&current).await.expect("it fails on what is remembered, and holds");
    let stream = world.overtaken().await;
    let mut old = write(&stream, "four", &["c"]);
    old.expected = Some(Version::new(1));
    let refused = world.one.handle(&old).await;
    let Err(CommandError::ExpectedVersion { actual, .. }) = refused else {
        panic!("it holds on what is remembered, and no longer: {refused:?}");
    };
    assert_eq!(actual, Version::new(3));
}

#[tokio::test]
async fn a_refusal_and_nothing_to_do_are_confirmed() {
    let log = Arc::new(MemoryEventStore::default());
    let (one, other) = (handler::<Accounts>(&log, 1), handler::<Accounts>(&log, 2));
    let (stream, address) = (account::fresh(), account::fresh_address());
    let open = |attempt: &str| ask(&stream, attempt, AccountCommand::Open(address.clone()));
    one.handle(&open("open")).await.expect("it is accepted");
    other.handle(&ask(&stream, "close", AccountCommand::Close)).await.expect("it is open");
    let again = one.handle(&open("again")).await.expect("it is open in memory, and closed");
    assert_eq!(again.version, Version::new(3));
    let refused = other.handle(&open("third")).await;
    let rejection = matches!(refused, Err(CommandError::Rejected(AccountRejection::Open)));
    assert!(rejection, "it is closed in memory, and open: {refused:?}");

    let world = Containers::new();
    let stream = world.overtaken().await;
    let nothing = world.one.handle(&write(&stream, "nothing", &[])).await.expect("it is accepted");
    assert_eq!(nothing.version, Version::new(3));
    let refused = world.one.handle(&write(&stream, "bad", &[FORBIDDEN])).await;
    assert!(matches!(refused, Err(CommandError::Rejected(_))), "{refused:?}");
}

/// Notebooks whose second note is a preface: the command's text many times over.
struct Prefaced;

impl Decider for Prefaced {
    type Command = Write;
    type Event = NotebookEvent;
    type State = usize;
    type Rejection = Refused;

    const CATEGORY: Category = Notebook::CATEGORY;

    fn initial() -> usize {
        0
    }

    fn evolve(notes: usize, _: &NotebookEvent) -> usize {
        notes + 1
    }

    fn decide(notes: &usize, Write(texts): &Write) -> Result<Vec<NotebookEvent>, Refused> {
        let times = if *notes == 1 { 400 } else { 1 };
        Ok(texts.iter().map(|text| NoteWritten { text: text.repeat(times) }.into()).collect())
    }
}

#[tokio::test]
async fn a_decision_that_is_too_large_on_what_is_remembered_is_made_again() {
    let log = Arc::new(MemoryEventStore::default());
    let (one, other) = (handler::<Prefaced>(&log, 1), handler::<Prefaced>(&log, 2));
    let stream = fresh();
    one.handle(&write(&stream, "one", &["a"])).await.expect("it is accepted");
    other.handle(&write(&stream, "two", &["b"])).await.expect("it is accepted");
    let answer = one.handle(&write(&stream, "three", &[&"c".repeat(1_000)])).await;
    assert_eq!(answer.expect("it is small by now").version, Version::new(3));
}

/// A log behind a bus that takes no large events.
struct SmallBus;

#[async_trait]
impl Amendment for SmallBus {
    async fn append(&self, log: &dyn EventStore, new: &NewCommit) -> Result<(), AppendError> {
        let sizes = new.as_commit().events().map(|(_, event)| event.data.as_str().len());
        match sizes.max() {
            Some(bytes) if bytes > 10_000 => {
                Err(AppendError::EventTooLarge { bytes, limit: 10_000 })
            }
            _ => log.append(new).await,
        }
    }
}

#[tokio::test]
async fn an_event_that_is_too_large_on_what_is_remembered_is_decided_again() {
    let log = Arc::new(MemoryEventStore::default());
    let (clock, random) = (Arc::new(ManualClock::default()), Arc::new(SeededRandom::new(1)));
    let bounded = Amended::of(log.clone(), SmallBus);
    let one = CommandHandler::<Prefaced>::new(bounded, clock, random);
    let (other, stream) = (handler::<Prefaced>(&log, 2), fresh());
    one.handle(&write(&stream, "one", &["a"])).await.expect("it is accepted");
    other.handle(&write(&stream, "two", &["b"])).await.expect("it is accepted");
    let answer = one.handle(&write(&stream, "three", &[&"c".repeat(100)])).await;
    assert_eq!(answer.expect("it is small by now").version, Version::new(3));
}

#[tokio::test]
async fn memory_that_is_far_behind_costs_about_as_many_reads_as_none() {
    let log = Arc::new(MemoryEventStore::with_pages_of(25));
    let (one, other) = (handler::<Accounts>(&log, 1), handler::<Accounts>(&log, 2));
    let stream = account::fresh();
    let open = AccountCommand::Open(account::fresh_address());
    one.handle(&ask(&stream, "open", open)).await.expect("it is new");
    for attempt in 0..1_000 {
        let deposit = ask(&stream, &format!("d{attempt}"), AccountCommand::Deposit(1));
        other.handle(&deposit).await.expect("it is open");
    }
    let mut reads = Vec::new();
    for (handler, attempt) in [(one, "late"), (handler(&log, 3), "cold")] {
        let before = log.reads();
        let deposit = ask(&stream, attempt, AccountCommand::Deposit(1));
        handler.handle(&deposit).await.expect("it is open");
        reads.push(log.reads() - before);
    }
    assert!(reads[0] <= reads[1] + 1, "{} reads, and {} by a cold one", reads[0], reads[1]);
}

#[tokio::test]
async fn an_append_whose_answer_was_lost_is_found_by_the_container_that_made_it() {
    let (world, stream) = (Containers::new(), fresh());
    world.one.handle(&write(&stream, "one", &["a"])).await.expect("it is accepted");
    world.log.lose_answers(1);
    let lost = world.one.handle(&write(&stream, "two", &["b"])).await;
    assert!(
        matches!(lost, Err(CommandError::Store(StoreError::Port(PortError::Unavailable(_))))),
        "{lost:?}"
    );
    let found = world.one.handle(&write(&stream, "two", &["b"])).await.expect("it took effect");
    assert_eq!((found.version, world.log.commits().len()), (Version::new(2), 2));
}

#[tokio::test]
async fn memory_is_bounded_and_the_oldest_goes_first() {
    let log = Arc::new(MemoryEventStore::default());
    let (clock, random) = (Arc::<ManualClock>::default(), Arc::new(SeededRandom::new(3)));
    // Room for two streams of this size and not for three.
    let small: CommandHandler<Notebook> =
        CommandHandler::with_cache(4_000, log.clone(), clock, random);
    let (note, streams) = ("x".repeat(1_000), [fresh(), fresh(), fresh()]);
    for stream in &streams {
        small.handle(&write(stream, "one", &[&note])).await.expect("it is accepted");
    }
    let read = async |stream: &StreamId, attempt: &str| {
        let before = log.reads();
        small.handle(&write(stream, attempt, &["b"])).await.expect("it is accepted");
        log.reads() - before
    };
    assert_eq!(read(&streams[2], "two").await, 0, "the newest was forgotten");
    assert_eq!(read(&streams[1], "two").await, 0, "the second was forgotten");
    assert_eq!(read(&streams[0], "two").await, 1, "the oldest is still there");
}
