//! Commits that are too large for an item.
//!
//! Guards: large-content-is-unchanged

use std::sync::Arc;

use ledgerfold::{
    StreamId, Version,
    command::{CommandHandler, Loaded, Loader},
    ports::{AppendError, CommitPage, EventReader, EventStore, Span, StoreError},
    vocabulary::Commit,
};
use ledgerfold_dynamodb::{MAX_CLAIMED_BYTES, MAX_EVENT_BYTES, MAX_ITEM_BYTES};
use ledgerfold_proofs::conformance::requests::{OftenSnapshotted, commit, fresh, write};
use ledgerfold_testkit::bank::Accounts;
use ledgerfold_testkit::{ManualClock, MemoryPayloadStore, SeededRandom};

use crate::{tables, temporary::Temporary};

async fn store() -> (Temporary, Arc<MemoryPayloadStore>) {
    let payloads = Arc::new(MemoryPayloadStore::default());
    let mut log = tables::event_store().await;
    log.store = log.store.clone().with_payloads(payloads.clone());
    (log, payloads)
}

/// A stream of one commit of this many bytes.
async fn stream_of(store: &Temporary, bytes: usize) -> (StreamId, Commit) {
    let stream = fresh();
    let (half, rest) = ("x".repeat(bytes / 2), "y".repeat(bytes - bytes / 2));
    let new = commit(&Loaded::unread(stream.clone()), "large", &[&half, &rest], 60);
    store.append(&new).await.expect("it goes to the payload store");
    (stream, new.into_commit())
}

async fn read(store: &Temporary, stream: &StreamId) -> Result<Vec<Commit>, StoreError> {
    store.read(stream, Version::NONE).await.map(|CommitPage { commits, .. }| commits)
}

#[tokio::test]
async fn a_commit_too_large_for_an_item_goes_to_the_payload_store_and_is_read_back() {
    let (store, payloads) = store().await;
    let (stream, large) = stream_of(&store, 1_000_000).await;
    assert!(read(&store, &stream).await.expect("it can be read") == [large.clone()]);
    assert_eq!(payloads.count(), 1);
    match store.append(&commit(&Loaded::unread(stream), "late", &["c"], 60)).await {
        Err(AppendError::Conflict { winner }) => assert!(*winner == large, "another winner"),
        other => panic!("a version was given away twice: {other:?}"),
    }
}

#[tokio::test]
async fn a_commit_that_fits_stays_in_its_item() {
    let (store, payloads) = store().await;
    let (stream, small) = stream_of(&store, MAX_ITEM_BYTES / 2).await;
    assert!(read(&store, &stream).await.expect("it can be read") == [small]);
    assert_eq!(payloads.count(), 0);
}

// Guards: an-unpublishable-commit-blocks-nothing
#[tokio::test]
async fn an_event_too_large_for_the_bus_is_refused_unless_a_pointer_can_replace_it() {
    let large = |bytes: usize| {
        // All of the JSON content is text, except for these bytes.
        let note = "x".repeat(bytes - r#"{"text":""}"#.len());
        commit(&Loaded::unread(fresh()), "large", &[&note, "small"], 60)
    };
    let log = tables::event_store().await;
    log.append(&large(MAX_EVENT_BYTES)).await.expect("it can be published");
    match log.append(&large(MAX_EVENT_BYTES + 1)).await {
        Err(AppendError::EventTooLarge { bytes, limit }) => {
            assert_eq!((bytes, limit), (MAX_EVENT_BYTES + 1, MAX_EVENT_BYTES));
        }
        other => panic!("an event that cannot be published was answered by {other:?}"),
    }
    let (store, payloads) = store().await;
    store.append(&large(MAX_EVENT_BYTES + 1)).await.expect("the bus can carry a pointer");
    assert_eq!(payloads.count(), 0, "the commit fits");
}

#[tokio::test]
async fn content_that_was_changed_or_lost_is_an_error_and_not_skipped() {
    let (store, payloads) = store().await;
    let (stream, _) = stream_of(&store, 400_000).await;
    payloads.damage();
    let damaged = read(&store, &stream).await;
    assert!(matches!(damaged, Err(StoreError::Corrupt { .. })), "{damaged:?}");
    payloads.lose();
    let lost = read(&store, &stream).await;
    assert!(matches!(lost, Err(StoreError::Corrupt { .. })), "{lost:?}");
}

#[tokio::test]
async fn a_commit_over_the_larger_bound_is_refused_with_the_sizes() {
    let (store, payloads) = store().await;
    let note = "x".repeat(MAX_CLAIMED_BYTES);
    match store.append(&commit(&Loaded::unread(fresh()), "huge", &[&note], 60)).await {
        Err(AppendError::TooLarge { bytes, limit }) => {
            assert!(bytes > limit && limit == MAX_CLAIMED_BYTES, "{bytes} over {limit}");
        }
        other => panic!("a commit of more than 5 MB was answered by {other:?}"),
    }
    assert_eq!(payloads.count(), 0);
}

/// The result of a read, with the number of payloads that it fetched.
async fn counted<T>(payloads: &MemoryPayloadStore, read: impl Future<Output = T>) -> (T, usize) {
    let before = payloads.fetches();
    let outcome = read.await;
    (outcome, payloads.fetches() - before)
}

/// A stream of forty commits of two megabytes each, with a snapshot of the state.
async fn large_stream(store: &Temporary) -> StreamId {
    let stream = fresh();
    let log: Arc<dyn EventStore> = Arc::new(store.store.clone());
    let handler = CommandHandler::<Accounts<OftenSnapshotted>>::new(
        log,
        Arc::<ManualClock>::default(),
        Arc::new(SeededRandom::new(1)),
    );
    for attempt in 0..40 {
        let text = "x".repeat(2_000_000);
        let request = write(&stream, &format!("attempt-{attempt}"), &[&text]);
        handler.handle(&request).await.expect("it goes to the payload store");
    }
    stream
}

#[tokio::test]
async fn a_page_is_limited_by_the_payloads_that_it_fetches() {
    let (store, payloads) = store().await;
    let stream = large_stream(&store).await;
    let (mut after, mut pages) = (Version::NONE, 0);
    loop {
        let (page, fetches) = counted(&payloads, store.read(&stream, after)).await;
        let page = page.expect("it can be read");
        assert_eq!((page.commits.len(), fetches), (2, 2), "a page holds 4 MB");
        after = page.commits.last().expect("a page is not empty").to();
        pages += 1;
        if !page.more {
            break;
        }
    }
    assert_eq!((after, pages), (Version::new(40), 20));
    let (page, fetches) = counted(&payloads, store.read_back(&stream, Span::ALL, 40)).await;
    let page = page.expect("it can be read");
    assert_eq!((page.commits.len(), page.more, fetches), (2, true, 2));
}

// Guards: every-read-is-bounded
#[tokio::test]
async fn a_load_fetches_no_payload_before_the_snapshot() {
    let (store, payloads) = store().await;
    let stream = large_stream(&store).await;
    let load = Loader::<Accounts<OftenSnapshotted>>::new();
    let (loaded, fetches) = counted(&payloads, load.load(&store.store, &stream)).await;
    let loaded = loaded.expect("it can be read");
    assert_eq!((loaded.version(), fetches), (Version::new(40), 0));

    let (head, fetches) = counted(&payloads, store.head(&stream)).await;
    assert_eq!((head.expect("it can be read"), fetches), (Version::new(40), 0));
}
