//! Rules about reading forward and back.

use ledgerfold::{
    Category, StreamId, Version,
    command::Loaded,
    ports::{Base, MAX_PAGE_BYTES, Newest, Span},
    vocabulary::{Commit, StateSchema},
};

use super::{
    Store, View,
    tools::{append, assert_are, assert_holds, load, read_all_back, snapshotted},
};
use crate::conformance::{
    requests::fresh,
    verbatim::{text_of, verbatim},
};

/// A stream with three commits, of the versions 1–2, 3–5 and 6.
async fn three_commits(store: &Store) -> (StreamId, [Commit; 3]) {
    let stream = fresh();
    let one = append(store, &stream, "one", &["a", "b"]).await;
    let two = append(store, &stream, "two", &["c", "d", "e"]).await;
    let three = append(store, &stream, "three", &["f"]).await;
    (stream, [one, two, three])
}

/// Reading an unknown stream is not an error.
pub async fn a_stream_that_does_not_exist_is_empty(store: &Store) {
    let stream = fresh();
    let page = store.read(&stream, Version::NONE).await.expect("the stream can be read");
    assert!(page.commits.is_empty() && !page.more, "{page:?}");
    let page = store.read_back(&stream, Span::ALL, 10).await.expect("the stream can be read");
    assert!(page.commits.is_empty() && !page.more, "{page:?}");
}

/// Reads are strongly consistent, in either direction.
pub async fn an_append_is_seen_by_the_next_read(store: &Store) {
    let (stream, mut head) = (fresh(), Version::NONE);
    for attempt in ["one", "two", "three", "four", "five"] {
        let new = append(store, &stream, attempt, &["note"]).await;
        let page = store.read(&stream, head).await.expect("the stream can be read");
        assert_are(&page.commits, [&new]);
        let page = store.read_back(&stream, Span::ALL, 1).await.expect("the stream can be read");
        assert_are(&page.commits, [&new]);
        head = new.to();
    }
}

/// A read returns only commits after the requested version.
pub async fn a_read_begins_behind_the_version_asked_for(store: &Store) {
    let (stream, [.., two, three]) = three_commits(store).await;
    for (after, expected) in [(2, vec![two, three.clone()]), (5, vec![three]), (6, vec![])] {
        let page = store.read(&stream, Version::new(after)).await.expect("it can be read");
        let found = page.commits.len();
        assert!(found > 0 || expected.is_empty(), "no commits after {after}");
        assert!(page.more || found == expected.len(), "commits are missing after {after}");
        assert_are(&page.commits, &expected[..found]);
    }
}

/// Streams are separate, even if the name of one is the beginning of the other's.
pub async fn streams_do_not_mix(store: &Store) {
    let stream = fresh();
    let longer: StreamId = format!("{stream}0").parse().expect("still short enough");
    let one = append(store, &stream, "one", &["mine"]).await;
    let other = append(store, &longer, "one", &["other"]).await;
    for (stream, expected) in [(stream, one), (longer, other)] {
        assert_holds(store, &stream, [&expected]).await;
        assert_are(&read_all_back(store, &stream, 10).await, [&expected]);
    }
}

/// The category is part of a stream's name, so streams of two domains with the same id are separate.
pub async fn categories_do_not_mix(store: &Store) {
    let stream = fresh();
    let other = stream.beside(Category::from_static("another"), stream.id().clone());
    let one = append(store, &stream, "one", &["a"]).await;
    let two = append(store, &other, "one", &["b"]).await;
    assert_holds(store, &stream, [&one]).await;
    assert_holds(store, &other, [&two]).await;
}

/// A stream with twelve commits of 100 KB.
async fn a_megabyte(store: &Store) -> (StreamId, Vec<Commit>) {
    let (stream, text) = (fresh(), text_of(100_000));
    let mut head = Loaded::unread(stream.clone());
    let mut written = Vec::new();
    for attempt in 0..12 {
        let new = verbatim(&head, &format!("attempt-{attempt}"), std::slice::from_ref(&text));
        store.append(&new).await.expect("the version is free");
        head.read_on(&**store, &new.as_commit().command().id).await.expect("it can be read");
        written.push(new.into_commit());
    }
    (stream, written)
}

/// A stream over 1 MB is read completely. A single Query of DynamoDB returns at most 1 MB.
// Guards: a-read-is-whole-and-current
pub async fn a_stream_of_more_than_a_megabyte_is_read_whole(store: &Store) {
    let (stream, written) = a_megabyte(store).await;
    assert_holds(store, &stream, &written).await;
}

/// A stream over 1 MB is read back completely, for any requested number of commits.
// Guards: a-read-is-whole-and-current
pub async fn a_stream_of_more_than_a_megabyte_is_read_back_whole(store: &Store) {
    let (stream, mut written) = a_megabyte(store).await;
    written.reverse();
    assert_are(&read_all_back(store, &stream, usize::MAX).await, &written);
}

/// Reading back returns the newest commit first.
pub async fn the_newest_commit_comes_first_when_reading_back(store: &Store) {
    let (stream, [one, two, three]) = three_commits(store).await;
    let page = store.read_back(&stream, Span::ALL, 10).await.expect("the stream can be read");
    assert_are(page.commits.first(), [&three]);
    assert_are(&read_all_back(store, &stream, 10).await, [&three, &two, &one]);
}

/// A read back returns at most the requested number of commits, and reports whether there are more.
pub async fn a_read_back_keeps_to_its_limit(store: &Store) {
    let (stream, commits) = three_commits(store).await;
    for limit in 1..=3 {
        let page = store.read_back(&stream, Span::ALL, limit).await.expect("it can be read");
        let found = page.commits.len();
        assert!((1..=limit).contains(&found), "{found} commits for {limit}");
        assert!(page.more || found == 3, "{found} of 3 commits, and no more are reported");
        assert_are(page.commits.last(), [&commits[3 - found]]);
    }
}

/// A commit is before a version if its first event is. The version of its last event does not matter.
pub async fn a_read_back_begins_with_what_begins_before_the_version(store: &Store) {
    let (stream, [one, two, three]) = three_commits(store).await;
    let newest = [(7, Some(&three)), (6, Some(&two)), (4, Some(&two)), (3, Some(&one)), (1, None)];
    for (before, expected) in newest {
        let span = Span::before(Version::new(before));
        let page = store.read_back(&stream, span, 1).await.expect("it can be read");
        assert_are(page.commits.first(), expected);
    }
}

/// A read back ends at the requested version: it returns only commits that begin after it. A cached state relies on
/// that.
pub async fn a_read_back_ends_behind_the_version_asked_for(store: &Store) {
    let (stream, [one, two, three]) = three_commits(store).await;
    let all = [&three, &two, &one];
    for (after, expected) in [(0, 3), (1, 2), (2, 2), (3, 1), (5, 1), (6, 0), (9, 0)] {
        let span = Span::after(Version::new(after));
        let page = store.read_back(&stream, span, 10).await.expect("it can be read");
        assert!(page.more || page.commits.len() == expected, "commits are missing after {after}");
        assert_are(&page.commits, all[..expected].iter().copied().take(page.commits.len()));
    }
    for (after, before, expected) in
        [(2, 6, Some(&two)), (2, 7, Some(&three)), (2, 3, None), (6, 1, None)]
    {
        let span = Span { after: Version::new(after), before: Some(Version::new(before)) };
        let page = store.read_back(&stream, span, 1).await.expect("it can be read");
        assert_are(page.commits.first(), expected);
    }
}

/// Pages of any size contain every commit exactly once.
// Guards: a-read-is-whole-and-current
pub async fn pages_follow_each_other_without_gap_or_overlap(store: &Store) {
    let stream = fresh();
    let mut written = Vec::new();
    for (attempt, events) in [1, 3, 2, 1, 4, 1, 2].into_iter().enumerate() {
        let attempt = format!("attempt-{attempt}");
        written.push(append(store, &stream, &attempt, &["note"; 4][..events]).await);
    }
    assert_eq!(load(store, &stream).await.version(), Version::new(14));
    assert_holds(store, &stream, &written).await;
    written.reverse();
    for limit in [1, 2, 3, 5] {
        assert_are(&read_all_back(store, &stream, limit).await, &written);
    }
}

/// A page has a limited size, because a reader holds it in memory. A larger commit is a page of its own.
// Guards: every-read-is-bounded
pub async fn a_page_is_bounded_in_bytes(store: &Store) {
    let (stream, text) = (fresh(), text_of(200_000));
    let mut head = Loaded::unread(stream.clone());
    for attempt in 0..22 {
        let new = verbatim(&head, &format!("attempt-{attempt}"), std::slice::from_ref(&text));
        store.append(&new).await.expect("the version is free");
        let written = View::of(vec![new.as_commit().clone()]);
        let read = head.read_on(&written, &new.as_commit().command().id).await;
        read.expect("the commit follows");
    }
    let pages =
        [store.read(&stream, Version::NONE).await, store.read_back(&stream, Span::ALL, 100).await];
    for page in pages {
        let commits = page.expect("it can be read").commits;
        let bytes: usize = commits.iter().map(Commit::payload_bytes).sum();
        assert!(commits.len() <= 1 || bytes <= MAX_PAGE_BYTES, "a page of {bytes} bytes");
    }
}

/// Loads at most `limit` of the newest commits, back to a snapshot: the snapshot with the commits after it, or the
/// commits alone, newest first. Works for any page size of the store.
async fn back_to(
    store: &Store,
    schema: &StateSchema,
    stream: &StreamId,
    mut span: Span,
    limit: usize,
) -> (Option<Base>, Vec<Commit>) {
    let mut newest: Vec<Commit> = Vec::new();
    while newest.len() < limit {
        let left = limit - newest.len();
        let found = store.read_back_to(schema, stream, span, left).await;
        match found.expect("it can be read") {
            Newest::Snapshot { base, following } => {
                let rest = newest.into_iter().rev();
                return (Some(base), following.commits.into_iter().chain(rest).collect());
            }
            Newest::Commits(page) => {
                newest.extend(page.commits);
                span.before = newest.last().map(Commit::from).or(span.before);
                if !page.more {
                    break;
                }
            }
        }
    }
    (None, newest)
}

/// A load returns the newest snapshot and the commits after it, but no earlier ones. The snapshot must have the
/// requested schema, and its commit must be in the requested span.
pub async fn a_load_gets_the_newest_snapshot_and_what_follows_it(store: &Store) {
    let stream = fresh();
    let first = append(store, &stream, "one", &["a"]).await;
    let second = snapshotted(store, &stream, "two", &["b", "c"]).await;
    let third = append(store, &stream, "three", &["d"]).await;
    let fourth = append(store, &stream, "four", &["e"]).await;
    let snapshot = second.snapshot().expect("a snapshot was due").clone();
    let (base, following) = back_to(store, &snapshot.schema, &stream, Span::ALL, 10).await;
    let base = base.expect("there is a snapshot");
    assert_eq!((base.from, base.version), (second.from(), second.to()));
    assert_eq!((&base.command, &base.snapshot), (&second.command().id, &snapshot));
    assert_are(&following, [&third, &fourth]);

    let other = StateSchema::restore("another");
    let without = [
        (&other, Span::ALL, 10, vec![&fourth, &third, &second, &first]),
        (&snapshot.schema, Span::ALL, 2, vec![&fourth, &third]),
        (&snapshot.schema, Span::before(second.from()), 10, vec![&first]),
        (&snapshot.schema, Span::after(second.to()), 10, vec![&fourth, &third]),
    ];
    for (schema, span, limit, expected) in without {
        let (base, newest) = back_to(store, schema, &stream, span, limit).await;
        assert_eq!(base, None, "a snapshot that was not requested");
        assert_are(&newest, expected);
    }
}

/// The head is the last event's version, also for a commit of several events.
pub async fn the_head_is_the_version_of_the_last_event(store: &Store) {
    let head = async |stream: &StreamId| store.head(stream).await.expect("it can be read");
    assert_eq!(head(&fresh()).await, Version::NONE);
    let (stream, _) = three_commits(store).await;
    assert_eq!(head(&stream).await, Version::new(6));
    append(store, &stream, "four", &["g", "h"]).await;
    assert_eq!(head(&stream).await, Version::new(8));
}
