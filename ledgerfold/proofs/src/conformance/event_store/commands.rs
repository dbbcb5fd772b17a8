//! Rules about the guarantees of a command. They run the library's command handler over the store.

#![allow(clippy::panic, reason = "a rule that is broken ends its test")]

use ledgerfold::{
    Decider, Event, StreamId, Timestamp, Version,
    command::{Answer, CommandError, CommandHandler, LoadError, Loader, StreamHint},
    ports::{PortError, StoreError},
    vocabulary::IDEMPOTENCY_WINDOW,
};
use ledgerfold_testkit::bank::{
    Account, AccountCommand, AccountEvent, Accounts, Plain, WithoutClaims, email,
};

use super::{
    LosesAnswers, Store, draft,
    tools::{append, assert_holds, handler, load, read_all, world},
};
use crate::conformance::requests::{ask, fresh, fresh_address, reserved, write};

/// A cache size in bytes that no rule here fills.
const PLENTY: usize = 10_000_000;

/// Handles a command in a new container with an empty cache.
async fn cold<D: Decider>(
    store: &Store,
    stream: &StreamId,
    attempt: &str,
    command: D::Command,
) -> Result<Answer, CommandError<D::Rejection>> {
    handler::<D>(store, 0).handle(&ask(stream, attempt, command)).await
}

/// Opens an account and makes this many deposits of 1. Their command ids are `d0`, `d1` and so on.
async fn open_account(store: &Store, deposits: usize) -> StreamId {
    let (stream, handler) = (fresh(), handler::<Accounts>(store, PLENTY));
    let open = ask(&stream, "open", AccountCommand::Open(fresh_address()));
    handler.handle(&open).await.expect("the account is new");
    deposit(&handler, &stream, 0..deposits).await;
    stream
}

async fn deposit(
    handler: &CommandHandler<Accounts>,
    stream: &StreamId,
    attempts: std::ops::Range<usize>,
) {
    for attempt in attempts {
        let command = ask(stream, &format!("d{attempt}"), AccountCommand::Deposit(1));
        handler.handle(&command).await.expect("the account is open");
    }
}

async fn balance(store: &Store, stream: &StreamId) -> u64 {
    let loaded = Loader::<Accounts>::new().load(&**store, stream).await;
    loaded.expect("the stream can be read").state().balance
}

/// All events of a command are one commit, and the answer has their versions.
pub async fn a_command_becomes_one_commit(store: &Store) {
    let stream = fresh();
    append(store, &stream, "before", &["a"]).await;
    let answer =
        handler::<Accounts<Plain>>(store, 0).handle(&write(&stream, "one", &["b", "c"])).await;
    let answer = answer.expect("the command is accepted");
    let stored = read_all(store, &stream).await;
    assert_eq!((stored.len(), answer.version), (2, Version::new(3)));
    assert_eq!(answer, Answer::from(&stored[1]));
}

/// A repeated command gets its first answer in any container, even if other commands have followed it.
pub async fn a_repeated_command_gets_its_first_answer(store: &Store) {
    let stream = fresh();
    let mut answers = Vec::new();
    for (attempt, notes) in [("one", &["a"][..]), ("two", &["b", "c"]), ("three", &["d"])] {
        let command = write(&stream, attempt, notes);
        let first = handler::<Accounts<Plain>>(store, 0).handle(&command).await;
        answers.push((command, first.expect("the command is accepted")));
    }
    let stored = read_all(store, &stream).await;
    for (command, first) in &mut answers {
        for hint in [StreamHint::None, StreamHint::New] {
            command.hint = hint;
            let again = handler::<Accounts<Plain>>(store, PLENTY).handle(command).await;
            assert_eq!(again.expect("it was accepted before"), *first);
        }
    }
    assert_holds(store, &stream, &stored).await;
}

/// A command id belongs to one request.
pub async fn a_command_id_that_is_used_for_another_request_is_refused(store: &Store) {
    let stream = fresh();
    for (attempt, note) in [("one", "a"), ("two", "b")] {
        let command = write(&stream, attempt, &[note]);
        handler::<Accounts<Plain>>(store, 0)
            .handle(&command)
            .await
            .expect("the command is accepted");
    }
    let stored = read_all(store, &stream).await;
    for hint in [StreamHint::None, StreamHint::New] {
        let mut other = write(&stream, "one", &["another"]);
        other.hint = hint;
        let reused = handler::<Accounts<Plain>>(store, 0).handle(&other).await;
        assert!(matches!(reused, Err(CommandError::Reused)), "{reused:?}");
    }
    assert_holds(store, &stream, &stored).await;
}

/// After a lost answer the caller sends the command again, to the same handler or to another, and the command is
/// recognised. This holds for a plain append and for the transaction of a strict command.
// Guards: a-command-takes-effect-once
pub async fn a_command_whose_answer_was_lost_has_taken_effect_once(store: &Store) {
    for remembered in [0, PLENTY] {
        let stream = open_account(store, 1).await;
        let commands = [AccountCommand::Deposit(10), AccountCommand::DepositOnce(100)];
        for (command, name) in commands.into_iter().zip(["plain", "strict"]) {
            let lossy = handler::<Accounts>(&LosesAnswers::of(store, 1), remembered);
            let command = ask(&stream, &format!("{name}-{stream}")[..40], command);
            let lost = lossy.handle(&command).await;
            let unavailable = matches!(
                lost,
                Err(CommandError::Store(StoreError::Port(PortError::Unavailable(_))))
            );
            assert!(unavailable, "the answer was not lost: {lost:?}");
            let found = lossy.handle(&command).await.expect("the command took effect");
            let elsewhere = handler::<Accounts>(store, 0).handle(&command).await;
            assert_eq!(elsewhere.expect("the command took effect"), found);
        }
        assert_eq!(balance(store, &stream).await, 111);
    }
}

/// Two containers with outdated caches both get their commands through.
// Guards: an-outdated-cache-changes-no-answer
pub async fn handlers_with_stale_memory_take_turns(store: &Store) {
    let stream = open_account(store, 0).await;
    let handlers = [handler::<Accounts>(store, PLENTY), handler(store, PLENTY)];
    for turn in 0..6 {
        deposit(&handlers[turn / 2 % 2], &stream, turn..turn + 1).await;
    }
    for handler in &handlers {
        deposit(handler, &stream, 0..6).await;
    }
    assert_eq!(balance(store, &stream).await, 6);
    assert_eq!(read_all(store, &stream).await.len(), 7);
}

/// If several containers handle commands at once, every acknowledged command counts once.
// Guards: each-version-is-decided-once
pub async fn commands_at_once_are_all_counted(store: &Store) {
    let stream = open_account(store, 0).await;
    let racers = (0..6).map(|racer| {
        let command = ask(&stream, &format!("racer-{racer}"), AccountCommand::Deposit(1));
        let handler = handler::<Accounts>(store, 0);
        async move { handler.handle(&command).await }
    });
    let outcomes = futures::future::join_all(racers).await;
    let mut versions = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok(answer) => versions.push(answer.version),
            Err(CommandError::Contention { .. }) => {}
            Err(other) => panic!("a race ended in {other}"),
        }
    }
    let done = versions.len();
    versions.sort_unstable();
    versions.dedup();
    assert_eq!(versions.len(), done, "two commands got one version");
    assert_eq!(balance(store, &stream).await, u64::try_from(done).expect("few"));
}

/// The fold of all events of a stream, without snapshots.
async fn fold_of_all(store: &Store, stream: &StreamId) -> Account {
    let mut state = <Accounts>::initial();
    for commit in read_all(store, stream).await {
        for (_, event) in commit.events() {
            let event = AccountEvent::decode(&event.event_type, event.schema_version, &event.data);
            let events = event.expect("the event was written here");
            state = events.as_slice().iter().fold(state, <Accounts>::evolve);
        }
    }
    state
}

/// The loaded state equals the fold of all events at every version: before, at and after a snapshot.
// Guards: a-snapshot-changes-no-read
pub async fn a_snapshot_and_its_tail_say_what_all_events_say(store: &Store) {
    let stream = open_account(store, 0).await;
    for attempt in 0..12 {
        let command = AccountCommand::Deposit(1);
        cold::<Accounts>(store, &stream, &format!("d{attempt}"), command).await.expect("open");
        let loaded = Loader::<Accounts>::new().load(&**store, &stream).await.expect("readable");
        let expected = fold_of_all(store, &stream).await;
        assert_eq!((loaded.state(), loaded.version().get()), (&expected, expected.events));
    }
    let snapshots = read_all(store, &stream).await;
    let snapshots = snapshots.iter().filter(|commit| commit.snapshot().is_some()).count();
    assert!(snapshots >= 2, "{snapshots} snapshots in 13 events");
}

/// A snapshot contains the ids of the commands before it.
// Guards: a-command-takes-effect-once
pub async fn commands_are_recognised_across_snapshots(store: &Store) {
    let stream = open_account(store, 14).await;
    let stored = read_all(store, &stream).await;
    for attempt in [0, 3, 6, 9, 13] {
        let id = format!("d{attempt}");
        let again = cold::<Accounts>(store, &stream, &id, AccountCommand::Deposit(1)).await;
        assert_eq!(again.expect("it was accepted before"), Answer::from(&stored[attempt + 1]));
        let other = cold::<Accounts>(store, &stream, &id, AccountCommand::Deposit(2)).await;
        assert!(matches!(other, Err(CommandError::Reused)), "{other:?}");
    }
    assert_holds(store, &stream, &stored).await;
}

/// A strict command is recognised after more commands than the idempotency window holds.
// Guards: a-command-takes-effect-once
pub async fn a_strict_command_is_recognised_behind_the_window(store: &Store) {
    let stream = open_account(store, 0).await;
    let id = format!("strict-{stream}");
    let strict = ask(&stream, &id[..40], AccountCommand::DepositOnce(1_000));
    let first = handler::<Accounts>(store, 0).handle(&strict).await.expect("the account is open");
    let warm = handler::<Accounts>(store, PLENTY);
    deposit(&warm, &stream, 0..IDEMPOTENCY_WINDOW + 5).await;
    let again = handler::<Accounts>(store, 0).handle(&strict).await;
    assert_eq!(again.expect("it was accepted before"), first);
    let other = ask(&stream, &id[..40], AccountCommand::DepositOnce(2_000));
    let reused = handler::<Accounts>(store, 0).handle(&other).await;
    assert!(matches!(reused, Err(CommandError::Reused)), "{reused:?}");
    assert_eq!(balance(store, &stream).await, 1_105);
}

/// The same command id on another stream is another command. It takes effect there, and never gets the answer of the first.
// Guards: the-same-request-has-the-same-identity
pub async fn a_strict_command_takes_effect_on_each_stream(store: &Store) {
    let (one, two) = (open_account(store, 0).await, open_account(store, 0).await);
    let id = format!("strict-{one}");
    let deposit = |stream| ask(stream, &id[..40], AccountCommand::DepositOnce(1_000));
    handler::<Accounts>(store, 0).handle(&deposit(&one)).await.expect("the account is open");
    for _ in 0..2 {
        let other = handler::<Accounts>(store, 0).handle(&deposit(&two)).await;
        assert_eq!(other.expect("the account is open").stream, two);
    }
    assert_eq!((balance(store, &one).await, balance(store, &two).await), (1_000, 1_000));
}

/// A repeated strict command gets its first answer, even if the domain would refuse the command now.
pub async fn a_strict_command_gets_its_first_answer_whatever_has_become_of_its_stream(
    store: &Store,
) {
    let stream = open_account(store, 0).await;
    let id = format!("strict-{stream}");
    let strict = ask(&stream, &id[..40], AccountCommand::DepositOnce(1_000));
    let first = handler::<Accounts>(store, 0).handle(&strict).await.expect("the account is open");
    let warm = handler::<Accounts>(store, PLENTY);
    deposit(&warm, &stream, 0..IDEMPOTENCY_WINDOW + 5).await;
    warm.handle(&ask(&stream, "close", AccountCommand::Close)).await.expect("the account is open");
    let again = handler::<Accounts>(store, 0).handle(&strict).await;
    assert_eq!(again.expect("it was accepted before"), first);
    let mut expecting = strict.clone();
    expecting.expected = Some(Version::new(1));
    let again = handler::<Accounts>(store, 0).handle(&expecting).await;
    assert_eq!(again.expect("it was accepted before"), first);
}

/// A missing commit is detected. The test makes a gap by an append that follows a commit which was never stored. A
/// store may also refuse this append.
// Guards: only-a-loaded-stream-yields-the-next-version
pub async fn a_stream_with_a_hole_is_never_decided_on(store: &Store) {
    let stream = fresh();
    append(store, &stream, "one", &["a"]).await;
    let mut commits = read_all(store, &stream).await;
    let lost = draft::<Accounts<Plain>>(commits.clone(), &write(&stream, "two", &["b"])).await;
    commits.push(lost.into_commit());
    let third = draft::<Accounts<Plain>>(commits, &write(&stream, "three", &["c"])).await;
    if store.append(&third).await.is_err() {
        return;
    }
    let outcome =
        handler::<Accounts<Plain>>(store, 0).handle(&write(&stream, "four", &["d"])).await;
    let hole = matches!(outcome, Err(CommandError::Load(LoadError::Hole { .. })));
    assert!(hole, "{outcome:?}");
}

/// A missing commit after a snapshot is detected as well.
// Guards: only-a-loaded-stream-yields-the-next-version
pub async fn a_hole_behind_a_snapshot_is_never_decided_on(store: &Store) {
    let stream = open_account(store, 5).await;
    let mut commits = read_all(store, &stream).await;
    let deposit = |attempt: &str| ask(&stream, attempt, AccountCommand::Deposit(1));
    let lost = draft::<Accounts>(commits.clone(), &deposit("lost")).await;
    commits.push(lost.into_commit());
    let behind = draft::<Accounts>(commits, &deposit("behind")).await;
    assert!(behind.as_commit().snapshot().is_none(), "a load would begin at this snapshot");
    if store.append(&behind).await.is_err() {
        return;
    }
    let outcome = handler::<Accounts>(store, 0).handle(&deposit("next")).await;
    let hole = matches!(outcome, Err(CommandError::Load(LoadError::Hole { .. })));
    assert!(hole, "{outcome:?}");
}

/// If the clock is set back, the order of the commits stays the same.
pub async fn commands_follow_each_other_while_time_runs_backwards(store: &Store) {
    let stream = fresh();
    let (clock, random) = world();
    let handler =
        CommandHandler::<Accounts<Plain>>::with_cache(0, store.clone(), clock.clone(), random);
    let texts = ["a", "b", "c", "d"];
    for (at, text) in texts.into_iter().enumerate() {
        let second = 1_000 - i64::try_from(at / 2).expect("small") * 100;
        clock.set(Timestamp::from_second(second).expect("in our era"));
        handler.handle(&write(&stream, text, &[text])).await.expect("the command is accepted");
    }
    assert_eq!(load(store, &stream).await.state().events, 4);
    let stored = read_all(store, &stream).await;
    let commands: Vec<_> = stored.iter().map(|it| it.command().id.as_str()).collect();
    assert_eq!(commands, texts);
}

/// An expected version is compared with a strongly consistent read, even if the handler has an older state in its
/// cache.
pub async fn an_expected_version_is_measured_by_the_present(store: &Store) {
    let stream = fresh();
    let warm = handler::<Accounts<Plain>>(store, PLENTY);
    warm.handle(&write(&stream, "one", &["a"])).await.expect("the command is accepted");
    append(store, &stream, "two", &["b"]).await;
    let mut late = write(&stream, "three", &["c"]);
    late.expected = Some(Version::new(1));
    match warm.handle(&late).await {
        Err(CommandError::ExpectedVersion { actual, .. }) => assert_eq!(actual, Version::new(2)),
        other => panic!("an outdated expected version was accepted: {other:?}"),
    }
    late.expected = Some(Version::new(2));
    let answer = warm.handle(&late).await.expect("the expected version is current");
    assert_eq!(answer.version, Version::new(3));
}

/// An address belongs to one account until it is released. A repeated opening gets its first answer.
pub async fn an_address_belongs_to_one_account_at_a_time(store: &Store) {
    let (one, two) = (fresh(), fresh());
    let (ada, bob) = (fresh_address(), fresh_address());
    let open = || AccountCommand::Open(ada.clone());
    let first = cold::<Accounts>(store, &one, "open", open()).await.expect("it is free");
    let again = cold::<Accounts>(store, &one, "open", open()).await.expect("it is its own");
    assert_eq!(again, first);
    match cold::<Accounts>(store, &two, "early", open()).await {
        Err(CommandError::Reserved { key, holder }) => {
            assert_eq!((key, &holder), (reserved(&email(&ada)), &one));
        }
        other => panic!("two accounts have the same address: {other:?}"),
    }
    let moved = AccountCommand::Move(bob);
    cold::<Accounts>(store, &one, "move", moved).await.expect("the new one is free");
    cold::<Accounts>(store, &two, "late", open()).await.expect("the old one was given back");
    cold::<Accounts>(store, &one, "close", AccountCommand::Close)
        .await
        .expect("the account is open");
    assert_eq!(fold_of_all(store, &two).await.email, Some(ada));
}

/// An account from before its domain had claims can release a key that was never reserved.
pub async fn an_account_from_before_the_claims_can_be_closed(store: &Store) {
    let (old, new, address) = (fresh(), fresh(), fresh_address());
    let open = || AccountCommand::Open(address.clone());
    cold::<Accounts<WithoutClaims>>(store, &old, "open", open()).await.expect("it is new");
    cold::<Accounts>(store, &old, "close", AccountCommand::Close)
        .await
        .expect("the account is open");
    cold::<Accounts>(store, &new, "open", open()).await.expect("it is free");
    assert_eq!(fold_of_all(store, &new).await.email, Some(address));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use ledgerfold_testkit::MemoryEventStore;

    /// The rules about gaps must really make a gap in a store that allows it.
    #[tokio::test]
    async fn the_store_in_memory_accepts_a_commit_after_a_gap() {
        let store: Store = Arc::new(MemoryEventStore::default());
        let stream = fresh();
        let first = draft::<Accounts<Plain>>(Vec::new(), &write(&stream, "one", &["a"])).await;
        let commits = vec![first.into_commit()];
        let second = draft::<Accounts<Plain>>(commits, &write(&stream, "two", &["b"])).await;
        store.append(&second).await.expect("its key is free");
        assert_eq!(read_all(&store, &stream).await[0].from(), Version::new(2));
    }
}
