//! Tests of cached states: an outdated state may cost an attempt, but never changes an answer.
//!
//! Guards: an-outdated-cache-changes-no-answer

use std::sync::Arc;

use async_trait::async_trait;
use ledgerfold::{
    Decider, DecisionContext, StreamId, Version,
    command::{CommandError, CommandHandler, StreamHint},
    ports::{AppendError, EventStore, PortError, StoreError},
    vocabulary::NewCommit,
};
use ledgerfold_proofs::conformance::requests::{ask, fresh, fresh_address, write};
use ledgerfold_testkit::bank::{
    Account, AccountCommand, AccountEvent, AccountRejection, Accounts, FORBIDDEN, NoteWritten,
    Plain, Release,
};
use ledgerfold_testkit::{Amended, Amendment, ManualClock, MemoryEventStore, SeededRandom};

/// Two containers over one log, each with its own cache.
struct Containers {
    log: Arc<MemoryEventStore>,
    one: CommandHandler<Accounts<Plain>>,
    other: CommandHandler<Accounts<Plain>>,
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

    /// A stream that `one` has cached at version 1 and `other` has moved to version 3.
    async fn overtaken(&self) -> StreamId {
        let stream = fresh();
        self.one.handle(&write(&stream, "one", &["a"])).await.expect("the command is accepted");
        for attempt in ["two", "three"] {
            self.other
                .handle(&write(&stream, attempt, &["b"]))
                .await
                .expect("the command is accepted");
        }
        stream
    }
}

#[tokio::test]
async fn a_cached_stream_is_not_read_again() {
    let (world, stream) = (Containers::new(), fresh());
    world.one.handle(&write(&stream, "one", &["a"])).await.expect("the command is accepted");
    let reads = world.log.reads();
    for attempt in ["two", "three", "four"] {
        world.one.handle(&write(&stream, attempt, &["b"])).await.expect("the command is accepted");
    }
    assert_eq!((world.log.reads(), world.log.commits().len()), (reads, 4));
}

#[tokio::test]
async fn a_creation_with_the_new_hint_reads_nothing_and_is_correct_even_if_the_hint_is_wrong() {
    let (world, stream) = (Containers::new(), fresh());
    let mut creation = write(&stream, "one", &["a"]);
    creation.hint = StreamHint::New;
    let first = world.one.handle(&creation).await.expect("the command is accepted");
    assert_eq!(world.log.reads(), 0);
    let again = world.other.handle(&creation).await.expect("it was accepted before");
    assert_eq!((again, world.log.commits().len()), (first, 1));
    let mut another = write(&stream, "two", &["b"]);
    another.hint = StreamHint::New;
    let second = world.other.handle(&another).await.expect("the command is accepted");
    assert_eq!(second.version, Version::new(2));
}

#[tokio::test]
async fn a_decision_on_a_state_that_is_old_is_made_again_on_the_new_one() {
    let world = Containers::new();
    let stream = world.overtaken().await;
    let answer =
        world.one.handle(&write(&stream, "four", &["c"])).await.expect("the command is accepted");
    assert_eq!(answer.version, Version::new(4));
}

#[tokio::test]
async fn a_command_that_another_container_has_committed_is_recognised() {
    let world = Containers::new();
    let stream = world.overtaken().await;
    let again =
        world.one.handle(&write(&stream, "two", &["b"])).await.expect("it was accepted before");
    assert_eq!((again.version, world.log.commits().len()), (Version::new(2), 3));
    let reused = world.one.handle(&write(&stream, "three", &["another"])).await;
    assert!(matches!(reused, Err(CommandError::Reused)), "{reused:?}");
}

#[tokio::test]
async fn an_own_command_is_recognised_in_the_cache() {
    let (world, stream) = (Containers::new(), fresh());
    let first =
        world.one.handle(&write(&stream, "one", &["a"])).await.expect("the command is accepted");
    world.one.handle(&write(&stream, "two", &["b"])).await.expect("the command is accepted");
    let again =
        world.one.handle(&write(&stream, "one", &["a"])).await.expect("it was accepted before");
    assert_eq!((again, world.log.commits().len()), (first, 2));
}

#[tokio::test]
async fn an_expected_version_is_compared_with_the_current_state() {
    let world = Containers::new();
    let stream = world.overtaken().await;
    let mut current = write(&stream, "four", &["c"]);
    current.expected = Some(Version::new(3));
    world
        .one
        .handle(&current)
        .await
        .expect("the version fails on the cached state, but is current");
    let stream = world.overtaken().await;
    let mut old = write(&stream, "four", &["c"]);
    old.expected = Some(Version::new(1));
    let refused = world.one.handle(&old).await;
    let Err(CommandError::ExpectedVersion { actual, .. }) = refused else {
        panic!("the version holds on the cached state, but is outdated: {refused:?}");
    };
    assert_eq!(actual, Version::new(3));
}

#[tokio::test]
async fn a_refusal_and_an_empty_decision_are_confirmed() {
    let log = Arc::new(MemoryEventStore::default());
    let (one, other) = (handler::<Accounts>(&log, 1), handler::<Accounts>(&log, 2));
    let (stream, address) = (fresh(), fresh_address());
    let open = |attempt: &str| ask(&stream, attempt, AccountCommand::Open(address.clone()));
    one.handle(&open("open")).await.expect("the command is accepted");
    other.handle(&ask(&stream, "close", AccountCommand::Close)).await.expect("the account is open");
    let again = one.handle(&open("again")).await.expect("open in the cache, but closed");
    assert_eq!(again.version, Version::new(3));
    let refused = other.handle(&open("third")).await;
    let rejection = matches!(refused, Err(CommandError::Rejected(AccountRejection::Open)));
    assert!(rejection, "closed in the cache, but open: {refused:?}");

    let world = Containers::new();
    let stream = world.overtaken().await;
    let nothing =
        world.one.handle(&write(&stream, "nothing", &[])).await.expect("the command is accepted");
    assert_eq!(nothing.version, Version::new(3));
    let refused = world.one.handle(&write(&stream, "bad", &[FORBIDDEN])).await;
    assert!(matches!(refused, Err(CommandError::Rejected(_))), "{refused:?}");
}

/// The release that repeats the second note 400 times, so that it is too large.
struct LargeSecondNote;

impl Release for LargeSecondNote {
    fn decide(
        account: &Account,
        command: &AccountCommand,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<AccountEvent>, AccountRejection> {
        let times = if account.events == 1 { 400 } else { 1 };
        let AccountCommand::Write(texts) = command else { return Ok(Vec::new()) };
        Ok(texts.iter().map(|text| NoteWritten { text: text.repeat(times) }.into()).collect())
    }
}

#[tokio::test]
async fn a_decision_that_is_too_large_on_a_cached_state_is_made_again() {
    let log = Arc::new(MemoryEventStore::default());
    let (one, other) = (
        handler::<Accounts<LargeSecondNote>>(&log, 1),
        handler::<Accounts<LargeSecondNote>>(&log, 2),
    );
    let stream = fresh();
    one.handle(&write(&stream, "one", &["a"])).await.expect("the command is accepted");
    other.handle(&write(&stream, "two", &["b"])).await.expect("the command is accepted");
    let answer = one.handle(&write(&stream, "three", &[&"c".repeat(1_000)])).await;
    assert_eq!(answer.expect("the current decision is small").version, Version::new(3));
}

/// A log that refuses events which are too large for its bus.
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
async fn an_event_that_is_too_large_on_a_cached_state_is_decided_again() {
    let log = Arc::new(MemoryEventStore::default());
    let (clock, random) = (Arc::new(ManualClock::default()), Arc::new(SeededRandom::new(1)));
    let bounded = Amended::of(log.clone(), SmallBus);
    let one = CommandHandler::<Accounts<LargeSecondNote>>::new(bounded, clock, random);
    let (other, stream) = (handler::<Accounts<LargeSecondNote>>(&log, 2), fresh());
    one.handle(&write(&stream, "one", &["a"])).await.expect("the command is accepted");
    other.handle(&write(&stream, "two", &["b"])).await.expect("the command is accepted");
    let answer = one.handle(&write(&stream, "three", &[&"c".repeat(100)])).await;
    assert_eq!(answer.expect("the current decision is small").version, Version::new(3));
}

#[tokio::test]
async fn a_cached_state_that_is_far_behind_costs_no_more_reads_than_none() {
    let log = Arc::new(MemoryEventStore::with_pages_of(25));
    let (one, other) = (handler::<Accounts>(&log, 1), handler::<Accounts>(&log, 2));
    let stream = fresh();
    let open = AccountCommand::Open(fresh_address());
    one.handle(&ask(&stream, "open", open)).await.expect("the account is new");
    for attempt in 0..1_000 {
        let deposit = ask(&stream, &format!("d{attempt}"), AccountCommand::Deposit(1));
        other.handle(&deposit).await.expect("the account is open");
    }
    let mut reads = Vec::new();
    for (handler, attempt) in [(one, "late"), (handler(&log, 3), "cold")] {
        let before = log.reads();
        let deposit = ask(&stream, attempt, AccountCommand::Deposit(1));
        handler.handle(&deposit).await.expect("the account is open");
        reads.push(log.reads() - before);
    }
    assert!(reads[0] <= reads[1], "{} reads, and {} without a cache", reads[0], reads[1]);
}

#[tokio::test]
async fn an_append_whose_answer_was_lost_is_found_by_the_container_that_made_it() {
    let (world, stream) = (Containers::new(), fresh());
    world.one.handle(&write(&stream, "one", &["a"])).await.expect("the command is accepted");
    world.log.lose_answers(1);
    let lost = world.one.handle(&write(&stream, "two", &["b"])).await;
    assert!(
        matches!(lost, Err(CommandError::Store(StoreError::Port(PortError::Unavailable(_))))),
        "{lost:?}"
    );
    let found =
        world.one.handle(&write(&stream, "two", &["b"])).await.expect("the command took effect");
    assert_eq!((found.version, world.log.commits().len()), (Version::new(2), 2));
}

#[tokio::test]
async fn the_cache_is_bounded_and_evicts_the_oldest_state_first() {
    let log = Arc::new(MemoryEventStore::default());
    let (clock, random) = (Arc::<ManualClock>::default(), Arc::new(SeededRandom::new(3)));
    // The cache has room for two streams of this size, but not for three.
    let small: CommandHandler<Accounts<Plain>> =
        CommandHandler::with_cache(4_000, log.clone(), clock, random);
    let (note, streams) = ("x".repeat(1_000), [fresh(), fresh(), fresh()]);
    for stream in &streams {
        small.handle(&write(stream, "one", &[&note])).await.expect("the command is accepted");
    }
    let read = async |stream: &StreamId, attempt: &str| {
        let before = log.reads();
        small.handle(&write(stream, attempt, &["b"])).await.expect("the command is accepted");
        log.reads() - before
    };
    assert_eq!(read(&streams[2], "two").await, 0, "the newest state was evicted");
    assert_eq!(read(&streams[1], "two").await, 0, "the second state was evicted");
    assert_eq!(read(&streams[0], "two").await, 1, "the oldest state was not evicted");
}
