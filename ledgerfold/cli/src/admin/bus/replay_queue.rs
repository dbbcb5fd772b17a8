//! The audit's own queue, which receives the replayed events. Nobody else reads it.

use aws_sdk_sqs::{
    Client,
    types::{DeleteMessageBatchRequestEntry, Message},
};
use futures::future::try_join_all;
use ledgerfold::{
    EventId,
    vocabulary::{Form, ReplayName},
};
use ledgerfold_eventbridge::{BusMessage, Label};

use crate::{
    dead_letters::{attributes, failed},
    error::CliError,
};

/// The most messages SQS returns for one call.
const PER_CALL: i32 = 10;
/// How many calls run concurrently.
const CONCURRENT_CALLS: usize = 16;
/// Visibility timeout in seconds. Messages are deleted at once, so it only matters when an answer of SQS
/// is lost: then they return soon.
const VISIBILITY_TIMEOUT: i32 = 30;

/// Receives the events of one replay.
pub(super) struct ReplayQueue<'a> {
    pub(super) sqs: &'a Client,
    pub(super) queue: &'a str,
    pub(super) replay: &'a ReplayName,
    /// How long one call waits for a message, in seconds.
    pub(super) wait_seconds: i32,
}

/// The result of some calls.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Received {
    /// How many messages, including those of other replays.
    pub(super) messages: usize,
    /// The events of this replay.
    pub(super) events: Vec<(EventId, Form)>,
}

impl ReplayQueue<'_> {
    /// Receives messages, waiting a while if there are none.
    pub(super) async fn receive(&self) -> Result<Received, CliError> {
        let calls = try_join_all((0..CONCURRENT_CALLS).map(|_| self.receive_batch())).await?;
        let mut all = Received::default();
        for Received { messages, events } in calls {
            all.messages += messages;
            all.events.extend(events);
        }
        Ok(all)
    }

    /// Whether no message is waiting or in flight. SQS only reports approximate numbers.
    pub(super) async fn is_empty(&self) -> Result<bool, CliError> {
        let attributes = attributes(self.sqs, self.queue).await?;
        Ok(attributes.waiting == 0 && attributes.in_flight == 0)
    }

    async fn receive_batch(&self) -> Result<Received, CliError> {
        let answer = self
            .sqs
            .receive_message()
            .queue_url(self.queue)
            .max_number_of_messages(PER_CALL)
            .visibility_timeout(VISIBILITY_TIMEOUT)
            .wait_time_seconds(self.wait_seconds)
            .send()
            .await
            .map_err(failed("ReceiveMessage"))?;
        let messages = answer.messages.unwrap_or_default();
        let mut received = Received { messages: messages.len(), events: Vec::new() };
        let mut done = Vec::new();
        for message in &messages {
            // An unreadable message stays in the queue, and ends in its dead-letter queue.
            let label = BusMessage::label(message.body().unwrap_or_default());
            let Ok(Label { event, form, replay }) = label else { continue };
            if replay.as_ref() == Some(self.replay) {
                received.events.push((event, form));
            }
            // Messages of other replays are left over from an abandoned audit.
            done.push(message);
        }
        self.delete(&done).await?;
        Ok(received)
    }

    /// A message that is not deleted returns and is counted twice, which does no harm: events have ids.
    async fn delete(&self, messages: &[&Message]) -> Result<(), CliError> {
        if messages.is_empty() {
            return Ok(());
        }
        let entries = messages.iter().enumerate().map(|(at, message)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(at.to_string());
            entry.receipt_handle(message.receipt_handle().unwrap_or_default()).build()
        });
        let entries: Vec<_> = entries.collect::<Result<_, _>>().map_err(failed("DeleteMessage"))?;
        let delete = self.sqs.delete_message_batch().queue_url(self.queue);
        let answer = delete.set_entries(Some(entries)).send().await;
        answer.map(|_| ()).map_err(failed("DeleteMessageBatch"))
    }
}

#[cfg(test)]
mod tests {
    use ledgerfold::vocabulary::ReplayName;
    use ledgerfold_proofs::{
        RecordedAnswer::{self, Json},
        RecordedService,
    };
    use serde_json::{Value, json};

    use super::ReplayQueue;
    use crate::connection::{Connection, Place};

    /// An event as the bus delivers it, by this replay.
    fn event(id: &str, replay: &str) -> Value {
        json!({
            "id": "somebody-else-s",
            "replay-name": replay,
            "detail": {
                "specversion": "1.0", "id": id, "source": "/ledgerfold/bank", "type": "Opened",
                "subject": "default/account#1", "time": "2026-11-23T12:00:00Z",
                "datacontenttype": "application/json", "data": {},
                "dataschema": "urn:ledgerfold:bank:Opened:1",
                "sequence": 1, "commitfrom": 1, "committo": 1,
                "correlationid": "c", "causationid": "018bcfe5-6800-7000-8000-00000000000c",
                "commandid": "018bcfe5-6800-7000-8000-00000000000c", "actor": "system:test",
            },
        })
    }

    fn ok(body: &Value) -> RecordedAnswer {
        Json(200, body.to_string())
    }

    // Guards: unpublished-events-are-found-and-published
    #[tokio::test]
    async fn events_of_this_replay_are_counted_and_readable_messages_are_deleted() {
        let (ours, theirs) =
            ("018bcfe5-6800-7000-8000-000000000001", "018bcfe5-6800-7000-8000-000000000002");
        let bodies =
            [event(ours, "audit-1").to_string(), event(theirs, "audit-0").to_string(), "?".into()];
        let messages: Vec<_> = bodies
            .iter()
            .enumerate()
            .map(|(at, body)| json!({"ReceiptHandle": format!("receipt-{at}"), "Body": body}))
            .collect();
        let receipt = ok(&json!({"Messages": messages}));
        let deleted = ok(&json!({"Successful": [], "Failed": []}));
        let service = RecordedService::start([receipt, deleted]).await;
        let endpoint = service.endpoint().to_owned();
        let place = Place::LocalCloud { endpoint, tables: None, region: None };
        let sqs = Connection::to(place).sqs().await;
        let replay = ReplayName("audit-1".to_owned());
        let queue = ReplayQueue { sqs: &sqs, queue: "http://q", replay: &replay, wait_seconds: 1 };

        let received = queue.receive_batch().await.expect("the queue answers");
        let events: Vec<_> = received.events.iter().map(|(event, _)| event.to_string()).collect();
        assert_eq!((received.messages, events), (3, vec![ours.to_owned()]));
        let deletion: Value = serde_json::from_str(&service.requests()[1]).expect("JSON");
        let receipts: Vec<_> = deletion["Entries"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|entry| entry["ReceiptHandle"].clone())
            .collect();
        assert_eq!(receipts, ["receipt-0", "receipt-1"]);
    }
}
