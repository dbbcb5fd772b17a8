//! The function that runs a projector.

use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::{LambdaEvent, run, service_fn};
use ledgerfold::{
    Timestamp,
    project::{Maintenance, Projector, RetryScope, RetrySummary},
    vocabulary::{Delivery, Receipt},
};
use ledgerfold_eventbridge::SigningKey;

use super::{Unsigned, receipt, response, unreadable};
use crate::{RunError, metrics};

/// No retry of a quarantined stream starts with less time left than this, so that running retries can
/// finish. Every projector's timeout is longer.
const RESERVE: Duration = Duration::from_secs(4);

/// Runs a projector on the messages that a rule of the bus puts into a queue, and on the `retry` messages
/// that a schedule puts there.
///
/// Events without the relay's signature are read from the log. If the log does not have one, its message
/// fails, the read model stays unchanged, and the metric `UnconfirmedEvents` is written to the log.
///
/// The event source mapping must report batch item failures: only messages that could not be applied are
/// named and delivered again. After each retry of quarantined streams the metric `ParkedStreams` is written
/// to the log.
///
/// # Errors
/// The runtime's, if it cannot continue.
pub async fn serve_projector(projector: Projector, key: SigningKey) -> Result<(), RunError> {
    run(service_fn(move |event: LambdaEvent<SqsEvent>| {
        let projector = projector.clone();
        let key = key.clone();
        async move {
            let until = event.context.deadline().checked_sub(RESERVE).map(Timestamp::try_from);
            let until = until.and_then(Result::ok).unwrap_or(Timestamp::UNIX_EPOCH);
            let handled = handle(&projector, event.payload, &key, until).await;
            let function = &event.context.env_config.function_name;
            metrics::unconfirmed_events(function, handled.unconfirmed);
            if let Some(retries) = handled.retries {
                metrics::parked_streams(function, retries.parked);
            }
            Ok::<_, RunError>(handled.response)
        }
    }))
    .await
}

/// The result of an invocation.
struct Handled {
    response: SqsBatchResponse,
    /// Messages that failed and are not signed by the relay.
    unconfirmed: usize,
    retries: Option<RetrySummary>,
}

/// Events come first, so that they do not wait for retries of quarantined streams.
async fn handle(
    projector: &Projector,
    event: SqsEvent,
    key: &SigningKey,
    until: Timestamp,
) -> Handled {
    let mut unsigned = Unsigned::default();
    let mut deliveries = Vec::new();
    let mut calls = Vec::new();
    for message in event.records {
        match read(&message, key, &mut unsigned) {
            Message::Delivery(delivery) => deliveries.push(delivery),
            Message::Maintenance(receipt, Maintenance::Retry { streams }) => {
                calls.push((receipt, streams));
            }
        }
    }
    let failed = projector.project(deliveries).await;
    let mut failed: Vec<_> = failed.into_iter().map(|failed| failed.receipt).collect();
    let unconfirmed = unsigned.among(&failed);
    let retries =
        retry_parked(projector, calls.iter().map(|(_, streams)| *streams).max(), until).await;
    if retries.is_err() {
        failed.extend(calls.into_iter().map(|(receipt, _)| receipt));
    }
    Handled { response: response(failed), unconfirmed, retries: retries.unwrap_or_default() }
}

/// Retries once, even if several messages request it. If the retry cannot start, they are delivered again,
/// and in the end reach the dead-letter queue, which has an alarm.
async fn retry_parked(
    projector: &Projector,
    scope: Option<RetryScope>,
    until: Timestamp,
) -> Result<Option<RetrySummary>, ()> {
    let Some(scope) = scope else { return Ok(None) };
    match projector.retry_parked(scope, until).await {
        Ok(retries) => Ok(Some(retries)),
        Err(error) => {
            tracing::error!(%error, "retry of quarantined streams failed");
            Err(())
        }
    }
}

/// A message, by its meaning to a projector.
enum Message {
    Delivery(Delivery),
    Maintenance(Receipt, Maintenance),
}

fn read(message: &SqsMessage, key: &SigningKey, unsigned: &mut Unsigned) -> Message {
    let error = match unsigned.read(message, key) {
        Ok(delivery) => return Message::Delivery(delivery),
        Err(error) => error,
    };
    match serde_json::from_str(message.body.as_deref().unwrap_or_default()) {
        Ok(upkeep) => Message::Maintenance(receipt(message), upkeep),
        Err(_) => Message::Delivery(unreadable(message, &error)),
    }
}

#[cfg(test)]
mod tests {
    use ledgerfold::{
        CommandId, Recorded, Timestamp, Version,
        command::Loaded,
        ports::EventStore,
        project::{Projection, Projector, ProjectorPorts, RetrySummary, RowModel},
        vocabulary::NewCommit,
    };
    use ledgerfold_proofs::conformance::requests::{commit, fresh};
    use ledgerfold_testkit::bank::NoteEvent;
    use ledgerfold_testkit::{
        ManualClock, MemoryEventStore, MemoryQuarantine, MemoryRowStore, SeededRandom,
    };
    use serde_json::json;

    use std::sync::Arc;

    use super::{Handled, SqsBatchResponse, SqsEvent};
    use crate::bus_queue::messages::{batch, failures, forged, key, on_the_bus, replayed};

    async fn handle(
        projector: &Projector,
        event: SqsEvent,
        until: Timestamp,
    ) -> (SqsBatchResponse, Option<RetrySummary>) {
        let Handled { response, retries, .. } =
            super::handle(projector, event, &key(), until).await;
        (response, retries)
    }

    struct Count;

    impl Projection for Count {
        type Event = NoteEvent;
        type Row = u32;

        fn evolve(row: Option<u32>, _: &Recorded<NoteEvent>) -> Result<Option<u32>, String> {
            Ok(Some(row.unwrap_or(0) + 1))
        }
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
        let skips = Arc::<MemoryQuarantine>::default();
        let projector = Projector::new(model, ProjectorPorts { log, skips, clock, random });
        let event = batch(&[
            ("good", replayed(on_the_bus(first.as_commit()))),
            ("garbage", json!({"detail": {}})),
        ]);
        let (response, retries) = handle(&projector, event, Timestamp::MAX).await;
        assert_eq!((failures(&response), retries), (vec!["garbage"], None));
        assert_eq!(rows.rows()[0].version, Version::new(1));

        let mut ahead = on_the_bus(never_stored.as_commit());
        ahead["detail"]["sequence"] = json!(3);
        ahead["detail"]["commitfrom"] = json!(3);
        ahead["detail"]["committo"] = json!(3);
        let (response, _) = handle(&projector, batch(&[("ahead", ahead)]), Timestamp::MAX).await;
        assert_eq!(failures(&response), ["ahead"]);
    }

    /// A log with one commit of an empty note, with a projector of it and the commit.
    async fn with_an_empty_note<P: Projection>() -> (World, Projector, NewCommit) {
        let world = World::default();
        let first = commit(&Loaded::unread(fresh()), "one", &[""], 60);
        world.log.append(&first).await.expect("the version is free");
        let projector = world.projector::<P>();
        (world, projector, first)
    }

    // Guards: only-the-relay-publishes
    #[tokio::test]
    async fn an_event_that_the_log_does_not_have_changes_no_row_and_is_counted() {
        let world = World::default();
        let projector = world.projector::<Count>();
        let stream = fresh();
        let mut head = Loaded::unread(stream);
        let first = commit(&head, "one", &["a"], 60);
        world.log.append(&first).await.expect("the version is free");
        let nobody = CommandId::new("nobody").expect("visible ASCII");
        head.read_on(&*world.log, &nobody).await.expect("it can be read");
        let never_stored = commit(&head, "two", &["b"], 60);
        let hand_over = async |message| {
            let event = batch(&[("message", message)]);
            let handled = super::handle(&projector, event, &key(), Timestamp::MAX).await;
            let version = world.rows.rows().first().map(|row| row.version.get());
            (failures(&handled.response).len(), handled.unconfirmed, version)
        };

        let known = hand_over(forged(first.as_commit())).await;
        assert_eq!(known, (0, 0, Some(1)), "the log confirms the event");
        let forged = forged(never_stored.as_commit());
        assert_eq!(hand_over(forged.clone()).await, (1, 1, Some(1)));

        // After the real event of that version is applied, the forged one is a duplicate.
        let real = commit(&head, "three", &["c"], 60);
        world.log.append(&real).await.expect("the version is free");
        assert_eq!(hand_over(on_the_bus(real.as_commit())).await, (0, 0, Some(2)));
        assert_eq!(hand_over(forged).await, (0, 0, Some(2)));
    }

    #[derive(Default)]
    struct World {
        log: Arc<MemoryEventStore>,
        rows: Arc<MemoryRowStore>,
        quarantine: Arc<MemoryQuarantine>,
    }

    impl World {
        fn projector<P: Projection>(&self) -> Projector {
            let model = Arc::new(RowModel::<P>::new(self.rows.clone()));
            let (clock, random) = (Arc::<ManualClock>::default(), Arc::new(SeededRandom::new(1)));
            let (log, skips) = (self.log.clone(), self.quarantine.clone());
            let projector = Projector::new(model, ProjectorPorts { log, skips, clock, random });
            projector.with_quarantine(self.quarantine.clone())
        }
    }

    /// A projection that refuses empty notes.
    struct Written;

    impl Projection for Written {
        type Event = NoteEvent;
        type Row = u32;

        fn evolve(row: Option<u32>, event: &Recorded<NoteEvent>) -> Result<Option<u32>, String> {
            let NoteEvent::NoteWritten(note) = &event.event;
            if note.text.is_empty() { Err("it is empty".to_owned()) } else { Ok(row) }
        }
    }

    #[tokio::test]
    async fn quarantined_streams_are_retried_on_a_message() {
        let (world, projector, first) = with_an_empty_note::<Written>().await;
        let event = batch(&[
            ("event", on_the_bus(first.as_commit())),
            ("retry", json!({"ledgerfold": "retry"})),
        ]);
        let (response, retries) = handle(&projector, event, Timestamp::MAX).await;
        assert_eq!(
            failures(&response),
            Vec::<&str>::new(),
            "quarantined, and retried without success"
        );
        assert_eq!(retries, Some(RetrySummary { recovered: 0, parked: 1 }));

        let fixed = world.projector::<Count>();
        let due = json!({"ledgerfold": "retry"});
        let too_early = handle(&fixed, batch(&[("retry", due.clone())]), Timestamp::MAX).await;
        assert_eq!(too_early.1, Some(RetrySummary { recovered: 0, parked: 1 }));
        let all = json!({"ledgerfold": "retry", "streams": "all"});
        let too_late = batch(&[("retry", all.clone())]);
        let too_late = handle(&fixed, too_late, Timestamp::UNIX_EPOCH).await;
        assert_eq!(too_late.1, Some(RetrySummary { recovered: 0, parked: 1 }));
        let event = batch(&[("retry", due), ("all", all)]);
        let (response, retries) = handle(&fixed, event, Timestamp::MAX).await;
        assert_eq!(failures(&response), Vec::<&str>::new());
        assert_eq!(
            retries,
            Some(RetrySummary { recovered: 1, parked: 0 }),
            "the wider scope counts"
        );
        assert_eq!(world.rows.rows()[0].version, Version::new(1));
    }

    #[tokio::test]
    async fn a_retry_that_cannot_start_is_delivered_again() {
        let (world, projector, _) = with_an_empty_note::<Count>().await;
        world.quarantine.fail(true);
        let retry = json!({"ledgerfold": "retry"});
        let event = batch(&[("one", retry.clone()), ("other", retry), ("no", json!({"x": 1}))]);
        let (response, retries) = handle(&projector, event, Timestamp::MAX).await;
        assert_eq!((failures(&response), retries), (vec!["no", "one", "other"], None));
    }
}
