//! Tests of typed pages of a stream's events, and of the hashes of commits.

use ledgerfold::{
    StreamId, Version,
    query::{AuditPosition, EventPage, QueryError, commit_hash, events},
};
use ledgerfold_proofs::conformance::requests::fresh;
use ledgerfold_testkit::bank::NoteEvent;
use serde_json::{from_value, json};

use crate::note_models::World;

const LARGE: usize = 90_000;

/// A stream with a commit for each number, which has this many events.
async fn stream(world: &World, commits: &[usize]) -> StreamId {
    let stream = fresh();
    let mut text = 0_usize;
    for (attempt, count) in commits.iter().enumerate() {
        let notes: Vec<_> = (0..*count).map(|at| (text + at + 1).to_string()).collect();
        text += count;
        let notes: Vec<_> = notes.iter().map(String::as_str).collect();
        world.write(&stream, &format!("c{attempt}"), &notes).await.expect("it is accepted");
    }
    stream
}

async fn page(
    world: &World,
    stream: &StreamId,
    versions: (u64, u64),
    from: AuditPosition,
    limit: usize,
) -> Result<EventPage<NoteEvent>, QueryError> {
    let versions = Version::new(versions.0)..=Version::new(versions.1);
    events::<NoteEvent>(&*world.log, stream, versions, from, limit).await
}

/// The texts of all pages, with the number of pages and of reads.
async fn all(
    world: &World,
    stream: &StreamId,
    versions: (u64, u64),
    limit: usize,
) -> (Vec<u64>, usize, usize) {
    let reads = world.log.reads();
    let mut texts = Vec::new();
    let mut pages = 0;
    let mut from = Some(AuditPosition::START);
    while let Some(position) = from {
        let page = page(world, stream, versions, position, limit).await.expect("it is read");
        assert!(page.events.len() <= limit);
        for event in page.events {
            let NoteEvent::NoteWritten(note) = event.event;
            let number: u64 = note.text.parse().expect("a number");
            assert_eq!(event.version, Version::new(number));
            texts.push(number);
        }
        from = page.next;
        pages += 1;
    }
    (texts, pages, world.log.reads() - reads)
}

#[tokio::test]
async fn the_events_between_two_versions_are_read_once_each_in_pages() {
    let world = World::new();
    let stream = stream(&world, &[1, 3, 2, 1, 4, 1]).await;
    for first in 1..=12 {
        for last in first..=14 {
            for limit in [1, 2, 3, 20] {
                let expected: Vec<u64> = (first..=last.min(12)).collect();
                let (texts, pages, _) = all(&world, &stream, (first, last), limit).await;
                assert_eq!(texts, expected, "{first} to {last} in pages of {limit}");
                assert_eq!(pages, expected.len().div_ceil(limit), "no page is empty");
            }
        }
    }
    assert_eq!(all(&world, &stream, (13, 20), 5).await.0, Vec::<u64>::new());
    assert_eq!(all(&world, &stream, (5, 4), 5).await.0, Vec::<u64>::new());
}

// Guards: every-read-is-bounded
#[tokio::test]
async fn a_page_takes_at_most_one_request_more_than_needed() {
    let world = World::new();
    let stream = stream(&world, &[1; 300]).await;
    for (limit, reads) in [(20, 1), (24, 1), (100, 2)] {
        let (texts, pages, read) = all(&world, &stream, (1, 300), limit).await;
        assert_eq!((texts.len(), pages), (300, 300_usize.div_ceil(limit)));
        assert!(read <= pages * reads, "{read} reads for {pages} pages of {limit}");
    }
    let reads = world.log.reads();
    let month = page(&world, &stream, (101, 120), AuditPosition::START, 100).await;
    assert_eq!(month.expect("it is read").events.len(), 20);
    assert_eq!(world.log.reads() - reads, 1, "a range that is known needs no look beyond it");
}

// Guards: every-read-is-bounded
#[tokio::test]
async fn a_page_of_large_events_is_bounded_in_bytes() {
    let world = World::new();
    let stream = fresh();
    let large = "x".repeat(LARGE);
    for attempt in 0..30 {
        let written = world.write(&stream, &format!("c{attempt}"), &[&large]).await;
        written.expect("it is accepted");
    }
    let first = page(&world, &stream, (1, 30), AuditPosition::START, 100).await;
    let first = first.expect("it is read");
    assert_eq!(first.events.len(), 2_000_000 / (LARGE + 11));
    let next = page(&world, &stream, (1, 30), first.next.expect("there is more"), 100).await;
    assert_eq!(next.expect("it is read").events.len(), 30 - first.events.len());
}

#[tokio::test]
async fn a_position_before_the_range_is_its_beginning() {
    let world = World::new();
    let stream = stream(&world, &[1; 10]).await;
    let position: AuditPosition = from_value(json!(2)).expect("a version");
    let found = page(&world, &stream, (5, 6), position, 9).await.expect("it is read");
    assert_eq!((found.events.len(), found.next), (2, None));
}

#[tokio::test]
async fn the_hash_at_a_version_is_that_of_its_commit() {
    let world = World::new();
    let stream = stream(&world, &[1, 3, 1]).await;
    let hashes: Vec<_> = world.log.commits().iter().map(|it| (it.to(), it.hash())).collect();
    let found = async |version| {
        let found = commit_hash(&*world.log, &stream, Version::new(version)).await;
        found.expect("the read succeeds")
    };
    for (version, commit) in [(1, 0), (2, 1), (4, 1), (5, 2)] {
        assert_eq!(found(version).await, Some(hashes[commit].1), "version {version}");
    }
    assert_eq!(found(6).await, None);
}
