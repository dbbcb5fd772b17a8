//! Lists of the streams of an event table.

use aws_sdk_dynamodb::Client;
use ledgerfold::{
    CommandId, StreamId,
    command::Loaded,
    ports::{EventStore, PageWalk, Resume, Segment, Streams, StreamsError},
};
use ledgerfold_dynamodb::{DynamoEventStore, DynamoStreams};
use ledgerfold_proofs::conformance::requests::{commit, fresh};

use crate::tables;

const STREAMS: usize = 11;

/// A table with streams of one to three commits, listed in small pages.
async fn table() -> (DynamoStreams, Vec<StreamId>) {
    let client = Client::from_conf(tables::config().build());
    let table = tables::event_table(&client).await;
    let log = DynamoEventStore::new(client.clone(), &table);
    let nobody = CommandId::new("nobody").expect("visible ASCII");
    let mut streams = Vec::new();
    for at in 0..STREAMS {
        let stream = fresh();
        let mut loaded = Loaded::unread(stream.clone());
        for attempt in 0..=at % 3 {
            let new = commit(&loaded, &format!("a{attempt}"), &["a", "b"], 60);
            log.append(&new).await.expect("it can be appended");
            loaded.read_on(&log, &nobody).await.expect("it can be read");
        }
        streams.push(stream);
    }
    streams.sort();
    (DynamoStreams::new(client, table).in_pages_of(2), streams)
}

async fn list(store: &DynamoStreams, segment: Segment) -> Vec<StreamId> {
    let mut listed = Vec::new();
    let mut walk = PageWalk::start();
    while let Some(from) = walk.next_place() {
        listed.extend(walk.turn(store.list(segment, from.as_ref()).await.expect("it can be read")));
    }
    listed
}

#[tokio::test]
async fn every_stream_is_listed_once_however_many_commits_it_has() {
    let (store, streams) = table().await;
    let mut listed = list(&store, Segment::WHOLE).await;
    listed.sort();
    assert_eq!(listed, streams);
}

// Guards: a-listing-finds-every-stream
#[tokio::test]
async fn segments_together_list_everything_once() {
    let (store, streams) = table().await;
    let mut listed = Vec::new();
    for segment in Segment::split(4) {
        listed.extend(list(&store, segment).await);
    }
    listed.sort();
    assert_eq!(listed, streams);
}

#[tokio::test]
async fn a_place_serves_its_own_segment_only() {
    let (store, _) = table().await;
    let page = store.list(Segment::WHOLE, None).await.expect("it can be read");
    let place = page.next.expect("there are more than two commits");
    let other = Segment::split(2).next().expect("two segments");
    for (segment, place) in [(other, &place), (Segment::WHOLE, &Resume("order#1".to_owned()))] {
        let answer = store.list(segment, Some(place)).await;
        assert!(matches!(answer, Err(StreamsError::Resume(_))), "{answer:?}");
    }
}
