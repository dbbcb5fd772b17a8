//! Rules about appending one commit.

#![allow(clippy::panic, reason = "a rule that is broken ends its test")]

use futures::future::join_all;
use ledgerfold::{
    MAX_EVENTS_PER_COMMIT, Version,
    ports::{AppendError, Span},
};

use super::{
    Store,
    tools::{append, assert_are, assert_holds, load, read_all, read_all_back},
};
use crate::conformance::requests::{commit, fresh};

/// A second commit at the same version is refused, and nothing of it is stored. The error has the stored commit.
// Guards: the-event-table-is-append-only
pub async fn a_taken_version_is_refused_and_shows_its_winner(store: &Store) {
    let stream = fresh();
    let stale = load(store, &stream).await;
    let first = append(store, &stream, "first", &["a", "b"]).await;
    match store.append(&commit(&stale, "late", &["c"], 60)).await {
        Err(AppendError::Conflict { winner }) => assert_are([&*winner], [&first]),
        other => panic!("two commits got the same version: {other:?}"),
    }
    assert_holds(store, &stream, [&first]).await;
}

/// A refused commit is not stored in part, even if only its first event has a taken version.
// Guards: the-event-table-is-append-only
pub async fn a_refused_commit_leaves_none_of_its_events(store: &Store) {
    let stream = fresh();
    let stale = load(store, &stream).await;
    let first = append(store, &stream, "first", &["a"]).await;
    let refused = store.append(&commit(&stale, "late", &["b", "c", "d"], 60)).await;
    assert!(matches!(refused, Err(AppendError::Conflict { .. })), "{refused:?}");
    assert_holds(store, &stream, [&first]).await;
    let second = append(store, &stream, "second", &["e"]).await;
    assert_holds(store, &stream, [&first, &second]).await;
}

/// A repeated append is refused with its own commit, so that a caller whose answer was lost sees its success.
pub async fn a_repeated_append_meets_itself(store: &Store) {
    let stream = fresh();
    let new = commit(&load(store, &stream).await, "once", &["a"], 60);
    store.append(&new).await.expect("the version is free");
    match store.append(&new).await {
        Err(AppendError::Conflict { winner }) => assert_are([&*winner], [new.as_commit()]),
        other => panic!("the same commit was stored twice: {other:?}"),
    }
    assert_holds(store, &stream, [new.as_commit()]).await;
}

/// Of twenty concurrent appends at one version one is stored, and all others get it as the winner.
// Guards: each-version-is-decided-once
pub async fn of_racing_appends_one_wins(store: &Store) {
    let stream = fresh();
    let first = append(store, &stream, "first", &["a"]).await;
    let start = load(store, &stream).await;
    let commits: Vec<_> =
        (0..20).map(|racer| commit(&start, &format!("racer-{racer}"), &["mine"], 60)).collect();
    let outcomes = join_all(commits.iter().map(|commit| store.append(commit))).await;
    let stored = read_all(store, &stream).await;
    assert_eq!(stored.len(), 2);
    assert_are([&stored[0]], [&first]);
    for (commit, outcome) in commits.iter().zip(outcomes) {
        match outcome {
            Ok(()) => assert_are([commit.as_commit()], [&stored[1]]),
            Err(AppendError::Conflict { winner }) => assert_are([&*winner], [&stored[1]]),
            Err(other) => panic!("a race ended in {other}"),
        }
    }
}

/// All events of a command are one commit, up to the limit of the core.
pub async fn a_commit_of_many_events_is_one(store: &Store) {
    let stream = fresh();
    let full = append(store, &stream, "full", &["note"; MAX_EVENTS_PER_COMMIT]).await;
    assert_eq!((full.from(), full.to()), (Version::new(1), Version::new(100)));
    let page = store.read_back(&stream, Span::ALL, 1).await.expect("it can be read");
    assert_are(&page.commits, [&full]);
    let next = append(store, &stream, "next", &["note"]).await;
    assert_eq!(next.from(), Version::new(101));
    assert_holds(store, &stream, [&full, &next]).await;
}

/// A reader sees all events of a commit or none, even while the commit is being stored.
pub async fn a_reader_never_sees_half_a_commit(store: &Store) {
    let stream = fresh();
    let new = commit(&load(store, &stream).await, "one", &["a", "b", "c", "d"], 60);
    let reads = join_all((0..20).map(|_| store.read(&stream, Version::NONE)));
    let (outcome, pages) = futures::join!(store.append(&new), reads);
    outcome.expect("the version is free");
    let expected = new.into_commit();
    for page in pages {
        let commits = page.expect("it can be read").commits;
        assert_are(&commits, (!commits.is_empty()).then_some(&expected));
    }
    assert_holds(store, &stream, [&expected]).await;
}

/// Versions order a stream, not the times of its commits.
pub async fn time_may_run_backwards(store: &Store) {
    let stream = fresh();
    let mut written = Vec::new();
    for (attempt, second) in [("one", 300), ("two", 200), ("three", 200), ("four", 100)] {
        let new = commit(&load(store, &stream).await, attempt, &["note"], second);
        store.append(&new).await.expect("the version is free");
        written.push(new.into_commit());
    }
    assert_holds(store, &stream, &written).await;
    written.reverse();
    assert_are(&read_all_back(store, &stream, 3).await, &written);
}
