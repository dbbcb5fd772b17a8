//! Queues behind rules of the bus.

mod process;
mod projector;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsMessage};
use ledgerfold::project::{Delivery, Receipt};
use ledgerfold_eventbridge::{BusMessage, NotABusMessage};

pub use process::serve_process;
pub use projector::serve_projector;

/// What SQS calls a message.
fn receipt(message: &SqsMessage) -> Receipt {
    Receipt(message.message_id.clone().unwrap_or_default())
}

/// A message as the bus has made it.
fn from_the_bus(message: &SqsMessage) -> Result<Delivery, NotABusMessage> {
    let body = message.body.as_deref().unwrap_or_default();
    let BusMessage { content, replay, .. } = BusMessage::parse(body)?;
    Ok(Delivery { receipt: receipt(message), content: Ok(content), replay })
}

/// A message that nobody here can read.
fn unreadable(message: &SqsMessage, error: &NotABusMessage) -> Delivery {
    Delivery { receipt: receipt(message), content: Err(error.to_string()), replay: None }
}

/// Names the messages that must come again.
fn response(failed: impl IntoIterator<Item = Receipt>) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    response.set_failures(failed.into_iter().map(|receipt| receipt.0));
    response
}

/// Messages to test with.
#[cfg(test)]
mod messages {
    use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
    use ledgerfold::Commit;
    use ledgerfold_eventbridge::CloudEvent;
    use serde_json::{Value, json};

    pub(super) fn batch(messages: &[(&str, Value)]) -> SqsEvent {
        let records: Vec<_> = messages.iter().map(|(id, body)| message(id, body)).collect();
        serde_json::from_value(json!({"Records": records})).expect("an event")
    }

    fn message(id: &str, body: &Value) -> Value {
        json!({"messageId": id, "receiptHandle": "r", "body": body.to_string(), "attributes": {},
               "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "us-east-1"})
    }

    pub(super) fn on_the_bus(commit: &Commit) -> Value {
        let envelope = commit.envelopes().next().expect("a commit has an event");
        json!({"detail": CloudEvent::new("notes", &envelope)})
    }

    pub(super) fn replayed(mut message: Value) -> Value {
        message["replay-name"] = json!("again");
        message
    }

    pub(super) fn failures(response: &SqsBatchResponse) -> Vec<&str> {
        let failures = response.batch_item_failures.iter();
        failures.map(|failure| failure.item_identifier.as_str()).collect()
    }
}
