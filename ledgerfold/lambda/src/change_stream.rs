//! The function that relays the event table's change stream to the bus.

use std::sync::Arc;

use aws_lambda_events::{
    dynamodb::{Event, EventRecord},
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use lambda_runtime::{LambdaEvent, run, service_fn};
use ledgerfold::{
    ports::{MAX_PAGE_BYTES, PayloadStore},
    relay::{Relay, StreamRecord, Unreadable, Unsent},
    vocabulary::Commit,
};
use ledgerfold_dynamodb::CommitItem;

use crate::{RunError, metrics};

/// Runs a relay on the records of a table's change stream. `payloads` is the store of payloads that are
/// too large for the log, if there is one.
///
/// The event source mapping must report batch item failures: the first record that could not be sent is
/// named, and Lambda delivers it and all later ones again. The mapping must not filter: a changed or
/// removed commit is not published, but the metric `CommitsChanged` counts it.
///
/// # Errors
/// The runtime's, if it cannot continue.
pub async fn serve_relay(
    relay: Relay,
    payloads: Option<Arc<dyn PayloadStore>>,
) -> Result<(), RunError> {
    run(service_fn(move |event: LambdaEvent<Event>| {
        let relay = relay.clone();
        let payloads = payloads.clone();
        async move {
            let changed = changed_commits(&event.payload);
            metrics::changed_commits(&event.context.env_config.function_name, changed);
            Ok::<_, RunError>(handle(&relay, payloads.as_deref(), event.payload).await)
        }
    }))
    .await
}

const APPENDED: &str = "INSERT";

/// How many commits were changed or removed. No function does that, so an operator must have done it.
fn changed_commits(event: &Event) -> usize {
    event.records.iter().filter(|record| record.event_name != APPENDED).count()
}

async fn handle(
    relay: &Relay,
    payloads: Option<&dyn PayloadStore>,
    event: Event,
) -> DynamoDbEventResponse {
    let mut response = DynamoDbEventResponse::default();
    if let Err(unsent) = publish(relay, payloads, event).await {
        tracing::error!(record = unsent.sequence_number, reason = unsent.reason, "record not sent");
        let mut failure = DynamoDbBatchItemFailure::default();
        failure.item_identifier = Some(unsent.sequence_number);
        response.batch_item_failures = vec![failure];
    }
    response
}

/// Publishes the records page by page. Many commits of a batch may have their payloads in another store, so
/// at most a page's worth is fetched before it is sent.
async fn publish(
    relay: &Relay,
    payloads: Option<&dyn PayloadStore>,
    event: Event,
) -> Result<(), Unsent> {
    let mut records = Vec::new();
    let mut bytes = 0;
    for change in event.records {
        let Some(record) = record(change, payloads).await else { continue };
        bytes += record.commit.as_ref().map_or(0, Commit::payload_bytes);
        records.push(record);
        if bytes >= MAX_PAGE_BYTES {
            relay.publish(&std::mem::take(&mut records)).await?;
            bytes = 0;
        }
    }
    relay.publish(&records).await
}

/// Returns the record for an appended commit. A manual change of the event table is logged, not published.
async fn record(record: EventRecord, payloads: Option<&dyn PayloadStore>) -> Option<StreamRecord> {
    let name = name(&record);
    if record.event_name != APPENDED {
        let change = record.event_name;
        tracing::error!(commit = name, change, "a commit was changed or removed");
        return None;
    }
    let commit = CommitItem::read(record.change.new_image, payloads).await;
    let commit = commit.map_err(|error| {
        let why = if error.is_damage() { Unreadable::Permanent } else { Unreadable::Transient };
        why(error.to_string())
    });
    let sequence_number = record.change.sequence_number.unwrap_or_default();
    Some(StreamRecord { sequence_number, name, commit })
}

/// Identifies an item, even one that cannot be parsed.
fn name(record: &EventRecord) -> String {
    let key: Result<Key, _> = serde_dynamo::from_item(record.change.keys.clone());
    match key {
        Ok(Key { pk, sk }) => format!("{pk} at {sk}"),
        Err(_) => format!("the item {:?}", record.change.keys),
    }
}

#[derive(serde::Deserialize)]
struct Key {
    pk: String,
    sk: u64,
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use ledgerfold::{
        ports::{DeadLetter, Limits, MAX_PAGE_BYTES, PayloadError, Publisher},
        vocabulary::ContentId,
    };
    use ledgerfold_dynamodb::MAX_EVENT_BYTES;
    use ledgerfold_eventbridge::EventBridgePublisher;
    use ledgerfold_testkit::{
        Fault, ManualClock, MemoryPayloadStore, MemoryPublisher, SeededRandom,
    };
    use serde_json::{Value, json};

    use ledgerfold::ports::PortError;

    use super::{
        Arc, CommitItem, DynamoDbEventResponse, Event, PayloadStore, Relay, changed_commits, handle,
    };

    /// A record as Lambda delivers it.
    fn record(change: &str, sequence_number: &str, image: &Value) -> Value {
        json!({
            "eventID": "1", "eventName": change, "eventVersion": "1.1", "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1", "eventSourceARN": "arn:aws:dynamodb:us-east-1:1:table/t/stream/s",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_700_000_000,
                "Keys": {"pk": {"S": "default/order#1"}, "sk": {"N": "1"}},
                "NewImage": image, "SequenceNumber": sequence_number, "SizeBytes": 100,
                "StreamViewType": "NEW_IMAGE",
            },
        })
    }

    /// 32 bytes.
    const HASH: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    fn commit(version: &str) -> Value {
        json!({
            "pk": {"S": "default/order#1"}, "sk": {"N": version}, "to": {"N": version},
            "e": {"S": r#"[{"i":"018bcfe5-6800-7000-8000-000000000000","t":"OrderDelivered","v":1,"d":{}}]"#},
            "m": {"S": "command-1\nDeliverOrder\nx\n2026-11-23T09:00:00Z\nanonymous"},
            "h": {"B": HASH},
        })
    }

    async fn relay(records: Value, faults: Vec<Fault>) -> (DynamoDbEventResponse, usize) {
        relay_with(None, records, faults).await
    }

    async fn relay_with(
        payloads: Option<&dyn PayloadStore>,
        records: Value,
        faults: Vec<Fault>,
    ) -> (DynamoDbEventResponse, usize) {
        let publisher = publisher(faults);
        (hand_over(&relay_to(&publisher), payloads, records).await, publisher.taken().len())
    }

    fn publisher(faults: Vec<Fault>) -> Arc<MemoryPublisher> {
        let publisher = Arc::new(MemoryPublisher::new(Limits { entries: 10, bytes: 1_000 }));
        publisher.order(faults);
        publisher
    }

    fn relay_to(publisher: &Arc<MemoryPublisher>) -> Relay {
        let (clock, random) = (Arc::<ManualClock>::default(), Arc::new(SeededRandom::new(1)));
        Relay::new(publisher.clone(), clock, random)
    }

    async fn hand_over(
        relay: &Relay,
        payloads: Option<&dyn PayloadStore>,
        records: Value,
    ) -> DynamoDbEventResponse {
        let event: Event = serde_json::from_value(json!({"Records": records})).expect("an event");
        handle(relay, payloads, event).await
    }

    fn failures(response: &DynamoDbEventResponse) -> Vec<&str> {
        let failures = response.batch_item_failures.iter();
        failures.filter_map(|failure| failure.item_identifier.as_deref()).collect()
    }

    #[tokio::test]
    async fn commits_are_published_and_nothing_is_reported() {
        let records =
            json!([record("INSERT", "11", &commit("1")), record("INSERT", "12", &commit("2"))]);
        let (response, taken) = relay(records, vec![]).await;
        assert_eq!((failures(&response), taken), (vec![], 2));
        assert_eq!(
            serde_json::to_value(&response).expect("JSON"),
            json!({"batchItemFailures": []})
        );
    }

    #[tokio::test]
    async fn the_first_record_that_was_not_sent_is_reported_by_its_sequence_number() {
        let records = json!([
            record("INSERT", "11", &commit("1")),
            record("INSERT", "12", &json!({"pk": {"S": "default/order#1"}})),
            record("INSERT", "13", &commit("3")),
        ]);
        let (response, taken) = relay(records, vec![]).await;
        assert_eq!((failures(&response), taken), (vec!["12"], 1));
        let (response, taken) =
            relay(json!([record("INSERT", "11", &commit("1"))]), vec![Fault::Call; 5]).await;
        assert_eq!((failures(&response), taken), (vec!["11"], 0));
    }

    #[tokio::test]
    async fn a_damaged_commit_is_reported_and_all_others_are_sent() {
        let damaged = json!({"pk": {"S": "default/order#1"}});
        let publisher = publisher(vec![]);
        let relay = relay_to(&publisher).with_dead_letters(publisher.clone());
        let records =
            json!([record("INSERT", "11", &damaged), record("INSERT", "12", &commit("2"))]);
        let response = hand_over(&relay, None, records).await;
        assert_eq!((failures(&response), publisher.taken().len()), (vec![], 1));
        let letters = publisher.letters();
        assert_eq!(letters.len(), 1, "{letters:?}");
        let DeadLetter { commit: name, reason } = &letters[0];
        assert!(
            name == "default/order#1 at 1" && reason.contains("not a valid commit"),
            "{name}: {reason}"
        );
    }

    /// A commit whose events are in the payload store under this id.
    fn kept_elsewhere(id: &ContentId) -> Value {
        let mut image = commit("1");
        let fields = image.as_object_mut().expect("an item");
        fields.remove("e");
        fields.insert("x".to_owned(), json!({"S": id.to_string()}));
        image
    }

    // Guards: only-impossible-items-are-given-up
    #[tokio::test]
    async fn a_commit_that_is_only_unreadable_for_now_is_retried_and_not_given_up() {
        let elsewhere = kept_elsewhere(&ContentId::of(b"[]"));
        let mut newer = commit("1");
        newer["format"] = json!({"N": "2"});
        let unavailable =
            Failing(|| PayloadError::Port(PortError::Unavailable("RequestTimeout".into())));
        let refused = Failing(|| PayloadError::Port(PortError::Refused("AccessDenied".into())));
        let cases: [(&Value, Option<&dyn PayloadStore>, &str); 4] = [
            (&elsewhere, Some(&unavailable), "an outage"),
            (&elsewhere, Some(&refused), "a missing right"),
            (&elsewhere, None, "a program without a payload store"),
            (&newer, None, "a newer format"),
        ];
        for (image, payloads, case) in cases {
            let publisher = publisher(vec![]);
            let relay = relay_to(&publisher).with_dead_letters(publisher.clone());
            let records =
                json!([record("INSERT", "11", image), record("INSERT", "12", &commit("2"))]);
            let response = hand_over(&relay, payloads, records).await;
            assert_eq!(failures(&response), ["11"], "{case}");
            assert_eq!((publisher.letters(), publisher.taken().len()), (vec![], 0), "{case}");
        }
    }

    // Guards: every-read-is-bounded
    #[tokio::test]
    async fn at_most_a_page_of_payloads_is_fetched_at_a_time() {
        let payloads = MemoryPayloadStore::default();
        let mut records = Vec::new();
        for (number, text) in ["a", "b", "c", "d"].into_iter().enumerate() {
            let text = text.repeat(MAX_PAGE_BYTES / 2 + 1);
            let content = json!([{
                "i": "018bcfe5-6800-7000-8000-000000000000", "t": "OrderDelivered", "v": 1,
                "d": {"text": text},
            }]);
            let id = ContentId::keep(&payloads, content.to_string()).await.expect("it is stored");
            records.push(record("INSERT", &number.to_string(), &kept_elsewhere(&id)));
        }
        let limits = Limits { entries: 10, bytes: 2 * MAX_PAGE_BYTES };
        let publisher = Arc::new(MemoryPublisher::new(limits));
        publisher.order(vec![Fault::Call; 5]);
        let relay = relay_to(&publisher);
        let response = hand_over(&relay, Some(&payloads), json!(records)).await;
        assert_eq!((failures(&response), payloads.fetches()), (vec!["0"], 2), "a page of two");
        let response = hand_over(&relay, Some(&payloads), json!(records)).await;
        assert_eq!((failures(&response), payloads.fetches()), (vec![], 6), "the rest");
    }

    /// A payload store that always fails.
    struct Failing(fn() -> PayloadError);

    #[async_trait]
    impl PayloadStore for Failing {
        async fn put(&self, _: &ContentId, _: String) -> Result<(), PayloadError> {
            Err((self.0)())
        }

        async fn get(&self, _: &ContentId) -> Result<Vec<u8>, PayloadError> {
            Err((self.0)())
        }

        fn uri(&self, id: &ContentId) -> String {
            id.to_string()
        }
    }

    /// The log refuses every commit that the bus behind it would refuse, including its metadata.
    // Guards: an-unpublishable-commit-blocks-nothing
    #[test]
    fn the_bus_accepts_every_event_that_the_log_accepts() {
        let longest = "x".repeat(64);
        let mut commit = commit("1");
        let data = "x".repeat(MAX_EVENT_BYTES - 11);
        let event = json!([{
            "i": "018bcfe5-6800-7000-8000-000000000000", "t": "OrderDelivered", "v": 1,
            "d": {"text": data},
        }]);
        let fields = commit.as_object_mut().expect("an item");
        fields.insert("e".to_owned(), json!({"S": event.to_string()}));
        let stamp = format!("{longest}\nDeliverOrder\nx\n2026-11-23T09:00:00Z\n{longest}");
        fields.insert("m".to_owned(), json!({"S": stamp}));
        let item: serde_dynamo::Item = serde_json::from_value(commit).expect("an item");
        let item: CommitItem = serde_dynamo::from_item(item).expect("an item");
        let commit = item.into_commit().expect("a commit");
        let envelope = commit.envelopes().next().expect("an event");
        assert_eq!(envelope.event.data.as_str().len(), MAX_EVENT_BYTES);
        let config = aws_sdk_eventbridge::Config::builder().behavior_version_latest().build();
        let client = aws_sdk_eventbridge::Client::from_conf(config);
        let bus = EventBridgePublisher::new(client, "bus", "orders");
        let weight = bus.weigh(&envelope).expect("the bus takes it");
        assert!(bus.limits().bytes - weight > 8 * 1_024, "with room to spare: {weight}");
    }

    // Guards: the-event-table-is-append-only
    #[tokio::test]
    async fn manual_changes_are_counted_and_not_published() {
        let records = json!([
            record("MODIFY", "11", &commit("1")),
            record("INSERT", "12", &commit("2")),
            record("REMOVE", "13", &json!(null)),
        ]);
        let event = serde_json::from_value(json!({"Records": records})).expect("an event");
        assert_eq!(changed_commits(&event), 2);
        let (response, taken) = relay(records, vec![]).await;
        assert_eq!((failures(&response), taken), (vec![], 1));
    }

    #[tokio::test]
    async fn a_payload_in_another_store_is_fetched_and_fails_its_record_if_missing() {
        let content = json!([{
            "i": "018bcfe5-6800-7000-8000-000000000000", "t": "OrderDelivered", "v": 1, "d": {},
        }]);
        let payloads = MemoryPayloadStore::default();
        let id = ContentId::keep(&payloads, content.to_string()).await.expect("it is stored");
        let records = json!([record("INSERT", "11", &kept_elsewhere(&id))]);
        let (response, taken) = relay_with(Some(&payloads), records.clone(), vec![]).await;
        assert_eq!((failures(&response), taken), (vec![], 1));
        let (response, taken) = relay(records.clone(), vec![]).await;
        assert_eq!((failures(&response), taken), (vec!["11"], 0));
        payloads.lose();
        let (response, taken) = relay_with(Some(&payloads), records, vec![]).await;
        assert_eq!((failures(&response), taken), (vec!["11"], 0));
    }
}
