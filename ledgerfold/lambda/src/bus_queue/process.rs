use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::{LambdaEvent, run, service_fn};
use ledgerfold::{
    process::{ProcessHandler, ProcessManager},
    project::{Delivery, Receipt},
};

use super::{from_the_bus, response, unreadable};
use crate::RunError;

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
            let failed = handler.handle(deliveries(&event.payload)).await;
            Ok::<_, RunError>(response(receipts(failed)))
        }
    }))
    .await
}

fn deliveries(event: &SqsEvent) -> Vec<Delivery> {
    let messages = event.records.iter();
    messages
        .map(|message| from_the_bus(message).unwrap_or_else(|error| unreadable(message, &error)))
        .collect()
}

fn receipts(failed: Vec<(Receipt, String)>) -> impl Iterator<Item = Receipt> {
    failed.into_iter().map(|(receipt, _)| receipt)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ledgerfold::{
        Commit, ProcessName, Recorded, StreamId,
        command::{CommandHandler, Loaded},
        ports::DeadlineKey,
        process::Reaction,
    };
    use ledgerfold_testkit::{
        ManualClock, MemoryDeadlineStore, MemoryEventStore, SeededRandom,
        conformance::notebook::{Notebook, NotebookEvent, Write, commit, fresh},
    };
    use serde_json::json;

    use super::{ProcessHandler, ProcessManager, deliveries, receipts, response};
    use crate::bus_queue::messages::{batch, failures, on_the_bus, replayed};

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

    #[tokio::test]
    async fn a_process_reacts_to_messages_and_to_no_replayed_one() {
        let log = Arc::new(MemoryEventStore::default());
        let (clock, random) = (Arc::<ManualClock>::default(), Arc::new(SeededRandom::new(1)));
        let commands = CommandHandler::new(log.clone(), clock, random);
        let deadlines = Arc::new(MemoryDeadlineStore::default());
        let process = ProcessHandler::<Copy>::new(fresh(), commands, deadlines, log.clone());
        let handle = async |event| response(receipts(process.handle(deliveries(&event)).await));

        let fresh_commit = |note| commit(&Loaded::unread(fresh()), note, &[note], 60);
        let (heard, again) = (fresh_commit("heard"), fresh_commit("again"));
        let (heard, again) = (on_the_bus(heard.as_commit()), on_the_bus(again.as_commit()));
        let event = batch(&[
            ("good", heard.clone()),
            ("repeated", heard),
            ("replayed", replayed(again)),
            ("garbage", json!({"detail": {}})),
        ]);
        assert_eq!(failures(&handle(event).await), ["garbage"]);
        let commits = log.commits();
        let notes: Vec<_> = commits.iter().flat_map(Commit::events).collect();
        assert_eq!(notes.len(), 1);
        assert_eq!(notes[0].1.data.as_str(), r#"{"text":"heard"}"#);
    }
}
