//! The queue of the audit, message by message.

use aws_sdk_sqs::{
    Client,
    types::{DeleteMessageBatchRequestEntry, Message},
};
use futures::future::try_join_all;
use ledgerfold::{EventId, vocabulary::ReplayName};
use ledgerfold_eventbridge::BusMessage;

use crate::{
    dead_letters::{attributes, failed},
    error::CliError,
};

/// The most messages that one call brings.
const PER_CALL: i32 = 10;
/// How many calls are under way at a time.
const CONCURRENT_CALLS: usize = 16;
/// How long a message is out of sight, in seconds: it is deleted at once, and comes again soon if the
/// answer that brought it was lost.
const OUT_OF_SIGHT: i32 = 30;

/// Hears what one replay brings.
pub(super) struct Ears<'a> {
    pub(super) sqs: &'a Client,
    pub(super) queue: &'a str,
    pub(super) replay: &'a ReplayName,
    /// How long a call waits for a message, in seconds.
    pub(super) patience: i32,
}

/// What some calls have brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Brought {
    /// How many messages, of whatever replay.
    pub(super) messages: usize,
    /// The events of this replay.
    pub(super) events: Vec<EventId>,
}

impl Ears<'_> {
    /// Takes what is there, or waits for it for a while.
    pub(super) async fn listen(&self) -> Result<Brought, CliError> {
        let calls = try_join_all((0..CONCURRENT_CALLS).map(|_| self.take())).await?;
        let mut all = Brought::default();
        for Brought { messages, events } in calls {
            all.messages += messages;
            all.events.extend(events);
        }
        Ok(all)
    }

    /// Whether nothing waits in the queue, and nothing is out of sight; SQS says it approximately.
    pub(super) async fn is_silent(&self) -> Result<bool, CliError> {
        let there = attributes(self.sqs, self.queue).await?;
        Ok(there.waiting == 0 && there.in_flight == 0)
    }

    async fn take(&self) -> Result<Brought, CliError> {
        let answer = self
            .sqs
            .receive_message()
            .queue_url(self.queue)
            .max_number_of_messages(PER_CALL)
            .visibility_timeout(OUT_OF_SIGHT)
            .wait_time_seconds(self.patience)
            .send()
            .await
            .map_err(failed("ReceiveMessage"))?;
        let messages = answer.messages.unwrap_or_default();
        let mut brought = Brought { messages: messages.len(), events: Vec::new() };
        let mut done = Vec::new();
        for message in &messages {
            // What cannot be read stays, and goes to the dead-letter queue in the end.
            let label = BusMessage::label(message.body().unwrap_or_default());
            let Ok((event, replay)) = label else { continue };
            if replay.as_ref() == Some(self.replay) {
                brought.events.push(event);
            }
            // Others are left over from an audit that was given up.
            done.push(message);
        }
        self.delete(&done).await?;
        Ok(brought)
    }

    /// What is not deleted comes again, and is heard once more.
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

    use super::Ears;
    use crate::connection::{Connection, Place};

    /// An event as the bus delivers it, by this replay.
    fn event(id: &str, replay: &str) -> Value {
        json!({
            "id": "somebody-else-s",
            "replay-name": replay,
            "detail": {
                "specversion": "1.0", "id": id, "source": "/ledgerfold/library", "type": "BookLent",
                "subject": "book#1", "time": "2026-11-23T12:00:00Z",
                "datacontenttype": "application/json", "data": {},
                "dataschema": "urn:ledgerfold:library:BookLent:1",
                "sequence": 1, "commitfrom": 1, "committo": 1,
                "correlationid": "c", "causationid": "018bcfe5-6800-7000-8000-00000000000c",
                "commandid": "018bcfe5-6800-7000-8000-00000000000c", "actor": "system:test",
            },
        })
    }

    fn ok(body: &Value) -> RecordedAnswer {
        Json(200, body.to_string())
    }

    #[tokio::test]
    async fn what_this_replay_brings_is_heard_and_what_can_be_read_is_deleted() {
        let (ours, theirs) =
            ("018bcfe5-6800-7000-8000-000000000001", "018bcfe5-6800-7000-8000-000000000002");
        let bodies =
            [event(ours, "audit-1").to_string(), event(theirs, "audit-0").to_string(), "?".into()];
        let messages: Vec<_> = bodies
            .iter()
            .enumerate()
            .map(|(at, body)| json!({"ReceiptHandle": format!("receipt-{at}"), "Body": body}))
            .collect();
        let received = ok(&json!({"Messages": messages}));
        let deleted = ok(&json!({"Successful": [], "Failed": []}));
        let service = RecordedService::start([received, deleted]).await;
        let endpoint = service.endpoint().to_owned();
        let place = Place::LocalCloud { endpoint, tables: None, region: None };
        let sqs = Connection::to(place).sqs().await;
        let replay = ReplayName("audit-1".to_owned());
        let ears = Ears { sqs: &sqs, queue: "http://q", replay: &replay, patience: 1 };

        let brought = ears.take().await.expect("the queue answers");
        let heard: Vec<_> = brought.events.iter().map(ToString::to_string).collect();
        assert_eq!((brought.messages, heard), (3, vec![ours.to_owned()]));
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
