//! The function that runs a process manager.

use std::sync::Arc;

use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::{LambdaEvent, run, service_fn};
use ledgerfold::{
    context::Reacting,
    vocabulary::{Delivery, Receipt},
};

use ledgerfold_eventbridge::SigningKey;

use super::{Unsigned, response, unreadable};
use crate::{RunError, metrics};

/// Runs a process manager on the messages that a rule of the bus puts into a queue.
///
/// Events without the relay's signature are read from the log. If the log does not have one, its message
/// fails, no reaction follows, and the metric `UnconfirmedEvents` is written to the log.
///
/// The rule should filter out replays; the handler ignores those that arrive anyway. The event source
/// mapping must report batch item failures: only messages with a failed reaction are named and delivered
/// again.
///
/// # Errors
/// The runtime's, if it cannot continue.
pub async fn serve_process(handler: Arc<dyn Reacting>, key: SigningKey) -> Result<(), RunError> {
    run(service_fn(move |event: LambdaEvent<SqsEvent>| {
        let handler = handler.clone();
        let key = key.clone();
        async move {
            let (failed, unconfirmed) = handle(&*handler, &event.payload, &key).await;
            metrics::unconfirmed_events(&event.context.env_config.function_name, unconfirmed);
            Ok::<_, RunError>(response(failed))
        }
    }))
    .await
}

/// The messages that failed, and how many of them are neither signed nor in the log.
async fn handle(
    handler: &dyn Reacting,
    event: &SqsEvent,
    key: &SigningKey,
) -> (Vec<Receipt>, usize) {
    let mut unsigned = Unsigned::default();
    let mut read =
        |message| unsigned.read(message, key).unwrap_or_else(|error| unreadable(message, &error));
    let deliveries: Vec<Delivery> = event.records.iter().map(&mut read).collect();
    let failed = handler.handle(deliveries).await;
    let failed: Vec<_> = failed.into_iter().map(|failed| failed.receipt).collect();
    let unconfirmed = unsigned.among(&failed);
    (failed, unconfirmed)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ledgerfold::{
        ProcessName, Recorded, StreamId,
        command::{CommandHandler, Loaded},
        ports::{DeadlineKey, EventStore},
        process::{OnRefusal, ProcessHandler, ProcessManager, Reaction},
        vocabulary::Commit,
    };
    use ledgerfold_proofs::conformance::requests::{commit, fresh};
    use ledgerfold_testkit::bank::{AccountCommand, Accounts, NoteEvent, Plain};
    use ledgerfold_testkit::{ManualClock, MemoryDeadlineStore, MemoryEventStore, SeededRandom};
    use serde_json::json;

    use super::{Receipt, handle};
    use crate::bus_queue::messages::{batch, forged, key, on_the_bus, replayed};

    /// Copies each note to another account.
    struct Copy;

    impl ProcessManager for Copy {
        type Event = NoteEvent;
        type Target = Accounts<Plain>;
        type Settings = StreamId;

        const NAME: ProcessName = ProcessName::from_static("copy");
        const ON_REFUSAL: OnRefusal = OnRefusal::Ignore;

        fn react(event: &Recorded<NoteEvent>, copy: &StreamId) -> Vec<Reaction<AccountCommand>> {
            let NoteEvent::NoteWritten(note) = &event.event;
            let command = AccountCommand::Write(vec![note.text.clone()]);
            let stream = copy.clone();
            vec![Reaction::Send { to: stream, command }]
        }

        fn expire(_: &DeadlineKey) -> Option<AccountCommand> {
            None
        }
    }

    fn process(log: &Arc<MemoryEventStore>) -> ProcessHandler<Copy> {
        let (clock, random) = (Arc::<ManualClock>::default(), Arc::new(SeededRandom::new(1)));
        let commands = CommandHandler::new(log.clone(), clock, random);
        let deadlines = Arc::new(MemoryDeadlineStore::default());
        ProcessHandler::new(fresh(), commands, deadlines, log.clone())
    }

    fn receipt(name: &str) -> Receipt {
        Receipt(name.to_owned())
    }

    // Guards: only-the-relay-publishes
    #[tokio::test]
    async fn nothing_follows_from_an_event_that_the_log_does_not_have() {
        let log = Arc::new(MemoryEventStore::default());
        let process = process(&log);
        let never_stored = commit(&Loaded::unread(fresh()), "never", &["never"], 60);
        let stored = commit(&Loaded::unread(fresh()), "stored", &["stored"], 60);
        log.append(&stored).await.expect("the version is free");
        let mut altered = forged(stored.as_commit());
        altered["detail"]["data"] = json!({"text": "altered"});
        let event = batch(&[("forged", forged(never_stored.as_commit())), ("altered", altered)]);
        let outcome = handle(&process, &event, &key()).await;
        assert_eq!(outcome, (vec![receipt("forged")], 1));
        let commits = log.commits();
        let notes: Vec<_> = commits.iter().flat_map(Commit::events).collect();
        let notes: Vec<_> = notes.iter().map(|(_, note)| note.data.as_str()).collect();
        assert_eq!(notes, [r#"{"text":"stored"}"#; 2], "the text in the log was copied");
    }

    #[tokio::test]
    async fn a_process_reacts_to_messages_and_to_no_replayed_one() {
        let log = Arc::new(MemoryEventStore::default());
        let process = process(&log);
        let fresh_commit = |note| commit(&Loaded::unread(fresh()), note, &[note], 60);
        let (live, again) = (fresh_commit("live"), fresh_commit("again"));
        let (live, again) = (on_the_bus(live.as_commit()), on_the_bus(again.as_commit()));
        let event = batch(&[
            ("good", live.clone()),
            ("repeated", live),
            ("replayed", replayed(again)),
            ("garbage", json!({"detail": {}})),
        ]);
        let outcome = handle(&process, &event, &key()).await;
        assert_eq!(outcome, (vec![receipt("garbage")], 0));
        let commits = log.commits();
        let notes: Vec<_> = commits.iter().flat_map(Commit::events).collect();
        assert_eq!(notes.len(), 1);
        assert_eq!(notes[0].1.data.as_str(), r#"{"text":"live"}"#);
    }
}
