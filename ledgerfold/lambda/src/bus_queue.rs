use std::sync::Arc;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::{LambdaEvent, run, service_fn};
use ledgerfold::project::{Consumer, Delivery, Receipt};
use ledgerfold_eventbridge::BusMessage;

use crate::RunError;

/// Runs a projector on the messages that a rule of the bus puts into a queue: a
/// [`Generational`](ledgerfold::project::Generational), or a
/// [`Projector`](ledgerfold::project::Projector) where there are no generations.
///
/// The mapping must report batch item failures: messages that could not be applied are named, and
/// they alone come again.
///
/// # Errors
/// The runtime's, when it cannot go on.
pub async fn serve_projector(projector: impl Consumer + 'static) -> Result<(), RunError> {
    let projector = Arc::new(projector);
    run(service_fn(move |event: LambdaEvent<SqsEvent>| {
        let projector = projector.clone();
        async move { Ok::<_, RunError>(handle(&*projector, event.payload).await) }
    }))
    .await
}

async fn handle(projector: &impl Consumer, event: SqsEvent) -> SqsBatchResponse {
    let deliveries = event.records.into_iter().map(delivery).collect();
    let failed = projector.consume(deliveries).await;
    let mut response = SqsBatchResponse::default();
    response.set_failures(failed.into_iter().map(|(receipt, _)| receipt.0));
    response
}

fn delivery(message: SqsMessage) -> Delivery {
    let receipt = Receipt(message.message_id.unwrap_or_default());
    match BusMessage::parse(message.body.as_deref().unwrap_or_default()) {
        Ok(BusMessage { content, replay }) => Delivery { receipt, content: Ok(content), replay },
        Err(error) => Delivery { receipt, content: Err(error.to_string()), replay: None },
    }
}

#[cfg(test)]
mod tests {
    use ledgerfold::{
        CommandId, Commit, Recorded, Version,
        command::Loaded,
        ports::EventStore,
        project::{Projection, Projector, RowModel},
    };
    use ledgerfold_eventbridge::CloudEvent;
    use ledgerfold_testkit::{
        ManualClock, MemoryEventStore, MemoryRowStore, SeededRandom,
        conformance::notebook::{NotebookEvent, commit, fresh},
    };
    use serde_json::{Value, json};

    use super::{Arc, SqsBatchResponse, SqsEvent, handle};

    struct Count;

    impl Projection for Count {
        type Event = NotebookEvent;
        type Row = u32;

        fn evolve(row: Option<u32>, _: &Recorded<NotebookEvent>) -> Result<Option<u32>, String> {
            Ok(Some(row.unwrap_or(0) + 1))
        }
    }

    fn message(id: &str, body: &Value) -> Value {
        json!({"messageId": id, "receiptHandle": "r", "body": body.to_string(), "attributes": {},
               "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "us-east-1"})
    }

    fn on_the_bus(commit: &Commit) -> Value {
        let envelope = commit.envelopes().next().expect("a commit has an event");
        json!({"detail": CloudEvent::new("notes", &envelope), "replay-name": "again"})
    }

    #[tokio::test]
    async fn messages_are_applied_and_those_that_cannot_be_are_named() {
        let log = Arc::new(MemoryEventStore::default());
        let stream = fresh();
        let mut head = Loaded::unread(stream.clone());
        let first = commit(&head, "one", &["a"], 60);
        log.append(&first).await.expect("the version is free");
        let nobody = CommandId::new("nobody").expect("visible ASCII");
        head.read_on(&*log, &nobody).await.expect("it can be read");
        let never_stored = commit(&head, "two", &["b"], 60);

        let rows = Arc::new(MemoryRowStore::default());
        let model = Arc::new(RowModel::<Count>::new(rows.clone()));
        let (clock, random) = (Arc::<ManualClock>::default(), Arc::new(SeededRandom::new(1)));
        let projector = Projector::new(model, log, clock, random);
        let event: SqsEvent = serde_json::from_value(json!({"Records": [
            message("good", &on_the_bus(first.as_commit())),
            message("garbage", &json!({"detail": {}})),
        ]}))
        .expect("an event");
        let response = handle(&projector, event).await;
        assert_eq!(failures(&response), ["garbage"]);
        assert_eq!(rows.rows()[0].version, Version::new(1));

        let mut ahead = on_the_bus(never_stored.as_commit());
        ahead["detail"]["sequence"] = json!(3);
        ahead["detail"]["commitfrom"] = json!(3);
        ahead["detail"]["committo"] = json!(3);
        let event = json!({"Records": [message("ahead", &ahead)]});
        let event: SqsEvent = serde_json::from_value(event).expect("an event");
        assert_eq!(failures(&handle(&projector, event).await), ["ahead"]);
    }

    fn failures(response: &SqsBatchResponse) -> Vec<&str> {
        let failures = response.batch_item_failures.iter();
        failures.map(|failure| failure.item_identifier.as_str()).collect()
    }
}
