//! SQS queues behind rules of the bus: parsing of messages, and the response that names failed ones.
//!
//! The functions that consume them are in `projector`, `process` and `sealer`.

#[cfg(feature = "export")]
mod export;
mod process;
mod projector;
#[cfg(feature = "transparency")]
mod sealer;

use std::collections::BTreeSet;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsMessage};
use ledgerfold::vocabulary::{Delivery, Receipt};
use ledgerfold_eventbridge::{BusMessage, NotABusMessage, Origin, SigningKey};

#[cfg(feature = "export")]
pub use export::serve_export;
pub use process::serve_process;
pub use projector::serve_projector;
#[cfg(feature = "transparency")]
pub use sealer::serve_sealer;

#[cfg(test)]
pub(crate) use messages::batch;

/// SQS's id of a message.
pub(crate) fn receipt(message: &SqsMessage) -> Receipt {
    Receipt(message.message_id.clone().unwrap_or_default())
}

/// The messages of a batch without the relay's signature. The core confirms each of them from the log.
#[derive(Default)]
struct Unsigned(BTreeSet<Receipt>);

impl Unsigned {
    /// Parses a message that the bus has put into the queue.
    fn read(&mut self, message: &SqsMessage, key: &SigningKey) -> Result<Delivery, NotABusMessage> {
        let body = message.body.as_deref().unwrap_or_default();
        let BusMessage { content, replay, origin, .. } = BusMessage::parse(body, key)?;
        let receipt = receipt(message);
        if origin == Origin::Unknown {
            self.0.insert(receipt.clone());
        }
        Ok(Delivery { receipt, content: Ok(content), replay })
    }

    /// How many unsigned messages failed. A genuine event is in the log, so it only fails if the log itself
    /// cannot be read.
    fn among<'a>(&self, failed: impl IntoIterator<Item = &'a Receipt>) -> usize {
        let unconfirmed = failed.into_iter().filter(|receipt| self.0.contains(receipt));
        unconfirmed
            .inspect(|receipt| {
                let message = &receipt.0;
                tracing::warn!(
                    message,
                    "an event has no signature of the relay, and the log does not confirm it"
                );
            })
            .count()
    }
}

/// A message that is not an event of the bus.
fn unreadable(message: &SqsMessage, error: &NotABusMessage) -> Delivery {
    Delivery { receipt: receipt(message), content: Err(error.to_string()), replay: None }
}

/// Names the messages that SQS must deliver again.
pub(crate) fn response(failed: impl IntoIterator<Item = Receipt>) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    response.set_failures(failed.into_iter().map(|receipt| receipt.0));
    response
}

/// Messages for tests.
#[cfg(test)]
mod messages {
    use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
    use ledgerfold::vocabulary::Commit;
    use ledgerfold_eventbridge::{CloudEvent, SigningKey};
    use serde_json::{Value, json};

    pub(crate) fn batch(messages: &[(&str, Value)]) -> SqsEvent {
        let records: Vec<_> = messages.iter().map(|(id, body)| message(id, body)).collect();
        serde_json::from_value(json!({"Records": records})).expect("an event")
    }

    fn message(id: &str, body: &Value) -> Value {
        json!({"messageId": id, "receiptHandle": "r", "body": body.to_string(), "attributes": {},
               "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "us-east-1"})
    }

    pub(super) fn key() -> SigningKey {
        SigningKey::new("the secret of the notes").expect("it is long enough")
    }

    pub(super) fn on_the_bus(commit: &Commit) -> Value {
        let envelope = commit.envelopes().next().expect("a commit has an event");
        let event = CloudEvent::new("notes", &envelope).signed(&key());
        json!({"detail": event.expect("it is JSON")})
    }

    /// The same message, published by a stranger without the key.
    pub(super) fn forged(commit: &Commit) -> Value {
        let mut message = on_the_bus(commit);
        message["detail"].as_object_mut().expect("an object").remove("signature");
        message
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
