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
