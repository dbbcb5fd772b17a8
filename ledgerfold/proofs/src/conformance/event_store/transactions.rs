//! Several streams in one step.

#![allow(clippy::panic, reason = "a rule that is broken ends its test")]

use futures::future::join_all;
use ledgerfold::{
    Claim, Version,
    command::Loaded,
    ports::{AppendError, CommandRecord, MAX_TRANSACTION_ITEMS, Transaction, Unchanged},
    vocabulary::{CommitRef, NewCommit},
};

use super::{
    Store,
    tools::{
        append, asked, assert_are, assert_holds, draft, fresh_command, load, next, read_all,
        transact, transaction,
    },
};
use crate::conformance::{
    account::{email, fresh_address},
    notebook::{commit, fresh, write},
    sketchbook::{Sketchbook, fresh_letter, letter, text_of},
};

/// With all their events, metadata and snapshots.
pub async fn a_transaction_commits_to_all_its_streams(store: &Store) {
    let (one, two) = (fresh(), fresh());
    append(store, &one, "before", &["a"]).await;
    let first = next(store, &one, "joint", &["b", "c"]).await;
    let request = write(&two, "joint", &["a note of some length"]);
    let second = draft::<Sketchbook>(Vec::new(), &request).await;
    assert!(second.as_commit().snapshot().is_some(), "a snapshot was due");
    let both = transaction([first.clone(), second.clone()], [], [], None);
    transact(store, &both).await.expect("both versions are free");
    assert_eq!(read_all(store, &one).await[1..], [first.into_commit()]);
    assert_eq!(read_all(store, &two).await, [second.into_commit()]);
}

/// In no stream, of no key and of no command id; neither in the streams before the one that
/// refuses nor in those behind it.
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
    transact(store, &another).await.expect("neither key nor command id is taken");
}

/// The winner is the commit that stands there, in whichever stream the race was lost.
pub async fn a_transaction_that_lost_a_race_shows_the_winner(store: &Store) {
    let (one, two) = (fresh(), fresh());
    let (start_one, start_two) = (load(store, &one).await, load(store, &two).await);
    let winner = append(store, &two, "winner", &["a", "b"]).await;
    let commits = [commit(&start_one, "late", &["c"], 60), commit(&start_two, "late", &["d"], 60)];
    match transact(store, &transaction(commits, [], [], None)).await {
        Err(AppendError::Conflict { winner: shown }) => assert_are([&*shown], [&winner]),
        other => panic!("a taken version was given away: {other:?}"),
    }
}

/// And when it is repeated, the winner is its own commit.
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
        other => panic!("the same transaction was done twice: {other:?}"),
    }
    for (stream, new) in [one, two].iter().zip(commits) {
        assert_holds(store, stream, [new.as_commit()]).await;
    }
}

/// A stream that was only looked at must be as it was seen.
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
        other => panic!("it was decided on what no longer holds: {other:?}"),
    }
    assert_holds(store, &written, []).await;
}

/// A condition leaves no trace: the watched stream takes the next commit as if nothing had been.
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

/// "There is no such stream" is a condition too, and is one as long as it holds.
pub async fn a_stream_that_does_not_exist_can_be_a_condition(store: &Store) {
    let (written, absent) = (fresh(), fresh());
    let seen = load(store, &absent).await.stream_version();
    let new = next(store, &written, "one", &["a"]).await;
    let joint = transaction([new], [seen.clone()], [], None);
    transact(store, &joint).await.expect("there is still no such stream");
    append(store, &absent, "one", &["b"]).await;
    let new = next(store, &written, "two", &["c"]).await;
    match transact(store, &transaction([new], [seen], [], None)).await {
        Err(AppendError::Changed { stream, version }) => {
            assert_eq!((stream, version), (absent, Version::NONE));
        }
        other => panic!("it was decided on what no longer holds: {other:?}"),
    }
}

/// Of two decisions that each rely on the other's stream to stay, one is made.
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
            other => panic!("each relied on the other: {other:?}"),
        }
    }
}

/// Of ten over the same two streams one is done, in both; the others are told so.
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
                let there = stored.iter().find(|it| it.stream() == winner.stream());
                assert_are([&*winner], there);
            }
            Err(other) => panic!("a race ended in {other}"),
        }
    }
    assert_eq!(winners, 1);
}

/// For ever and on every stream, with the record of its effect.
pub async fn a_command_that_is_recognised_for_ever_is_refused_with_its_record(store: &Store) {
    let (one, two, once) = (fresh(), fresh(), fresh_command());
    append(store, &one, "before", &["a", "b"]).await;
    let commits = [
        next(store, &one, once.as_str(), &["c"]).await,
        next(store, &two, once.as_str(), &["d"]).await,
    ];
    let watched = load(store, &fresh()).await.stream_version();
    assert_eq!(store.record(&once).await.expect("it can be asked"), None);
    let first = transaction(commits, [watched.clone()], [], Some(&once));
    transact(store, &first).await.expect("it is new");
    let expected = CommandRecord {
        fingerprint: asked(&once).fingerprint,
        commits: vec![
            CommitRef { stream: one.clone(), from: Version::new(3) },
            CommitRef { stream: two.clone(), from: Version::new(1) },
        ],
        unchanged: vec![Unchanged { stream: watched.stream().clone(), version: Version::NONE }],
    };
    assert_eq!(store.record(&once).await.expect("it can be asked").as_ref(), Some(&expected));
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

/// That nothing needed to change is remembered as well, with the version at which that was so.
pub async fn a_command_without_events_is_recognised_for_ever(store: &Store) {
    let (stream, once) = (fresh(), fresh_command());
    append(store, &stream, "before", &["a", "b"]).await;
    let seen = load(store, &stream).await.stream_version();
    let nothing = transaction([], [seen.clone()], [], Some(&once));
    transact(store, &nothing).await.expect("it is new");
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

/// Only a strict command: an id alone refuses nothing.
pub async fn a_command_is_recognised_for_ever_only_if_that_is_asked(store: &Store) {
    let (stream, id) = (fresh(), fresh_command());
    for _ in 0..2 {
        let new = next(store, &stream, id.as_str(), &["a"]).await;
        let outcome = transact(store, &transaction([new], [], [], None)).await;
        outcome.expect("nothing asks the store to recognise it");
    }
    let new = next(store, &stream, id.as_str(), &["a"]).await;
    let strict = transaction([new], [], [], Some(&id));
    transact(store, &strict).await.expect("it is the first that asks");
}

/// After a conflict the caller must load again before any other reason counts: conflict, changed, repeated, reserved,
/// not reserved, in this order.
pub async fn of_several_reasons_to_refuse_the_first_is_told(store: &Store) {
    let (written, watched, holder) = (fresh(), fresh(), fresh());
    let (taken, free, once) = (fresh_address(), fresh_address(), fresh_command());
    let fresh_start = load(store, &written).await;
    let unseen = load(store, &watched).await.stream_version();
    append(store, &written, "winner", &["a"]).await;
    append(store, &watched, "mover", &["b"]).await;
    let earlier = next(store, &holder, "holder", &["c"]).await;
    // In any order of a store's keys, the taken one is reported first.
    let reserves = [format!("m{taken}"), format!("n{taken}")].map(|address| email(&address));
    let held = reserves.clone().map(|key| (holder.clone(), Claim::Reserve(key)));
    let earlier = transaction([earlier], [], held, Some(&once));
    transact(store, &earlier).await.expect("nothing of it is taken");

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
        let told = match transact(store, &attempt).await {
            Ok(()) => "nothing",
            Err(AppendError::Conflict { .. }) => "Conflict",
            Err(AppendError::Changed { .. }) => "Changed",
            Err(AppendError::Repeated { .. }) => "Repeated",
            Err(AppendError::Reserved { .. }) => "Reserved",
            Err(AppendError::NotReserved { .. }) => "NotReserved",
            Err(other) => panic!("{expected} was due, and it is {other}"),
        };
        assert_eq!(told, expected);
    }
}

/// A commit that is too large takes the whole transaction with it.
pub async fn a_transaction_with_a_commit_over_the_limit_does_nothing(store: &Store) {
    let (one, two) = (fresh(), fresh_letter());
    let commits = [
        next(store, &one, "joint", &["a"]).await,
        letter(&Loaded::unread(two.clone()), "joint", &[text_of(320 * 1024)]),
    ];
    match transact(store, &transaction(commits, [], [], None)).await {
        Err(AppendError::TooLarge { .. }) => {}
        Ok(()) => panic!("a commit of 320 KB was taken"),
        Err(other) => panic!("a commit of 320 KB was answered by {other}"),
    }
    assert_holds(store, &one, []).await;
    assert_holds(store, &two, []).await;
}

/// Each of the commits is small enough; DynamoDB takes 4 MB in one transaction
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).
pub async fn a_transaction_over_four_megabytes_does_nothing(store: &Store) {
    let text = text_of(145_000);
    let heads: Vec<_> = (0..15).map(|_| Loaded::unread(fresh_letter())).collect();
    let commits = heads.iter().map(|head| letter(head, "heavy", &[text.clone(), text.clone()]));
    match transact(store, &transaction(commits, [], [], None)).await {
        Err(AppendError::TooLarge { bytes, limit }) => assert!(bytes > limit, "{bytes}"),
        Ok(()) => panic!("a transaction of 4.35 MB was taken"),
        Err(other) => panic!("a transaction of 4.35 MB was answered by {other}"),
    }
    for head in heads {
        assert_holds(store, head.stream(), []).await;
    }
}

/// As many as the core lets pass.
pub async fn a_transaction_touches_up_to_a_hundred_items(store: &Store) {
    let heads: Vec<_> = (0..MAX_TRANSACTION_ITEMS).map(|_| Loaded::unread(fresh())).collect();
    let commits: Vec<_> = heads.iter().map(|head| commit(head, "wide", &["note"], 60)).collect();
    let wide = transaction(commits.clone(), [], [], None);
    transact(store, &wide).await.expect("it is within the bound");
    for new in [commits.first(), commits.last()].into_iter().flatten() {
        let stream = new.as_commit().stream();
        assert_holds(store, stream, [new.as_commit()]).await;
    }
}
