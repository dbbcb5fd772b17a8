//! Failures that no emulator produces: throttling, outages and lost answers. Recorded answers replace DynamoDB behind
//! the SDK's own retries.

#![allow(clippy::panic, reason = "a test may fail")]

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Config, Credentials, Region, retry::RetryConfig},
};
use ledgerfold::{
    StreamId, Timestamp, Version,
    command::Loaded,
    ports::{
        Added, AppendError, CommitPage, CopyIndex, Count, CounterKey, CounterShard, DeadlineStore,
        EventReader, EventStore, GenerationReader, GenerationStore, Memo, PortError, Quarantine,
        QuarantineError, ReadStoreError, RowReader, Segment, Settled, Span, StoreError, Streams,
        TallyReader, TallyStore, UnreadableDeadline,
    },
    vocabulary::NewCommit,
};
use ledgerfold_dynamodb::{
    CommitItem, DynamoDeadlineStore, DynamoEventStore, DynamoGenerationStore, DynamoQuarantine,
    DynamoRowStore, DynamoStreams, DynamoTallyStore,
};
use ledgerfold_proofs::{
    RecordedAnswer::{self, HangUp, Json},
    RecordedService,
    conformance::{
        requests::{commit, fresh},
        tally_store,
    },
};

const ATTEMPTS: u32 = 4;

async fn service(answers: impl IntoIterator<Item = RecordedAnswer>) -> (RecordedService, Client) {
    let service = RecordedService::start(answers).await;
    let retries = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(Duration::from_millis(1));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .endpoint_url(service.endpoint())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(retries);
    (service, Client::from_conf(config.build()))
}

fn error(code: &str) -> RecordedAnswer {
    Json(
        400,
        format!(
            r#"{{"__type": "com.amazonaws.dynamodb.v20120810#{code}", "message": "as recorded"}}"#
        ),
    )
}

fn cancelled(reasons: &[&str]) -> RecordedAnswer {
    let reasons: Vec<_> = reasons.iter().map(|code| format!(r#"{{"Code": "{code}"}}"#)).collect();
    let reasons = reasons.join(", ");
    Json(
        400,
        format!(
            r#"{{"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                "Message": "cancelled", "CancellationReasons": [{reasons}]}}"#
        ),
    )
}

fn ok() -> RecordedAnswer {
    Json(200, r#"{"ConsumedCapacity": {"CapacityUnits": 1.0}}"#.to_owned())
}

fn outage() -> RecordedAnswer {
    Json(500, r#"{"__type": "InternalServerError"}"#.to_owned())
}

fn new_commit() -> NewCommit {
    commit(&Loaded::unread(fresh()), "attempt", &["note"], 60)
}

/// An item in a future format. None of its attributes is known to this program.
fn newer_item(sort_key: &str) -> String {
    format!(
        r#"{{"pk": {{"S": "default/account#1"}}, "sk": {sort_key}, "format": {{"N": "2"}}, "e": {{"M": {{}}}}}}"#
    )
}

fn found(item: &str) -> RecordedAnswer {
    Json(200, format!(r#"{{"Item": {item}, "Items": [{item}], "Count": 1}}"#))
}

async fn append(
    answers: impl IntoIterator<Item = RecordedAnswer>,
) -> (Result<(), AppendError>, usize) {
    let (service, client) = service(answers).await;
    let outcome = DynamoEventStore::new(client, "events").append(&new_commit()).await;
    (outcome, service.requests().len())
}

#[tokio::test]
async fn a_short_throttle_or_outage_is_hidden_by_retries() {
    let throttle = || error("ProvisionedThroughputExceededException");
    let (outcome, requests) = append([throttle(), outage(), throttle(), ok()]).await;
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(requests, 4);
}

#[tokio::test]
async fn lasting_throttling_is_reported_after_a_limited_number_of_attempts() {
    let throttles = (0..10).map(|_| error("ProvisionedThroughputExceededException"));
    let (outcome, requests) = append(throttles).await;
    assert!(
        matches!(outcome, Err(AppendError::Store(StoreError::Port(PortError::Throttled)))),
        "{outcome:?}"
    );
    assert_eq!(requests, 4);
}

#[tokio::test]
async fn a_lasting_outage_is_reported_as_unavailable() {
    for answer in [outage(), HangUp] {
        let (outcome, requests) = append(vec![answer; 10]).await;
        let unavailable =
            matches!(outcome, Err(AppendError::Store(StoreError::Port(PortError::Unavailable(_)))));
        assert!(unavailable, "{outcome:?}");
        assert_eq!(requests, 4);
    }
}

#[tokio::test]
async fn a_missing_permission_is_reported_at_once() {
    let (outcome, requests) = append([error("AccessDeniedException"), ok()]).await;
    let refused =
        matches!(outcome, Err(AppendError::Store(StoreError::Port(PortError::Refused(_)))));
    assert!(refused, "{outcome:?}");
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn a_repeated_put_recognises_its_own_commit() {
    let new = new_commit();
    let item = CommitItem::from(new.as_commit()).into_attributes().expect("a commit is an item");
    let item: serde_dynamo::Item = item.into();
    let stored = serde_json::to_string(&item).expect("an item is JSON");
    let met = format!(
        r#"{{"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
            "message": "The conditional request failed", "Item": {stored}}}"#
    );
    let (service, client) = service([HangUp, Json(400, met)]).await;
    match DynamoEventStore::new(client, "events").append(&new).await {
        Err(AppendError::Conflict { winner }) => assert_eq!(&*winner, new.as_commit()),
        other => panic!("its own commit was not recognised: {other:?}"),
    }
    assert_eq!(service.requests().len(), 2);
}

#[tokio::test]
async fn an_invalid_item_is_an_error_and_not_skipped() {
    let items = r#"{"Items": [{"pk": {"S": "default/account#1"}, "sk": {"N": "1"}}], "Count": 1}"#;
    let (_, client) = service([Json(200, items.to_owned())]).await;
    let page = DynamoEventStore::new(client, "events").read(&fresh(), Version::NONE).await;
    assert!(matches!(page, Err(StoreError::Corrupt { .. })), "{page:?}");
}

fn first_copy() -> CopyIndex {
    CopyIndex::all().next().expect("there are copies")
}

/// Old and new programs run side by side during a deployment. An item of the new one is not damaged, and is read after
/// the old one is replaced.
// Guards: only-impossible-items-are-given-up
#[tokio::test]
async fn an_item_in_a_newer_format_is_not_damaged() {
    let by_number = || found(&newer_item(r#"{"N": "1"}"#));
    let by_text = || found(&newer_item(r#"{"S": "default/account#1"}"#));
    let answers = [by_number(), by_number(), by_number(), by_text(), by_text(), by_text()];
    let (_service, client) = service(answers.into_iter().chain([(); 3].map(|()| by_text()))).await;
    let (log, stream) = (DynamoEventStore::new(client.clone(), "events"), fresh());
    let sentence = "format 2, and this program reads formats up to 1";
    for page in [
        log.read(&stream, Version::NONE).await,
        log.read_back(&stream, Span::ALL, 5).await,
        log.head(&stream).await.map(|_| CommitPage::default()),
    ] {
        let newer = matches!(&page, Err(error @ StoreError::Newer { .. })
            if error.to_string().contains(sentence));
        assert!(newer, "{page:?}");
    }
    let row = DynamoRowStore::new(client.clone(), "rows").get(&stream).await.map(drop);
    let memo = DynamoTallyStore::new(client.clone(), "tally").memo(&stream).await.map(drop);
    let states = DynamoGenerationStore::new(client.clone(), "states");
    let record = states.read("pages").await.map(drop);
    let copy = states.read_copy("pages", first_copy()).await.map(drop);
    for outcome in [row, memo, record, copy, states.progress("pages", 1).await.map(drop)] {
        assert!(matches!(outcome, Err(ReadStoreError::Newer { .. })), "{outcome:?}");
    }
    let entry = DynamoQuarantine::new(client, "states", "pages").get(&stream).await;
    assert!(matches!(entry, Err(QuarantineError::Newer { .. })), "{entry:?}");
}

/// The deadline stays in the table, and every sweep reports it.
#[tokio::test]
async fn a_deadline_in_a_newer_format_is_named_and_stays() {
    let (_service, client) = service([found(&newer_item(r#"{"S": "a"}"#))]).await;
    let deadlines = DynamoDeadlineStore::new(client, "deadlines", "by-due");
    let process = "payment".parse().expect("a name");
    let page = deadlines.due(&process, 0, Timestamp::MAX, None).await.expect("it can be listed");
    let [Err(UnreadableDeadline(reason))] = &page.items[..] else { panic!("{page:?}") };
    assert!(reason.contains("format 2"), "{reason}");
}

/// No emulator returns stale reads, so this checks the requests.
// Guards: a-read-is-whole-and-current
#[tokio::test]
async fn every_read_asks_to_be_strongly_consistent() {
    let nothing = || Json(200, r#"{"Items": [], "Count": 0}"#.to_owned());
    let (service, client) = service([nothing(), nothing(), nothing()]).await;
    let (store, stream) = (DynamoEventStore::new(client, "events"), fresh());
    store.read(&stream, Version::NONE).await.expect("it can be read");
    store.read(&stream, Version::new(7)).await.expect("it can be read");
    store.read_back(&stream, Span::ALL, 5).await.expect("it can be read");
    expect_consistent(&service, 3);
}

/// A rebuild misses no event only if each of these reads sees all earlier writes.
#[tokio::test]
async fn the_reads_of_a_rebuild_are_strongly_consistent() {
    let nothing = || Json(200, r#"{"Items": [], "Count": 0}"#.to_owned());
    let no_item = || Json(200, "{}".to_owned());
    let (service, client) = service([no_item(), no_item(), nothing(), nothing()]).await;
    let generations = DynamoGenerationStore::new(client.clone(), "states");
    generations.read("pages").await.expect("it can be read");
    generations.read_copy("pages", first_copy()).await.expect("it can be read");
    generations.progress("pages", 1).await.expect("it can be read");
    let streams = DynamoStreams::new(client, "events").strongly_consistent();
    streams.list(Segment::WHOLE, None).await.expect("it can be read");
    expect_consistent(&service, 4);
}

/// A worker fires a deadline as it is now, and not as an old list or message has it.
// Guards: a-deadline-fires-in-time
#[tokio::test]
async fn a_deadline_is_read_by_its_key_with_strong_consistency() {
    let (service, client) =
        service([Json(200, "{}".to_owned()), found(&newer_item(r#"{"S": "a"}"#))]).await;
    let deadlines = DynamoDeadlineStore::new(client, "deadlines", "by-due");
    let key = "payment#default/order#a-1#payment".parse().expect("a key");
    assert_eq!(deadlines.get(&key).await.expect("it can be read"), None);
    expect_consistent(&service, 1);
    let unreadable = deadlines.get(&key).await.expect_err("its format is newer").to_string();
    assert!(unreadable.contains("format 2"), "{unreadable}");
}

fn expect_consistent(service: &RecordedService, requests: usize) {
    let sent = service.requests();
    assert_eq!(sent.len(), requests);
    for request in sent {
        assert!(request.contains(r#""ConsistentRead":true"#), "{request}");
    }
}

/// The result of counting streams of one shard.
async fn count(answer: RecordedAnswer) -> (Result<Added, ReadStoreError>, Vec<StreamId>) {
    let (_, client) = service([answer]).await;
    let of_one_shard = |stream: &StreamId| CounterShard::of(stream) == CounterShard::of(&first());
    let streams = [first()].into_iter().chain(std::iter::repeat_with(fresh));
    let streams: Vec<_> = streams.filter(of_one_shard).take(3).collect();
    let counts = tally_store::together(streams.iter().map(|stream| {
        let body = ledgerfold::Payload::encode(&1).expect("a number is JSON");
        let groups = Vec::new();
        let memo = Memo { stream: stream.clone(), version: Version::new(1), body, groups };
        Count { after: Version::NONE, memo, increments: Vec::new() }
    }));
    (DynamoTallyStore::new(client, "tally").add(&counts).await, streams)
}

fn first() -> StreamId {
    "default/account#1".parse().expect("a stream")
}

#[tokio::test]
async fn reasons_of_a_cancelled_transaction_are_read_by_position() {
    let (moved, streams) =
        count(cancelled(&["ConditionalCheckFailed", "None", "ConditionalCheckFailed"])).await;
    let [one, _, other] = &streams[..] else { panic!("{streams:?}") };
    assert_eq!(moved.expect("it is answered"), Added::Superseded(vec![one.clone(), other.clone()]));
    let (both, streams) =
        count(cancelled(&["TransactionConflict", "ConditionalCheckFailed", "None"])).await;
    assert_eq!(both.expect("it is answered"), Added::Superseded(vec![streams[1].clone()]));
    let (conflict, _) = count(cancelled(&["None", "TransactionConflict"])).await;
    assert!(matches!(conflict, Ok(Added::Busy)), "{conflict:?}");
    let (throttled, _) = count(cancelled(&["None", "ThrottlingError"])).await;
    assert!(matches!(throttled, Err(ReadStoreError::Port(PortError::Throttled))), "{throttled:?}");
    let (invalid, _) = count(cancelled(&["None", "ValidationError"])).await;
    assert!(matches!(invalid, Err(ReadStoreError::Invalid(_))), "{invalid:?}");
    let (denied, _) = count(cancelled(&["AccessDenied", "None"])).await;
    assert!(matches!(denied, Err(ReadStoreError::Port(PortError::Refused(_)))), "{denied:?}");
    let (unknown, _) = count(cancelled(&["None", "SomethingNew"])).await;
    assert!(matches!(unknown, Err(ReadStoreError::Port(PortError::Unavailable(_)))), "{unknown:?}");
}

/// An answer to a request for several rows, with keys that it leaves out.
fn several(items: &[String], left_out: &[&StreamId]) -> RecordedAnswer {
    let keys: Vec<_> =
        left_out.iter().map(|stream| format!(r#"{{"pk": {{"S": "{stream}"}}}}"#)).collect();
    let unprocessed = match &keys[..] {
        [] => String::new(),
        keys => format!(r#""rows": {{"Keys": [{}], "ConsistentRead": true}}"#, keys.join(", ")),
    };
    let items = items.join(", ");
    Json(
        200,
        format!(r#"{{"Responses": {{"rows": [{items}]}}, "UnprocessedKeys": {{{unprocessed}}}}}"#),
    )
}

fn row_item(stream: &StreamId) -> String {
    format!(r#"{{"pk": {{"S": "{stream}"}}, "v": {{"N": "1"}}}}"#)
}

#[tokio::test]
async fn rows_that_an_answer_leaves_out_are_asked_for_again() {
    let streams = [fresh(), fresh(), fresh()];
    let [one, other, third] = &streams;
    let answers = [
        several(&[row_item(other)], &[third, one]),
        several(&[], &[third, one]),
        several(&[row_item(one), row_item(third)], &[]),
    ];
    let (service, client) = service(answers).await;
    let rows = DynamoRowStore::new(client, "rows").get_all(&streams).await;
    let found = rows.into_iter().flatten().flatten().map(|row| row.stream);
    assert_eq!(found.collect::<Vec<_>>(), streams);
    expect_consistent(&service, 3);
}

#[tokio::test]
async fn rows_that_are_left_out_again_and_again_are_throttled() {
    let streams = [fresh(), fresh()];
    let [one, other] = &streams;
    let nothing = || several(&[], &[one, other]);
    let (service, client) = service([nothing(), nothing(), nothing(), nothing()]).await;
    let rows = DynamoRowStore::new(client, "rows").get_all(&streams).await;
    for row in rows {
        assert!(matches!(row, Err(ReadStoreError::Port(PortError::Throttled))), "{row:?}");
    }
    assert_eq!(service.requests().len(), 3);
}

// Guards: a-refused-row-stops-only-its-stream
#[tokio::test]
async fn an_unreadable_row_fails_alone() {
    let streams = [fresh(), fresh(), fresh()];
    let [one, newer, missing] = &streams;
    let future = format!(r#"{{"pk": {{"S": "{newer}"}}, "format": {{"N": "2"}}}}"#);
    let answer = several(&[future, row_item(one)], &[]);
    let (_service, client) = service([answer]).await;
    let rows = DynamoRowStore::new(client, "rows").get_all(&streams).await;
    assert!(matches!(&rows[0], Ok(Some(row)) if row.stream == *one), "{:?}", rows[0]);
    assert!(matches!(&rows[1], Err(ReadStoreError::Newer { .. })), "{:?}", rows[1]);
    assert!(matches!(&rows[2], Ok(None)), "{missing}: {:?}", rows[2]);
}

async fn settle(answer: RecordedAnswer) -> Result<Settled, ReadStoreError> {
    let (_, client) = service([answer]).await;
    let groups = [CounterKey::new("today").expect("a key")];
    DynamoTallyStore::new(client, "tally").settled(&fresh(), &groups).await
}

#[tokio::test]
async fn the_reason_of_a_cancelled_read_transaction_is_reported() {
    let conflict = settle(cancelled(&["None", "TransactionConflict"])).await;
    assert!(matches!(conflict, Ok(Settled::UnderWay)), "{conflict:?}");
    let throttled = settle(cancelled(&["ThrottlingError", "None"])).await;
    assert!(matches!(throttled, Err(ReadStoreError::Port(PortError::Throttled))), "{throttled:?}");
    let invalid = settle(cancelled(&["ValidationError", "None"])).await;
    assert!(matches!(invalid, Err(ReadStoreError::Invalid(_))), "{invalid:?}");
    let denied = settle(cancelled(&["AccessDenied", "None"])).await;
    assert!(matches!(denied, Err(ReadStoreError::Port(PortError::Refused(_)))), "{denied:?}");
    let nothing = settle(Json(200, r#"{"Responses": [{}, {}]}"#.to_owned())).await;
    assert!(matches!(nothing, Ok(Settled::At(None))), "{nothing:?}");
}
