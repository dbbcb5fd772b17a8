//! Rules about transactions over several streams.

#![allow(clippy::panic, reason = "a rule that is broken ends its test")]

use futures::future::join_all;
use ledgerfold::{
    Claim, Version,
    command::Loaded,
    ports::{AppendError, CommandRecord, MAX_TRANSACTION_ITEMS, Transaction, Unchanged},
    vocabulary::{CommitRef, NewCommit},
};
use ledgerfold_testkit::bank::{Accounts, email};

use super::{
    Store,
    tools::{
        append, asked, assert_are, assert_holds, draft, fresh_command, load, next, read_all,
        transact, transaction,
    },
};
use crate::conformance::{
    requests::{OftenSnapshotted, commit, fresh, fresh_address, write},
    verbatim::{text_of, verbatim},
};

/// A transaction stores all of its commits, with events, metadata and snapshots.
pub async fn a_transaction_commits_to_all_its_streams(store: &Store) {
    let (one, two) = (fresh(), fresh());
    append(store, &one, "before", &["a"]).await;
    let first = next(store, &one, "joint", &["b", "c"]).await;
    let request = write(&two, "joint", &["a note of some length"]);
    let second = draft::<Accounts<OftenSnapshotted>>(Vec::new(), &request).await;
    assert!(second.as_commit().snapshot().is_some(), "a snapshot was due");
    let both = transaction([first.clone(), second.clone()], [], [], None);
    transact(store, &both).await.expect("both versions are free");
    assert_eq!(read_all(store, &one).await[1..], [first.into_commit()]);
    assert_eq!(read_all(store, &two).await, [second.into_commit()]);
}

/// A refused transaction changes no stream, no key and no command id. It does not matter which of its streams caused
/// the refusal.
// Guards: a-transaction-is-whole
pub async fn a_refused_transaction_leaves_nothing_behind(store: &Store) {
    let (one, two, three) = (fresh(), fresh(), fresh());
    let (key, once) = (email(&fresh_address()), fresh_command());
    let stale = load(store, &two).await;
    let winner = append(store, &two, "winner", &["a"]).await;
    let commits = [
        next(store, &one, "joint", &["b"]).await,
        commit(&stale, "joint", &["c", "d"], 60),
        next(store, &three, "joint", &["e"]).await,
    ];
    let refused =
        transaction(commits, [], [(one.clone(), Claim::Reserve(key.clone()))], Some(&once));
    let outcome = transact(store, &refused).await;
    assert!(matches!(outcome, Err(AppendError::Conflict { .. })), "{outcome:?}");
    for (stream, expected) in [(&one, None), (&two, Some(&winner)), (&three, None)] {
        assert_holds(store, stream, expected).await;
    }
    let commits = [next(store, &three, "another", &["f"]).await];
    let another = transaction(commits, [], [(three.clone(), Claim::Reserve(key))], Some(&once));
    transact(store, &another).await.expect("the key and the command id are still free");
}

/// The error of a lost race has the stored commit, in any of the streams.
pub async fn a_transaction_that_lost_a_race_shows_the_winner(store: &Store) {
    let (one, two) = (fresh(), fresh());
    let (start_one, start_two) = (load(store, &one).await, load(store, &two).await);
    let winner = append(store, &two, "winner", &["a", "b"]).await;
    let commits = [commit(&start_one, "late", &["c"], 60), commit(&start_two, "late", &["d"], 60)];
    match transact(store, &transaction(commits, [], [], None)).await {
        Err(AppendError::Conflict { winner: shown }) => assert_are([&*shown], [&winner]),
        other => panic!("two commits got the same version: {other:?}"),
    }
}

/// A repeated transaction is refused with one of its own commits.
pub async fn a_repeated_transaction_meets_itself(store: &Store) {
    let (one, two) = (fresh(), fresh());
    let commits =
        [next(store, &one, "joint", &["a"]).await, next(store, &two, "joint", &["b"]).await];
    let both = transaction(commits.clone(), [], [], None);
    transact(store, &both).await.expect("both versions are free");
    match transact(store, &both).await {
        Err(AppendError::Conflict { winner }) => {
            let own = commits.iter().find(|new| new.as_commit().stream() == winner.stream());
            assert_are([&*winner], own.map(NewCommit::as_commit));
        }
        other => panic!("the same transaction was stored twice: {other:?}"),
    }
    for (stream, new) in [one, two].iter().zip(commits) {
        assert_holds(store, stream, [new.as_commit()]).await;
    }
}

/// A stream that is only a condition must still have the version that was read.
pub async fn a_stream_that_moved_on_refuses_the_transaction(store: &Store) {
    let (written, watched) = (fresh(), fresh());
    append(store, &watched, "one", &["a", "b"]).await;
    let seen = load(store, &watched).await.stream_version();
    append(store, &watched, "two", &["c"]).await;
    append(store, &watched, "three", &["d"]).await;
    let new = next(store, &written, "joint", &["e"]).await;
    match transact(store, &transaction([new], [seen.clone()], [], None)).await {
        Err(AppendError::Changed { stream, version }) => {
            assert_eq!((&stream, version), (seen.stream(), Version::new(2)));
        }
        other => panic!("a decision on an outdated state was stored: {other:?}"),
    }
    assert_holds(store, &written, []).await;
}

/// A condition changes nothing in its stream: the next commit there has the next version.
pub async fn a_stream_that_is_as_it_was_seen_lets_the_transaction_pass(store: &Store) {
    let (written, watched) = (fresh(), fresh());
    let first = append(store, &watched, "one", &["a", "b"]).await;
    let seen = load(store, &watched).await.stream_version();
    let new = next(store, &written, "joint", &["c"]).await;
    let joint = transaction([new.clone()], [seen], [], None);
    transact(store, &joint).await.expect("nothing has changed");
    assert_holds(store, &written, [new.as_commit()]).await;
    let second = append(store, &watched, "two", &["d"]).await;
    assert_holds(store, &watched, [&first, &second]).await;
}

/// A transaction can require that a stream does not exist.
pub async fn a_stream_that_does_not_exist_can_be_a_condition(store: &Store) {
    let (written, absent) = (fresh(), fresh());
    let seen = load(store, &absent).await.stream_version();
    let new = next(store, &written, "one", &["a"]).await;
    let joint = transaction([new], [seen.clone()], [], None);
    transact(store, &joint).await.expect("the stream still does not exist");
    append(store, &absent, "one", &["b"]).await;
    let new = next(store, &written, "two", &["c"]).await;
    match transact(store, &transaction([new], [seen], [], None)).await {
        Err(AppendError::Changed { stream, version }) => {
            assert_eq!((stream, version), (absent, Version::NONE));
        }
        other => panic!("a decision on an outdated state was stored: {other:?}"),
    }
}

/// If two decisions each require that the other's stream is unchanged, only one is stored.
// Guards: a-transaction-is-whole
pub async fn of_two_that_watch_each_other_one_moves(store: &Store) {
    for _ in 0..5 {
        let (one, two) = (fresh(), fresh());
        let seen =
            (load(store, &one).await.stream_version(), load(store, &two).await.stream_version());
        let first = transaction([next(store, &one, "a", &["x"]).await], [seen.1], [], None);
        let second = transaction([next(store, &two, "b", &["y"]).await], [seen.0], [], None);
        let outcomes = futures::join!(transact(store, &first), transact(store, &second));
        match outcomes {
            (Ok(()), Err(AppendError::Changed { stream, .. })) => assert_eq!(stream, one),
            (Err(AppendError::Changed { stream, .. }), Ok(())) => assert_eq!(stream, two),
            other => panic!("exactly one should be stored: {other:?}"),
        }
    }
}

/// Of ten concurrent transactions over the same two streams one is stored, in both. The others get it as the winner.
pub async fn of_racing_transactions_one_wins(store: &Store) {
    let (one, two) = (fresh(), fresh());
    let heads = [Loaded::unread(one.clone()), Loaded::unread(two.clone())];
    let racers: Vec<_> = (0..10)
        .map(|racer| {
            let attempt = format!("racer-{racer}");
            let commits = heads.iter().map(|head| commit(head, &attempt, &["mine"], 60));
            transaction(commits, [], [], None)
        })
        .collect();
    let outcomes = join_all(racers.iter().map(|racer| transact(store, racer))).await;
    let stored = [read_all(store, &one).await, read_all(store, &two).await].concat();
    let mut winners = 0;
    for (racer, outcome) in racers.iter().zip(outcomes) {
        let own: Vec<_> = racer.commits().iter().map(|new| new.as_commit().clone()).collect();
        match outcome {
            Ok(()) => {
                winners += 1;
                assert_are(&stored, &own);
            }
            Err(AppendError::Conflict { winner }) => {
                let expected = stored.iter().find(|it| it.stream() == winner.stream());
                assert_are([&*winner], expected);
            }
            Err(other) => panic!("a race ended in {other}"),
        }
    }
    assert_eq!(winners, 1);
}

/// A repeated strict command is refused on every stream, and the error has the record of its effect.
pub async fn a_command_that_is_recognised_for_ever_is_refused_with_its_record(store: &Store) {
    let (one, two, once) = (fresh(), fresh(), fresh_command());
    append(store, &one, "before", &["a", "b"]).await;
    let commits = [
        next(store, &one, once.as_str(), &["c"]).await,
        next(store, &two, once.as_str(), &["d"]).await,
    ];
    let watched = load(store, &fresh()).await.stream_version();
    assert_eq!(store.record(&once).await.expect("the record can be read"), None);
    let first = transaction(commits, [watched.clone()], [], Some(&once));
    transact(store, &first).await.expect("the command is new");
    let expected = CommandRecord {
        fingerprint: asked(&once).fingerprint,
        commits: vec![
            CommitRef { stream: one.clone(), from: Version::new(3) },
            CommitRef { stream: two.clone(), from: Version::new(1) },
        ],
        unchanged: vec![Unchanged { stream: watched.stream().clone(), version: Version::NONE }],
    };
    assert_eq!(store.record(&once).await.expect("it can be read").as_ref(), Some(&expected));
    for stream in [one, fresh()] {
        let again = next(store, &stream, once.as_str(), &["c"]).await;
        let before = read_all(store, &stream).await;
        match transact(store, &transaction([again], [], [], Some(&once))).await {
            Err(AppendError::Repeated { record }) => assert_eq!(*record, expected),
            other => panic!("the command was committed twice: {other:?}"),
        }
        assert_holds(store, &stream, &before).await;
    }
}

/// A strict command without events is recorded as well, with the version of the unchanged stream.
// Guards: the-same-request-has-the-same-identity
pub async fn a_command_without_events_is_recognised_for_ever(store: &Store) {
    let (stream, once) = (fresh(), fresh_command());
    append(store, &stream, "before", &["a", "b"]).await;
    let seen = load(store, &stream).await.stream_version();
    let nothing = transaction([], [seen.clone()], [], Some(&once));
    transact(store, &nothing).await.expect("the command is new");
    let after = next(store, &stream, once.as_str(), &["c"]).await;
    match transact(store, &transaction([after], [], [], Some(&once))).await {
        Err(AppendError::Repeated { record }) => {
            assert_eq!(record.commits, []);
            let version = Version::new(2);
            assert_eq!(record.unchanged, [Unchanged { stream: stream.clone(), version }]);
        }
        other => panic!("the command took effect later: {other:?}"),
    }
    append(store, &stream, "later", &["d"]).await;
    let stale = transaction([], [seen], [], Some(&fresh_command()));
    let outcome = transact(store, &stale).await;
    assert!(matches!(outcome, Err(AppendError::Changed { .. })), "{outcome:?}");
}

/// Only strict commands are recognised by the store. The same id in a commit alone does not cause a refusal.
pub async fn a_command_is_recognised_for_ever_only_if_that_is_asked(store: &Store) {
    let (stream, id) = (fresh(), fresh_command());
    for _ in 0..2 {
        let new = next(store, &stream, id.as_str(), &["a"]).await;
        let outcome = transact(store, &transaction([new], [], [], None)).await;
        outcome.expect("the command is not strict");
    }
    let new = next(store, &stream, id.as_str(), &["a"]).await;
    let strict = transaction([new], [], [], Some(&id));
    transact(store, &strict).await.expect("it is the first strict command with this id");
}

/// If a transaction has several faults, the first one is reported: conflict, changed, repeated, reserved, not
/// reserved. After a conflict the caller must load again before any other fault matters.
// Guards: a-transaction-is-whole
pub async fn of_several_reasons_to_refuse_the_first_is_told(store: &Store) {
    let (written, watched, holder) = (fresh(), fresh(), fresh());
    let (taken, free, once) = (fresh_address(), fresh_address(), fresh_command());
    let fresh_start = load(store, &written).await;
    let unseen = load(store, &watched).await.stream_version();
    append(store, &written, "winner", &["a"]).await;
    append(store, &watched, "mover", &["b"]).await;
    let earlier = next(store, &holder, "holder", &["c"]).await;
    // The reserved key is reported first, in any order of the keys.
    let reserves = [format!("m{taken}"), format!("n{taken}")].map(|address| email(&address));
    let held = reserves.clone().map(|key| (holder.clone(), Claim::Reserve(key)));
    let earlier = transaction([earlier], [], held, Some(&once));
    transact(store, &earlier).await.expect("its keys and its id are free");

    let conflict = commit(&fresh_start, "late", &["d"], 60);
    let follows = next(store, &written, "late", &["d"]).await;
    let releases = [format!("a{free}"), format!("z{free}")].map(|address| email(&address));
    let released = releases.map(|key| (written.clone(), Claim::Release(key)));
    let reserved = reserves.map(|key| (written.clone(), Claim::Reserve(key)));
    let claims: Vec<_> = released.iter().chain(&reserved).cloned().collect();
    let attempts: [(&str, Transaction); 5] = [
        ("Conflict", transaction([conflict], [unseen.clone()], claims.clone(), Some(&once))),
        ("Changed", transaction([follows.clone()], [unseen], claims.clone(), Some(&once))),
        ("Repeated", transaction([follows.clone()], [], claims.clone(), Some(&once))),
        ("Reserved", transaction([follows.clone()], [], claims, None)),
        ("NotReserved", transaction([follows], [], released, None)),
    ];
    for (expected, attempt) in attempts {
        let reported = match transact(store, &attempt).await {
            Ok(()) => "nothing",
            Err(AppendError::Conflict { .. }) => "Conflict",
            Err(AppendError::Changed { .. }) => "Changed",
            Err(AppendError::Repeated { .. }) => "Repeated",
            Err(AppendError::Reserved { .. }) => "Reserved",
            Err(AppendError::NotReserved { .. }) => "NotReserved",
            Err(other) => panic!("expected {expected}, got {other}"),
        };
        assert_eq!(reported, expected);
    }
}

/// If one commit is too large, the whole transaction is refused.
pub async fn a_transaction_with_a_commit_over_the_limit_does_nothing(store: &Store) {
    let (one, two) = (fresh(), fresh());
    let commits = [
        next(store, &one, "joint", &["a"]).await,
        verbatim(&Loaded::unread(two.clone()), "joint", &[text_of(320 * 1024)]),
    ];
    match transact(store, &transaction(commits, [], [], None)).await {
        Err(AppendError::TooLarge { .. }) => {}
        Ok(()) => panic!("a commit of 320 KB was stored"),
        Err(other) => panic!("a commit of 320 KB was refused by {other}"),
    }
    assert_holds(store, &one, []).await;
    assert_holds(store, &two, []).await;
}

/// A transaction over 4 MB is refused, even if each commit is small enough. This is the limit of DynamoDB
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).
pub async fn a_transaction_over_four_megabytes_does_nothing(store: &Store) {
    let text = text_of(145_000);
    let heads: Vec<_> = (0..15).map(|_| Loaded::unread(fresh())).collect();
    let commits = heads.iter().map(|head| verbatim(head, "heavy", &[text.clone(), text.clone()]));
    match transact(store, &transaction(commits, [], [], None)).await {
        Err(AppendError::TooLarge { bytes, limit }) => assert!(bytes > limit, "{bytes}"),
        Ok(()) => panic!("a transaction of 4.35 MB was stored"),
        Err(other) => panic!("a transaction of 4.35 MB was refused by {other}"),
    }
    for head in heads {
        assert_holds(store, head.stream(), []).await;
    }
}

/// A transaction can have as many items as the core allows.
pub async fn a_transaction_touches_up_to_a_hundred_items(store: &Store) {
    let heads: Vec<_> = (0..MAX_TRANSACTION_ITEMS).map(|_| Loaded::unread(fresh())).collect();
    let commits: Vec<_> = heads.iter().map(|head| commit(head, "wide", &["note"], 60)).collect();
    let wide = transaction(commits.clone(), [], [], None);
    transact(store, &wide).await.expect("the transaction is within the limit");
    for new in [commits.first(), commits.last()].into_iter().flatten() {
        let stream = new.as_commit().stream();
        assert_holds(store, stream, [new.as_commit()]).await;
    }
}
