use std::{sync::Arc, time::Duration};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::{LambdaEvent, run, service_fn};
use ledgerfold::{
    Timestamp,
    project::{Consumer, Delivery, Healing, Receipt, Upkeep, Which},
};

use super::{from_the_bus, receipt, response, unreadable};
use crate::{RunError, metrics};

/// No parked stream is tried with less time left than this, so that the attempts that have begun come
/// to their end. Every projector has more.
const RESERVE: Duration = Duration::from_secs(4);

/// Runs a projector on the messages that a rule of the bus puts into a queue, and on the word of
/// upkeep that a schedule puts there: a [`Generational`](ledgerfold::project::Generational), or a
/// [`Projector`](ledgerfold::project::Projector) where there are no generations.
///
/// The mapping must report batch item failures: messages that could not be applied are named, and
/// they alone come again. After a round of healing the metric `ParkedStreams` is written to the log.
///
/// # Errors
/// The runtime's, when it cannot go on.
pub async fn serve_projector(projector: impl Consumer + 'static) -> Result<(), RunError> {
    let projector = Arc::new(projector);
    run(service_fn(move |event: LambdaEvent<SqsEvent>| {
        let projector = projector.clone();
        async move {
            let until = event.context.deadline().checked_sub(RESERVE).map(Timestamp::try_from);
            let until = until.and_then(Result::ok).unwrap_or(Timestamp::UNIX_EPOCH);
            let (response, healing) = handle(&*projector, event.payload, until).await;
            if let Some(healing) = healing {
                metrics::parked_streams(&event.context.env_config.function_name, healing.parked);
            }
            Ok::<_, RunError>(response)
        }
    }))
    .await
}

/// Events first: whoever waits for them is not to wait for what stands parked.
async fn handle(
    projector: &impl Consumer,
    event: SqsEvent,
    until: Timestamp,
) -> (SqsBatchResponse, Option<Healing>) {
    let (mut deliveries, mut calls) = (Vec::new(), Vec::new());
    for message in event.records {
        match read(&message) {
            Message::Delivery(delivery) => deliveries.push(delivery),
            Message::Upkeep(receipt, Upkeep::Heal { streams }) => calls.push((receipt, streams)),
        }
    }
    let failed = projector.consume(deliveries).await;
    let mut failed: Vec<_> = failed.into_iter().map(|(receipt, _)| receipt).collect();
    let healing = heal(projector, calls.iter().map(|(_, streams)| *streams).max(), until).await;
    if healing.is_err() {
        failed.extend(calls.into_iter().map(|(receipt, _)| receipt));
    }
    (response(failed), healing.unwrap_or_default())
}

/// One round, however many messages have called for one. Where it cannot even begin they come again,
/// and in the end stand where somebody is told of them.
async fn heal(
    projector: &impl Consumer,
    which: Option<Which>,
    until: Timestamp,
) -> Result<Option<Healing>, ()> {
    let Some(which) = which else { return Ok(None) };
    match projector.heal(which, until).await {
        Ok(healing) => Ok(Some(healing)),
        Err(error) => {
            tracing::error!(%error, "parked streams not healed");
            Err(())
        }
    }
}

/// What a message is to a projector.
enum Message {
    Delivery(Delivery),
    Upkeep(Receipt, Upkeep),
}

fn read(message: &SqsMessage) -> Message {
    let error = match from_the_bus(message) {
        Ok(delivery) => return Message::Delivery(delivery),
        Err(error) => error,
    };
    match serde_json::from_str(message.body.as_deref().unwrap_or_default()) {
        Ok(upkeep) => Message::Upkeep(receipt(message), upkeep),
        Err(_) => Message::Delivery(unreadable(message, &error)),
    }
}

#[cfg(test)]
mod tests {
    use ledgerfold::{
        CommandId, NewCommit, Recorded, Timestamp, Version,
        command::Loaded,
        ports::EventStore,
        project::{Healing, Projection, Projector, RowModel},
    };
    use ledgerfold_testkit::{
        ManualClock, MemoryEventStore, MemoryQuarantine, MemoryRowStore, SeededRandom,
        conformance::notebook::{NotebookEvent, commit, fresh},
    };
    use serde_json::json;

    use super::{Arc, handle};
    use crate::bus_queue::messages::{batch, failures, on_the_bus, replayed};

    struct Count;

    impl Projection for Count {
        type Event = NotebookEvent;
        type Row = u32;

        fn evolve(row: Option<u32>, _: &Recorded<NotebookEvent>) -> Result<Option<u32>, String> {
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
        let projector = Projector::new(model, log, skips, clock, random);
        let event = batch(&[
            ("good", replayed(on_the_bus(first.as_commit()))),
            ("garbage", json!({"detail": {}})),
        ]);
        let (response, healing) = handle(&projector, event, Timestamp::MAX).await;
        assert_eq!((failures(&response), healing), (vec!["garbage"], None));
        assert_eq!(rows.rows()[0].version, Version::new(1));

        let mut ahead = on_the_bus(never_stored.as_commit());
        ahead["detail"]["sequence"] = json!(3);
        ahead["detail"]["commitfrom"] = json!(3);
        ahead["detail"]["committo"] = json!(3);
        let (response, _) = handle(&projector, batch(&[("ahead", ahead)]), Timestamp::MAX).await;
        assert_eq!(failures(&response), ["ahead"]);
    }

    /// A projector of a log with one commit of an empty note, and its commit.
    async fn with_an_empty_note<P: Projection>() -> (World, Projector, NewCommit) {
        let world = World::default();
        let first = commit(&Loaded::unread(fresh()), "one", &[""], 60);
        world.log.append(&first).await.expect("the version is free");
        let projector = world.projector::<P>();
        (world, projector, first)
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
            let (log, quarantine) = (self.log.clone(), self.quarantine.clone());
            let projector = Projector::new(model, log, quarantine.clone(), clock, random);
            projector.with_quarantine(quarantine)
        }
    }

    /// Refuses empty notes.
    struct Written;

    impl Projection for Written {
        type Event = NotebookEvent;
        type Row = u32;

        fn evolve(
            row: Option<u32>,
            event: &Recorded<NotebookEvent>,
        ) -> Result<Option<u32>, String> {
            let NotebookEvent::NoteWritten(note) = &event.event;
            if note.text.is_empty() { Err("it is empty".to_owned()) } else { Ok(row) }
        }
    }

    #[tokio::test]
    async fn what_is_parked_is_healed_when_the_queue_says_so() {
        let (world, projector, first) = with_an_empty_note::<Written>().await;
        let event = batch(&[
            ("event", on_the_bus(first.as_commit())),
            ("heal", json!({"ledgerfold": "heal"})),
        ]);
        let (response, healing) = handle(&projector, event, Timestamp::MAX).await;
        assert_eq!(failures(&response), Vec::<&str>::new(), "parked, and tried in vain");
        assert_eq!(healing, Some(Healing { healed: 0, parked: 1 }));

        let mended = world.projector::<Count>();
        let due = json!({"ledgerfold": "heal"});
        let too_early = handle(&mended, batch(&[("heal", due.clone())]), Timestamp::MAX).await;
        assert_eq!(too_early.1, Some(Healing { healed: 0, parked: 1 }));
        let all = json!({"ledgerfold": "heal", "streams": "all"});
        let too_late = batch(&[("heal", all.clone())]);
        let too_late = handle(&mended, too_late, Timestamp::UNIX_EPOCH).await;
        assert_eq!(too_late.1, Some(Healing { healed: 0, parked: 1 }));
        let event = batch(&[("heal", due), ("all", all)]);
        let (response, healing) = handle(&mended, event, Timestamp::MAX).await;
        assert_eq!(failures(&response), Vec::<&str>::new());
        assert_eq!(healing, Some(Healing { healed: 1, parked: 0 }), "the wider call counts");
        assert_eq!(world.rows.rows()[0].version, Version::new(1));
    }

    #[tokio::test]
    async fn a_round_that_cannot_begin_comes_again() {
        let (world, projector, _) = with_an_empty_note::<Count>().await;
        world.quarantine.fail(true);
        let heal = json!({"ledgerfold": "heal"});
        let event = batch(&[("one", heal.clone()), ("other", heal), ("no", json!({"x": 1}))]);
        let (response, healing) = handle(&projector, event, Timestamp::MAX).await;
        assert_eq!((failures(&response), healing), (vec!["no", "one", "other"], None));
    }
}
