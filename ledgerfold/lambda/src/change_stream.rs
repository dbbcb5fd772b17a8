use std::sync::Arc;

use aws_lambda_events::{
    dynamodb::{Event, EventRecord},
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use lambda_runtime::{LambdaEvent, run, service_fn};
use ledgerfold::relay::{Relay, StreamRecord};
use ledgerfold_dynamodb::CommitItem;

use crate::RunError;

/// Runs a relay on the records of a table's stream.
///
/// The mapping must report batch item failures: a record that could not be sent is named, and it
/// and all behind it come again.
///
/// # Errors
/// The runtime's, when it cannot go on.
pub async fn serve_relay(relay: Relay) -> Result<(), RunError> {
    let relay = Arc::new(relay);
    run(service_fn(move |event: LambdaEvent<Event>| {
        let relay = relay.clone();
        async move { Ok::<_, RunError>(handle(&relay, event.payload).await) }
    }))
    .await
}

async fn handle(relay: &Relay, event: Event) -> DynamoDbEventResponse {
    let records: Vec<_> = event.records.into_iter().filter_map(record).collect();
    let mut response = DynamoDbEventResponse::default();
    if let Err(unsent) = relay.publish(&records).await {
        tracing::error!(record = unsent.sequence_number, reason = unsent.reason, "record not sent");
        let mut failure = DynamoDbBatchItemFailure::default();
        failure.item_identifier = Some(unsent.sequence_number);
        response.batch_item_failures = vec![failure];
    }
    response
}

/// An appended commit. Nothing else can happen to the event table: what a person with more rights
/// does to it is not news for the bus, and is left to the audit.
fn record(record: EventRecord) -> Option<StreamRecord> {
    if record.event_name != "INSERT" {
        tracing::error!(change = record.event_name, "the event table was changed by hand");
        return None;
    }
    let commit = CommitItem::from_attributes(record.change.new_image)
        .and_then(CommitItem::into_commit)
        .map_err(|error| error.to_string());
    let sequence_number = record.change.sequence_number.unwrap_or_default();
    Some(StreamRecord { sequence_number, commit })
}

#[cfg(test)]
mod tests {
    use ledgerfold::ports::Limits;
    use ledgerfold_testkit::{Fault, ManualClock, MemoryPublisher, SeededRandom};
    use serde_json::{Value, json};

    use super::{Arc, DynamoDbEventResponse, Event, Relay, handle};

    /// A record as Lambda brings it.
    fn record(change: &str, sequence_number: &str, image: &Value) -> Value {
        json!({
            "eventID": "1", "eventName": change, "eventVersion": "1.1", "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1", "eventSourceARN": "arn:aws:dynamodb:us-east-1:1:table/t/stream/s",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_700_000_000,
                "Keys": {"pk": {"S": "order#1"}, "sk": {"N": "1"}},
                "NewImage": image, "SequenceNumber": sequence_number, "SizeBytes": 100,
                "StreamViewType": "NEW_IMAGE",
            },
        })
    }

    fn commit(version: &str) -> Value {
        json!({
            "pk": {"S": "order#1"}, "sk": {"N": version}, "to": {"N": version},
            "e": {"L": [{"M": {
                "i": {"S": "018bcfe5-6800-7000-8000-000000000000"}, "t": {"S": "OrderDelivered"},
                "v": {"N": "1"}, "d": {"S": "{}"},
            }}]},
            "c": {"M": {"i": {"S": "command-1"}, "n": {"S": "DeliverOrder"}, "f": {"S": "x"}}},
            "m": {"M": {"t": {"S": "2026-11-23T09:00:00Z"}, "a": {"S": "anonymous"}}},
        })
    }

    async fn relay(records: Value, faults: Vec<Fault>) -> (DynamoDbEventResponse, usize) {
        let publisher = Arc::new(MemoryPublisher::new(Limits { entries: 10, bytes: 1_000 }));
        publisher.order(faults);
        let (clock, random) = (Arc::<ManualClock>::default(), Arc::new(SeededRandom::new(1)));
        let relay = Relay::new(publisher.clone(), clock, random);
        let event: Event = serde_json::from_value(json!({"Records": records})).expect("an event");
        (handle(&relay, event).await, publisher.taken().len())
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
            record("INSERT", "12", &json!({"pk": {"S": "order#1"}})),
            record("INSERT", "13", &commit("3")),
        ]);
        let (response, taken) = relay(records, vec![]).await;
        assert_eq!((failures(&response), taken), (vec!["12"], 1));
        let (response, taken) =
            relay(json!([record("INSERT", "11", &commit("1"))]), vec![Fault::Call; 5]).await;
        assert_eq!((failures(&response), taken), (vec!["11"], 0));
    }

    #[tokio::test]
    async fn what_was_done_by_hand_is_not_published() {
        let records =
            json!([record("MODIFY", "11", &commit("1")), record("INSERT", "12", &commit("2"))]);
        let (response, taken) = relay(records, vec![]).await;
        assert_eq!((failures(&response), taken), (vec![], 1));
    }
}
