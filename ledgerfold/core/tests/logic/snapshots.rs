//! Tests of snapshots: a stream has the same state with and without them.
//!
//! Guards: a-snapshot-changes-no-read

use std::sync::Arc;

use ledgerfold::{
    Decider, Payload, SnapshotPolicy, Snapshots, StreamId, Version,
    command::{
        Answer, CommandError, CommandHandler, Loader, SnapshotChecks, SnapshotFault,
        SnapshotFinding, StreamHint,
    },
    vocabulary::{Commit, IDEMPOTENCY_WINDOW, RecentCommands, Snapshot, StateSchema},
};
use ledgerfold_proofs::conformance::requests::{ask, fresh, fresh_address};
use ledgerfold_testkit::bank::{Account, AccountCommand, AccountRejection, Accounts, Release};
use ledgerfold_testkit::{ManualClock, MemoryEventStore, SeededRandom};

/// The release with another revision of the snapshots.
struct Newer;

impl Release for Newer {
    fn snapshots() -> Option<Snapshots<Account>> {
        let policy = SnapshotPolicy { events: 7, bytes: 4_096 };
        Some(Snapshots::of::<Accounts<Self>>(2).every(policy))
    }
}

/// A handler with an empty cache.
fn handler<D: Decider>(log: &Arc<MemoryEventStore>) -> CommandHandler<D> {
    let (clock, random) = (Arc::new(ManualClock::default()), Arc::new(SeededRandom::new(1)));
    CommandHandler::with_cache(0, log.clone(), clock, random)
}

async fn deposit<D>(log: &Arc<MemoryEventStore>, stream: &StreamId, attempt: usize) -> Answer
where
    D: Decider<Command = AccountCommand, Rejection = AccountRejection>,
{
    let command = ask(stream, &format!("d{attempt}"), AccountCommand::Deposit(1));
    handler::<D>(log).handle(&command).await.expect("the account is open")
}

/// An account with this many deposits of 1. Each deposit has a new handler with an empty cache.
async fn account(log: &Arc<MemoryEventStore>, deposits: usize) -> StreamId {
    let stream = fresh();
    let open = ask(&stream, "open", AccountCommand::Open(fresh_address()));
    handler::<Accounts>(log).handle(&open).await.expect("the account is new");
    for attempt in 0..deposits {
        deposit::<Accounts>(log, &stream, attempt).await;
    }
    stream
}

async fn load<D: Decider>(log: &MemoryEventStore, stream: &StreamId) -> (D::State, Version, usize) {
    let before = log.reads();
    let loaded = Loader::<D>::new().load(log, stream).await.expect("the read succeeds");
    (loaded.state().clone(), loaded.version(), log.reads() - before)
}

fn snapshots(log: &MemoryEventStore) -> Vec<u64> {
    let commits = log.commits();
    let kept = commits.iter().filter(|commit| commit.snapshot().is_some());
    kept.map(|commit| commit.to().get()).collect()
}

#[tokio::test]
async fn a_due_snapshot_is_stored_and_a_load_begins_there() {
    let log = Arc::new(MemoryEventStore::default());
    let stream = account(&log, 22).await;
    let taken = snapshots(&log);
    assert_eq!(taken.first(), Some(&5), "the policy of accounts is five events: {taken:?}");
    assert!(taken.len() > 2, "{taken:?}");
    let (state, version, reads) = load::<Accounts>(&log, &stream).await;
    assert_eq!((state.balance, state.events, version, reads), (22, 23, Version::new(23), 1));
}

#[tokio::test]
async fn a_snapshot_counts_no_event_twice_at_any_version() {
    let log = Arc::new(MemoryEventStore::default());
    let stream = account(&log, 0).await;
    for attempt in 0..40 {
        deposit::<Accounts>(&log, &stream, attempt).await;
        let (state, version, _) = load::<Accounts>(&log, &stream).await;
        assert_eq!((state.events, version.get()), (version.get(), state.balance + 1));
    }
}

#[tokio::test]
async fn a_snapshot_of_another_program_is_ignored_by_both() {
    let log = Arc::new(MemoryEventStore::default());
    let stream = account(&log, 12).await;
    let (old, ..) = load::<Accounts>(&log, &stream).await;
    let (new, ..) = load::<Accounts<Newer>>(&log, &stream).await;
    assert_eq!(old, new);
    for attempt in 100..130 {
        if attempt % 2 == 0 {
            deposit::<Accounts>(&log, &stream, attempt).await;
        } else {
            deposit::<Accounts<Newer>>(&log, &stream, attempt).await;
        }
    }
    let schemas = [
        <Accounts>::snapshots().expect("it has some").schema().clone(),
        Newer::snapshots().expect("it has some").schema().clone(),
    ];
    let commits = log.commits();
    let kept = |commit: &Commit| commit.snapshot().map(|snapshot| snapshot.schema.clone());
    for schema in schemas {
        assert!(commits.iter().filter_map(kept).any(|kept| kept == schema), "none of {schema}");
    }
    for (state, version, reads) in
        [load::<Accounts>(&log, &stream).await, load::<Accounts<Newer>>(&log, &stream).await]
    {
        assert_eq!((state.balance, state.events, version), (42, 43, Version::new(43)));
        assert!(reads <= 2, "{reads} reads");
    }
}

#[tokio::test]
async fn a_long_stream_without_a_readable_snapshot_is_read_from_its_start() {
    let log = Arc::new(MemoryEventStore::with_pages_of(10));
    let stream = account(&log, 60).await;
    let (state, version, reads) = load::<Accounts<Newer>>(&log, &stream).await;
    assert_eq!((state.balance, version), (60, Version::new(61)));
    assert_eq!(reads, 3 + 7, "three reads back for a snapshot, and seven pages from the start");
}

#[tokio::test]
async fn commands_are_recognised_across_snapshots_within_the_window() {
    let log = Arc::new(MemoryEventStore::default());
    let stream = account(&log, IDEMPOTENCY_WINDOW + 30).await;
    let commits = log.commits().len();
    let newest = IDEMPOTENCY_WINDOW + 29;
    let oldest = newest + 1 - IDEMPOTENCY_WINDOW;
    for attempt in [newest, newest - 4, newest - 40, oldest] {
        let again = deposit::<Accounts>(&log, &stream, attempt).await;
        assert_eq!(again.version.get(), u64::try_from(attempt).expect("small") + 2);
    }
    assert_eq!(log.commits().len(), commits, "a repeated command took effect");
    let other = ask(&stream, &format!("d{oldest}"), AccountCommand::Deposit(2));
    let reused = handler::<Accounts>(&log).handle(&other).await;
    assert!(matches!(reused, Err(CommandError::Reused)), "{reused:?}");
}

#[tokio::test]
async fn a_creation_is_recognised_for_ever_with_and_without_a_cached_state() {
    let log = Arc::new(MemoryEventStore::default());
    let (clock, random) = (Arc::new(ManualClock::default()), Arc::new(SeededRandom::new(1)));
    let warm = CommandHandler::<Accounts>::new(log.clone(), clock, random);
    let stream = fresh();
    let mut open = ask(&stream, "open", AccountCommand::Open(fresh_address()));
    open.hint = StreamHint::New;
    let first = warm.handle(&open).await.expect("the account is new");
    for attempt in 0..2 * IDEMPOTENCY_WINDOW {
        let deposit = ask(&stream, &format!("d{attempt}"), AccountCommand::Deposit(1));
        warm.handle(&deposit).await.expect("the account is open");
    }
    for handler in [warm, handler::<Accounts>(&log)] {
        let again = handler.handle(&open).await.expect("it was accepted before");
        assert_eq!(again, first);
    }
}

#[tokio::test]
async fn a_strict_command_is_recognised_for_ever() {
    let log = Arc::new(MemoryEventStore::default());
    let stream = account(&log, 3).await;
    let strict = ask(&stream, "strict", AccountCommand::DepositOnce(1_000));
    let first = handler::<Accounts>(&log).handle(&strict).await.expect("the account is open");
    for attempt in 100..100 + 2 * IDEMPOTENCY_WINDOW {
        deposit::<Accounts>(&log, &stream, attempt).await;
    }
    let again = handler::<Accounts>(&log).handle(&strict).await.expect("it was accepted before");
    assert_eq!(again, first);
    let other = ask(&stream, "strict", AccountCommand::DepositOnce(2_000));
    let reused = handler::<Accounts>(&log).handle(&other).await;
    assert!(matches!(reused, Err(CommandError::Reused)), "{reused:?}");
    let (state, ..) = load::<Accounts>(&log, &stream).await;
    assert_eq!(state.balance, 1_003 + 200);
}

/// The wrong snapshots of the stream, for the release with snapshots.
async fn wrong(log: &MemoryEventStore, stream: &StreamId) -> Vec<SnapshotFinding> {
    let checks = SnapshotChecks::default().with::<Accounts>();
    checks.examine(log, stream).await.expect("the read succeeds")
}

// Guards: a-snapshot-is-the-fold-of-its-stream
#[tokio::test]
async fn an_edited_snapshot_is_named_with_its_stream_and_version() {
    let log = Arc::new(MemoryEventStore::with_pages_of(3));
    let stream = account(&log, IDEMPOTENCY_WINDOW + 30).await;
    assert_eq!(wrong(&log, &stream).await, []);
    let commits = log.commits();
    let commit =
        commits.iter().rfind(|commit| commit.snapshot().is_some()).expect("there are some");
    let snapshot = commit.snapshot().expect("it has one");
    let account: Account = snapshot.state.decode().expect("an account");
    let richer = Account { balance: account.balance + 1, ..account };
    let state = Payload::encode(&richer).expect("an account is JSON");
    let text = format!(" {}", snapshot.state.as_str());
    let same = Payload::from_text(text).expect("JSON");
    let recent = RecentCommands::default();
    let schema = StateSchema::restore("another");
    for (edited, fault) in [
        (Snapshot { state: state.clone(), ..snapshot.clone() }, Some(SnapshotFault::State)),
        (Snapshot { recent, ..snapshot.clone() }, Some(SnapshotFault::Commands)),
        (Snapshot { state: same, ..snapshot.clone() }, None),
        (Snapshot { state, schema, ..snapshot.clone() }, None),
    ] {
        log.overwrite(&commit.clone().with_snapshot(Some(edited)));
        let stream = stream.clone();
        let found = fault.map(|fault| SnapshotFinding { stream, version: commit.to(), fault });
        assert_eq!(wrong(&log, commit.stream()).await, Vec::from_iter(found));
    }
}
