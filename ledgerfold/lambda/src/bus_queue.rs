use std::sync::Arc;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::{LambdaEvent, run, service_fn};
use ledgerfold::{
    process::{ProcessHandler, ProcessManager},
    project::{Delivery, Projector, Receipt},
};
use ledgerfold_eventbridge::BusMessage;

use crate::RunError;

/// Runs a projector on the messages that a rule of the bus puts into a queue.
///
/// The mapping must report batch item failures: messages that could not be applied are named, and
/// they alone come again.
///
/// # Errors
/// The runtime's, when it cannot go on.
pub async fn serve_projector(projector: Projector) -> Result<(), RunError> {
    let projector = Arc::new(projector);
    run(service_fn(move |event: LambdaEvent<SqsEvent>| {
        let projector = projector.clone();
        async move {
            let failed = projector.project(deliveries(event.payload)).await;
            Ok::<_, RunError>(response(failed))
        }
    }))
    .await
}

/// Runs a process manager on the messages that a rule of the bus puts into a queue.
///
/// The rule should keep replays away, and the handler refuses those that come all the same. The
/// mapping must report batch item failures: messages whose reactions did not all take effect are
/// named, and they alone come again.
///
/// # Errors
/// The runtime's, when it cannot go on.
pub async fn serve_process<P: ProcessManager>(handler: ProcessHandler<P>) -> Result<(), RunError> {
    run(service_fn(move |event: LambdaEvent<SqsEvent>| {
        let handler = handler.clone();
        async move {
            let failed = handler.handle(deliveries(event.payload)).await;
            Ok::<_, RunError>(response(failed))
        }
    }))
    .await
}

fn deliveries(event: SqsEvent) -> Vec<Delivery> {
    event.records.into_iter().map(delivery).collect()
}

/// Names the messages that must come again.
fn response(failed: Vec<(Receipt, String)>) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    response.set_failures(failed.into_iter().map(|(receipt, _)| receipt.0));
    response
}

fn delivery(message: SqsMessage) -> Delivery {
    let receipt = Receipt(message.message_id.unwrap_or_default());
    match BusMessage::parse(message.body.as_deref().unwrap_or_default()) {
        Ok(BusMessage { content, replay, .. }) => {
            Delivery { receipt, content: Ok(content), replay }
        }
        Err(error) => Delivery { receipt, content: Err(error.to_string()), replay: None },
    }
}

#[cfg(test)]
mod tests {
    use ledgerfold::{
        CommandId, Commit, ProcessName, Recorded, StreamId, Version,
        command::{CommandHandler, Loaded},
        ports::{DeadlineKey, EventStore},
        process::Reaction,
        project::{Projection, RowModel},
    };
    use ledgerfold_eventbridge::CloudEvent;
    use ledgerfold_testkit::{
        ManualClock, MemoryDeadlineStore, MemoryEventStore, MemoryRowStore, SeededRandom,
        conformance::notebook::{Notebook, NotebookEvent, Write, commit, fresh},
    };
    use serde_json::{Value, json};

    use super::{
        Arc, ProcessHandler, ProcessManager, Projector, SqsBatchResponse, SqsEvent, deliveries,
        response,
    };

    struct Count;

    impl Projection for Count {
        type Event = NotebookEvent;
        type Row = u32;

        fn evolve(row: Option<u32>, _: &Recorded<NotebookEvent>) -> Result<Option<u32>, String> {
            Ok(Some(row.unwrap_or(0) + 1))
        }
    }

    /// Writes what was written into another book.
    struct Copy;

    impl ProcessManager for Copy {
        type Event = NotebookEvent;
        type Target = Notebook;
        type Settings = StreamId;

        const NAME: ProcessName = ProcessName::from_static("copy");

        fn react(event: &Recorded<NotebookEvent>, copy: &StreamId) -> Vec<Reaction<Write>> {
            let NotebookEvent::NoteWritten(note) = &event.event;
            let (stream, command) = (copy.clone(), Write(vec![note.text.clone()]));
            vec![Reaction::Send { stream, command }]
        }

        fn expire(_: &DeadlineKey) -> Option<Write> {
            None
        }
    }

    fn message(id: &str, body: &Value) -> Value {
        json!({"messageId": id, "receiptHandle": "r", "body": body.to_string(), "attributes": {},
               "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "us-east-1"})
    }

    fn batch(messages: &[Value]) -> SqsEvent {
        serde_json::from_value(json!({"Records": messages})).expect("an event")
    }

    fn on_the_bus(commit: &Commit) -> Value {
        let envelope = commit.envelopes().next().expect("a commit has an event");
        json!({"detail": CloudEvent::new("notes", &envelope)})
    }

    fn replayed(mut message: Value) -> Value {
        message["replay-name"] = json!("again");
        message
    }

    fn failures(response: &SqsBatchResponse) -> Vec<&str> {
        let failures = response.batch_item_failures.iter();
        failures.map(|failure| failure.item_identifier.as_str()).collect()
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
        let handle = async |event| response(projector.project(deliveries(event)).await);
        let event = batch(&[
            message("good", &replayed(on_the_bus(first.as_commit()))),
            message("garbage", &json!({"detail": {}})),
        ]);
        assert_eq!(failures(&handle(event).await), ["garbage"]);
        assert_eq!(rows.rows()[0].version, Version::new(1));

        let mut ahead = on_the_bus(never_stored.as_commit());
        ahead["detail"]["sequence"] = json!(3);
        ahead["detail"]["commitfrom"] = json!(3);
        ahead["detail"]["committo"] = json!(3);
        assert_eq!(failures(&handle(batch(&[message("ahead", &ahead)])).await), ["ahead"]);
    }

    #[tokio::test]
    async fn a_process_reacts_to_messages_and_to_no_replayed_one() {
        let log = Arc::new(MemoryEventStore::default());
        let (clock, random) = (Arc::<ManualClock>::default(), Arc::new(SeededRandom::new(1)));
        let commands = CommandHandler::new(log.clone(), clock, random);
        let deadlines = Arc::new(MemoryDeadlineStore::default());
        let process = ProcessHandler::<Copy>::new(fresh(), commands, deadlines, log.clone());
        let handle = async |event| response(process.handle(deliveries(event)).await);

        let fresh_commit = |note| commit(&Loaded::unread(fresh()), note, &[note], 60);
        let (heard, again) = (fresh_commit("heard"), fresh_commit("again"));
        let (heard, again) = (on_the_bus(heard.as_commit()), on_the_bus(again.as_commit()));
        let event = batch(&[
            message("good", &heard),
            message("repeated", &heard),
            message("replayed", &replayed(again)),
            message("garbage", &json!({"detail": {}})),
        ]);
        assert_eq!(failures(&handle(event).await), ["garbage"]);
        let commits = log.commits();
        let notes: Vec<_> = commits.iter().flat_map(Commit::events).collect();
        assert_eq!(notes.len(), 1);
        assert_eq!(notes[0].1.data.as_str(), r#"{"text":"heard"}"#);
    }
}
