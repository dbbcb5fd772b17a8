//! The rules of a log.

#![allow(clippy::panic, reason = "a rule that is broken ends its test")]

use futures::future::join_all;
use ledgerfold::{
    CommandId, Commit, StreamId, Version,
    command::Loaded,
    ports::{AppendError, EventStore},
};

use super::notebook::{Notebook, commit, fresh};

async fn loaded(store: &dyn EventStore, stream: &StreamId) -> Loaded<Notebook> {
    let mut loaded = Loaded::unread(stream.clone());
    let nobody = CommandId::new("nobody").expect("visible ASCII");
    loaded.read_on(store, &nobody).await.expect("the stream can be read");
    loaded
}

/// Appends notes behind whatever there is.
async fn append(
    store: &dyn EventStore,
    stream: &StreamId,
    attempt: &str,
    notes: &[&str],
) -> Commit {
    let new = commit(&loaded(store, stream).await, attempt, notes, 60);
    store.append(&new).await.expect("nobody else writes to this stream");
    new.into_commit()
}

async fn read_all(store: &dyn EventStore, stream: &StreamId) -> Vec<Commit> {
    let mut commits: Vec<Commit> = Vec::new();
    loop {
        let after = commits.last().map_or(Version::NONE, Commit::to);
        let page = store.read(stream, after).await.expect("the stream can be read");
        commits.extend(page.commits);
        if !page.more {
            return commits;
        }
    }
}

/// Reading what was never written is no error.
pub async fn a_stream_that_does_not_exist_is_empty(store: &dyn EventStore) {
    let page = store.read(&fresh(), Version::NONE).await.expect("it can be read");
    assert!(page.commits.is_empty() && !page.more, "{page:?}");
}

/// Events, versions, command and every field of the metadata.
pub async fn a_commit_comes_back_as_it_was_appended(store: &dyn EventStore) {
    let stream = fresh();
    let first = append(store, &stream, "one", &["a", "b \u{1f980} \"quoted\"", ""]).await;
    assert_eq!((first.from(), first.to()), (Version::new(1), Version::new(3)));
    assert_eq!(read_all(store, &stream).await, [first]);
}

/// Reads are strongly consistent.
pub async fn an_append_is_seen_by_the_next_read(store: &dyn EventStore) {
    let stream = fresh();
    for version in 1..=20 {
        append(store, &stream, &format!("attempt-{version}"), &["note"]).await;
        assert_eq!(loaded(store, &stream).await.version(), Version::new(version));
    }
}

/// And not at it, nor elsewhere.
pub async fn a_read_begins_behind_the_version_asked_for(store: &dyn EventStore) {
    let stream = fresh();
    append(store, &stream, "one", &["a", "b"]).await;
    let second = append(store, &stream, "two", &["c"]).await;
    let page = store.read(&stream, Version::new(2)).await.expect("it can be read");
    assert_eq!(page.commits, [second]);
    let page = store.read(&stream, Version::new(3)).await.expect("it can be read");
    assert_eq!(page.commits, []);
}

/// Also when the name of one begins with that of the other.
pub async fn streams_do_not_mix(store: &dyn EventStore) {
    let stream = fresh();
    let longer: StreamId = format!("{stream}0").parse().expect("still short enough");
    let one = append(store, &stream, "one", &["mine"]).await;
    let other = append(store, &longer, "one", &["other"]).await;
    assert_eq!(read_all(store, &stream).await, [one]);
    assert_eq!(read_all(store, &longer).await, [other]);
}

/// And nothing of the loser is left.
pub async fn a_taken_version_is_refused_and_shows_its_winner(store: &dyn EventStore) {
    let stream = fresh();
    let stale = loaded(store, &stream).await;
    let first = append(store, &stream, "first", &["a", "b"]).await;
    match store.append(&commit(&stale, "late", &["c"], 60)).await {
        Err(AppendError::Conflict { winner }) => assert_eq!(*winner, first),
        other => panic!("a taken version was given away: {other:?}"),
    }
    assert_eq!(read_all(store, &stream).await, [first]);
}

/// So that a caller whose first answer was lost finds that it has succeeded.
pub async fn a_repeated_append_meets_itself(store: &dyn EventStore) {
    let stream = fresh();
    let new = commit(&loaded(store, &stream).await, "once", &["a"], 60);
    store.append(&new).await.expect("the version is free");
    match store.append(&new).await {
        Err(AppendError::Conflict { winner }) => assert_eq!(&*winner, new.as_commit()),
        other => panic!("the same commit was taken twice: {other:?}"),
    }
}

/// Of twenty appends to one version one is stored, and all others see it as the winner.
pub async fn of_racing_appends_one_wins(store: &dyn EventStore) {
    let stream = fresh();
    let start = loaded(store, &stream).await;
    let commits: Vec<_> =
        (0..20).map(|racer| commit(&start, &format!("racer-{racer}"), &["mine"], 60)).collect();
    let outcomes = join_all(commits.iter().map(|commit| store.append(commit))).await;
    let stored = read_all(store, &stream).await;
    assert_eq!(stored.len(), 1);
    for (commit, outcome) in commits.iter().zip(outcomes) {
        match outcome {
            Ok(()) => assert_eq!(commit.as_commit(), &stored[0]),
            Err(AppendError::Conflict { winner }) => assert_eq!(*winner, stored[0]),
            Err(other) => panic!("a race ended in {other}"),
        }
    }
}

/// One Query brings 1 MB at most: the rest must follow.
pub async fn a_stream_of_more_than_a_megabyte_is_read_whole(store: &dyn EventStore) {
    let stream = fresh();
    let note = "x".repeat(100_000);
    let mut written = Vec::new();
    let mut head = Loaded::unread(stream.clone());
    for attempt in 0..25 {
        let new = commit(&head, &format!("attempt-{attempt}"), &[&note], 60);
        store.append(&new).await.expect("the version is free");
        head.read_on(store, &new.as_commit().command().id).await.expect("it can be read");
        written.push(new.into_commit());
    }
    assert!(read_all(store, &stream).await == written, "not all 2.5 MB came back");
}

/// Clocks are no keys.
pub async fn time_may_run_backwards(store: &dyn EventStore) {
    let stream = fresh();
    let mut written = Vec::new();
    for (attempt, second) in [("one", 300), ("two", 200), ("three", 100)] {
        let new = commit(&loaded(store, &stream).await, attempt, &["note"], second);
        store.append(&new).await.expect("the version is free");
        written.push(new.into_commit());
    }
    assert_eq!(read_all(store, &stream).await, written);
}

/// With the sizes in the error.
pub async fn a_commit_over_the_limit_is_refused_and_not_stored(store: &dyn EventStore) {
    let stream = fresh();
    let note = "x".repeat(320 * 1024);
    let new = commit(&loaded(store, &stream).await, "huge", &[&note], 60);
    match store.append(&new).await {
        Err(AppendError::TooLarge { bytes, limit }) => {
            assert!(bytes > note.len() && limit < note.len(), "{bytes} over {limit}");
        }
        other => panic!("a commit of 320 KB was answered by {other:?}"),
    }
    assert_eq!(read_all(store, &stream).await, []);
}
