//! The rules of a list of streams.

use std::{collections::BTreeSet, sync::Arc};

use ledgerfold::{
    StreamId,
    ports::{EventStore, PageWalk, Segment, Streams},
};

use super::{
    event_store::{Store, tools::append},
    requests::{fresh, twin},
};

/// A log with the list of its streams.
#[derive(Clone)]
pub struct ListedLog {
    /// The log.
    pub log: Store,
    /// Its streams.
    pub streams: Arc<dyn Streams>,
}

impl ListedLog {
    /// A store that implements both ports.
    pub fn of<S: EventStore + Streams + 'static>(store: S) -> Self {
        let store = Arc::new(store);
        Self { log: store.clone(), streams: store }
    }

    /// New streams with one to three commits each.
    async fn filled(&self) -> BTreeSet<StreamId> {
        let mut streams = BTreeSet::new();
        for at in 0..11 {
            let stream = fresh();
            self.begin(&stream, at % 3 + 1).await;
            streams.insert(stream);
        }
        streams
    }

    /// Appends this many commits.
    pub async fn begin(&self, stream: &StreamId, commits: usize) {
        for attempt in 0..commits {
            append(&self.log, stream, &format!("a{attempt}"), &["a", "b"]).await;
        }
    }

    /// The listed streams of these segments that are expected, sorted. Others may use the same store.
    async fn listed(
        &self,
        segments: impl IntoIterator<Item = Segment>,
        expected: &BTreeSet<StreamId>,
    ) -> Vec<StreamId> {
        let mut listed = Vec::new();
        for segment in segments {
            let mut walk = PageWalk::start();
            while let Some(from) = walk.next_place() {
                let page = self.streams.list(segment, from.as_ref()).await;
                listed.extend(walk.turn(page.expect("the streams can be listed")));
            }
        }
        listed.retain(|stream| expected.contains(stream));
        listed.sort();
        listed
    }
}

/// A stream is listed once, for any number of commits.
// Guards: a-listing-finds-every-stream
pub async fn every_stream_is_listed_once(store: &ListedLog) {
    let expected = store.filled().await;
    let listed = store.listed([Segment::WHOLE], &expected).await;
    assert_eq!(listed, expected.into_iter().collect::<Vec<_>>());
}

/// All segments together list each stream once.
// Guards: a-listing-finds-every-stream
pub async fn segments_together_list_every_stream_once(store: &ListedLog) {
    let expected = store.filled().await;
    let listed = store.listed(Segment::split(4), &expected).await;
    assert_eq!(listed, expected.into_iter().collect::<Vec<_>>());
}

/// Streams of two tenants with equal ids are two streams, each listed with its tenant.
// Guards: a-listing-finds-every-stream, tenants-never-meet
pub async fn streams_of_tenants_are_both_listed(store: &ListedLog) {
    let mut expected = BTreeSet::new();
    for commits in [1, 2, 1, 3, 1] {
        let here = fresh();
        for stream in [twin(&here), here] {
            store.begin(&stream, commits).await;
            expected.insert(stream);
        }
    }
    for parts in [1, 3] {
        let listed = store.listed(Segment::split(parts), &expected).await;
        assert_eq!(listed, expected.iter().cloned().collect::<Vec<_>>());
    }
}
