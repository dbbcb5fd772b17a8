//! SQS queues of due deadlines.

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use lambda_runtime::{LambdaEvent, run, service_fn};
use ledgerfold::process::{DeadlineWorker, DueMessage, Fired};

use crate::{
    RunError,
    bus_queue::{receipt, response},
};

/// Fires the due deadlines that a sweep has put into a queue.
///
/// The event source mapping must report batch item failures: only messages that fail are named and delivered again. A
/// message that is not a due deadline fails each time, and SQS moves it to the dead-letter queue.
///
/// # Errors
/// The runtime's, if it cannot continue.
pub async fn serve_deadline_worker(worker: DeadlineWorker) -> Result<(), RunError> {
    run(service_fn(move |event: LambdaEvent<SqsEvent>| {
        let worker = worker.clone();
        async move {
            let Fired { done, postponed, given_up, outdated, failed } =
                handle(&worker, &event.payload).await;
            let again = failed.len();
            tracing::info!(done, postponed, given_up, outdated, again, "deadlines fired");
            Ok::<_, RunError>(response(failed.into_iter().map(|failed| failed.receipt)))
        }
    }))
    .await
}

async fn handle(worker: &DeadlineWorker, event: &SqsEvent) -> Fired {
    worker.handle(event.records.iter().map(read).collect()).await
}

fn read(message: &SqsMessage) -> DueMessage {
    let content = ledgerfold_sqs::parse(message.body.as_deref().unwrap_or_default());
    DueMessage { receipt: receipt(message), content: content.map_err(|error| error.to_string()) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ledgerfold::{
        CorrelationId, DeadlineName, Timestamp,
        ports::{Cause, Deadline, DeadlineKey, DeadlineStore},
        vocabulary::Receipt,
    };
    use ledgerfold_proofs::conformance::requests::fresh;
    use ledgerfold_testkit::{ManualClock, MemoryDeadlineStore};
    use serde_json::json;

    use super::*;
    use crate::{
        bus_queue::batch,
        clock_tick::expiries::{AsAsked, IMPOSSIBLE, PROCESS},
    };

    const EVENT: &str = "018bcfe5-6800-7000-8000-000000000000";

    async fn scheduled(store: &MemoryDeadlineStore, name: DeadlineName) -> serde_json::Value {
        let key = DeadlineKey { process: PROCESS, stream: fresh(), name };
        let cause = Cause {
            event: EVENT.parse().expect("a UUID"),
            correlation_id: CorrelationId::new("conversation-1").expect("visible ASCII"),
            traceparent: None,
        };
        let message = json!({"format": 1, "deadline": key.to_string(), "event": EVENT});
        let deadline = Deadline { key, due: Timestamp::UNIX_EPOCH, cause };
        store.schedule(&deadline).await.expect("it can be stored");
        message
    }

    // Guards: a-deadline-fires-in-time
    #[tokio::test]
    async fn only_messages_that_are_no_due_deadlines_are_named_as_failed() {
        let store = Arc::<MemoryDeadlineStore>::default();
        let possible = scheduled(&store, DeadlineName::from_static("possible")).await;
        let impossible = scheduled(&store, IMPOSSIBLE).await;
        let mut newer = possible.clone();
        newer["format"] = json!(2);
        let mut foreign = possible.clone();
        foreign["deadline"] = json!("another-process#order#1#payment");
        let event = batch(&[
            ("garbage", json!({"detail": {}})),
            ("newer", newer),
            ("foreign", foreign),
            ("possible", possible.clone()),
            ("impossible", impossible),
        ]);
        let clock = Arc::<ManualClock>::default();
        let expiry = Arc::new(AsAsked(PROCESS));
        let worker = DeadlineWorker::new(store.clone(), clock, vec![expiry]);
        let mut fired = handle(&worker, &event).await;
        fired.failed.sort_by(|one, other| one.receipt.cmp(&other.receipt));
        let failed: Vec<_> = fired.failed.iter().map(|failed| failed.receipt.clone()).collect();
        let expected = ["foreign", "garbage", "newer"].map(|name| Receipt(name.to_owned()));
        assert_eq!((fired.done, fired.postponed, failed), (1, 1, expected.to_vec()));
        let fired = handle(&worker, &batch(&[("again", possible)])).await;
        assert_eq!((fired.outdated, fired.failed), (1, Vec::new()), "it is done");
    }
}
