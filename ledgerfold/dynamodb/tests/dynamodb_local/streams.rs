//! Lists of the streams of an event table. Their rules are in `ledgerfold-proofs`.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use ledgerfold::ports::{Resume, Segment, StreamsError};
use ledgerfold_dynamodb::{DynamoEventStore, DynamoStreams};
use ledgerfold_proofs::conformance::{requests::fresh, streams::ListedLog};

use crate::tables;

/// A log whose streams are listed in small pages.
pub(crate) async fn listed_log() -> ListedLog {
    let client = Client::from_conf(tables::config().build());
    let table = tables::event_table(&client).await;
    let log = DynamoEventStore::new(client.clone(), &table);
    let streams = DynamoStreams::new(client, table).in_pages_of(2);
    ListedLog { log: Arc::new(log), streams: Arc::new(streams) }
}

#[tokio::test]
async fn a_place_serves_its_own_segment_only() {
    let store = listed_log().await;
    for _ in 0..3 {
        store.begin(&fresh(), 1).await;
    }
    let page = store.streams.list(Segment::WHOLE, None).await.expect("it can be read");
    let place = page.next.expect("there are more than two commits");
    let other = Segment::split(2).next().expect("two segments");
    for (segment, place) in [(other, &place), (Segment::WHOLE, &Resume("order#1".to_owned()))] {
        let answer = store.streams.list(segment, Some(place)).await;
        assert!(matches!(answer, Err(StreamsError::Resume(_))), "{answer:?}");
    }
}
