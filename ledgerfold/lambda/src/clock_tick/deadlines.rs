//! The function that sends the due deadlines of processes to their workers.

use std::sync::Arc;

use lambda_runtime::{LambdaEvent, run, service_fn};
use ledgerfold::{
    Timestamp,
    ports::{Clock, DeadlineError},
    process::{DeadlineSweep, Swept},
};
use serde::{Deserialize, Serialize};

use super::end_of_work;
use crate::{RunError, metrics};

/// Sweeps deadlines on each tick of a scheduled rule of the bus.
///
/// The invocation fails if an operator is needed: deadlines could not be listed or sent, or some have failed.
///
/// Every sweep writes metrics to the log: `FailedDeadlines`, and the seconds since the due time of the
/// oldest deadline that is still waiting (`OldestOverdue`) or has failed (`OldestFailed`).
///
/// Invoke it with `{"retry": true}` instead of a tick to retry failed deadlines; the answer has their
/// number.
///
/// # Errors
/// The runtime's, if it cannot continue.
pub async fn serve_deadline_sweep(
    sweep: DeadlineSweep,
    clock: Arc<dyn Clock>,
) -> Result<(), RunError> {
    run(service_fn(move |event: LambdaEvent<Tick>| {
        // Clones share the memory of sent deadlines.
        let sweep = sweep.clone();
        let clock = clock.clone();
        async move {
            let end = end_of_work(event.context.deadline, &*clock);
            let (retried, swept) = handle(&sweep, end, &event.payload).await?;
            metrics::deadlines(&event.context.env_config.function_name, &swept, clock.now());
            Ok::<_, RunError>(judge(retried, swept)?)
        }
    }))
    .await
}

/// The event of an invocation. All fields of EventBridge's own tick are ignored.
#[derive(Debug, Default, Deserialize)]
struct Tick {
    #[serde(default)]
    retry: bool,
}

/// The answer to an invocation.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    retried: usize,
    sent: usize,
    already_sent: usize,
    cut_short: bool,
}

/// The sweep needs an operator.
#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error("some deadlines have failed, or could not be read or sent: {0:?}")]
    Deadlines(Swept),
}

async fn handle(
    sweep: &DeadlineSweep,
    end: Timestamp,
    tick: &Tick,
) -> Result<(usize, Swept), DeadlineError> {
    let retried = if tick.retry { sweep.retry().await? } else { 0 };
    Ok((retried, sweep.sweep(end).await?))
}

fn judge(retried: usize, swept: Swept) -> Result<Report, SweepError> {
    if swept.cut_short {
        tracing::warn!(?swept, "ran out of time, more deadlines may be due");
    }
    if swept.needs_attention() {
        return Err(SweepError::Deadlines(swept));
    }
    let Swept { sent, already_sent, cut_short, .. } = swept;
    tracing::info!(retried, sent, already_sent, cut_short, "deadlines swept");
    Ok(Report { retried, sent, already_sent, cut_short })
}

/// The deadlines of a process for tests.
#[cfg(test)]
pub(crate) mod expiries {
    use async_trait::async_trait;
    use ledgerfold::{
        DeadlineName, ProcessName,
        ports::Deadline,
        process::{Expiry, Unfulfilled},
    };

    pub(crate) const PROCESS: ProcessName = ProcessName::from_static("lending");
    pub(crate) const IMPOSSIBLE: DeadlineName = DeadlineName::from_static("impossible");

    pub(crate) struct AsAsked(pub(crate) ProcessName);

    #[async_trait]
    impl Expiry for AsAsked {
        fn process(&self) -> &ProcessName {
            &self.0
        }

        async fn expire(&self, deadline: &Deadline) -> Result<(), Unfulfilled> {
            if deadline.key.name == IMPOSSIBLE {
                return Err(Unfulfilled("it cannot be done".to_owned()));
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use ledgerfold::{
        CorrelationId, DeadlineName,
        ports::{Cause, Deadline, DeadlineKey, DeadlineStore, Pending},
        process::SweptProcess,
    };
    use ledgerfold_proofs::conformance::requests::fresh;
    use ledgerfold_testkit::{ManualClock, MemoryDeadlineQueue, MemoryDeadlineStore, SeededRandom};
    use serde_json::{Value, json};

    use super::{expiries::PROCESS, *};
    use crate::clock_tick::tests::tick;

    async fn scheduled(store: &MemoryDeadlineStore) -> Pending {
        let name = DeadlineName::from_static("return");
        let key = DeadlineKey { process: PROCESS, stream: fresh(), name };
        let cause = Cause {
            event: "018bcfe5-6800-7000-8000-000000000000".parse().expect("a UUID"),
            correlation_id: CorrelationId::new("conversation-1").expect("visible ASCII"),
            traceparent: None,
        };
        let deadline = Deadline { key, due: Timestamp::UNIX_EPOCH, cause };
        store.schedule(&deadline).await.expect("it can be stored");
        Pending { next: deadline.due, deadline, attempts: 0 }
    }

    /// A function in a warm environment.
    fn function(store: &Arc<MemoryDeadlineStore>) -> (DeadlineSweep, Arc<MemoryDeadlineQueue>) {
        let queue = Arc::<MemoryDeadlineQueue>::default();
        let processes = vec![SweptProcess { name: PROCESS, queue: queue.clone() }];
        let clock = Arc::<ManualClock>::default();
        let random = Arc::new(SeededRandom::new(1));
        (DeadlineSweep::new(store.clone(), clock, random, processes), queue)
    }

    async fn invoke(sweep: &DeadlineSweep, event: Value) -> Result<Value, SweepError> {
        let tick = serde_json::from_value(event).expect("an event");
        let handled = handle(sweep, Timestamp::MAX, &tick).await;
        let (retried, swept) = handled.expect("the store answers");
        let report = judge(retried, swept)?;
        Ok(serde_json::to_value(report).expect("JSON"))
    }

    #[tokio::test]
    async fn a_tick_sends_due_deadlines_once_and_reports_them() {
        let store = Arc::<MemoryDeadlineStore>::default();
        scheduled(&store).await;
        scheduled(&store).await;
        let (sweep, queue) = function(&store);
        let report = invoke(&sweep, tick()).await.expect("no deadline has failed");
        let expected = json!({"retried": 0, "sent": 2, "alreadySent": 0, "cutShort": false});
        assert_eq!((report, queue.receive().len()), (expected, 2));
        let report = invoke(&sweep, tick()).await.expect("no deadline has failed");
        let expected = json!({"retried": 0, "sent": 0, "alreadySent": 2, "cutShort": false});
        assert_eq!((report, queue.receive().len()), (expected, 0));
    }

    #[tokio::test]
    async fn an_invocation_fails_while_a_deadline_has_failed_or_cannot_be_sent() {
        let store = Arc::<MemoryDeadlineStore>::default();
        let pending = scheduled(&store).await;
        let (sweep, queue) = function(&store);
        queue.fail_calls(3);
        let SweepError::Deadlines(swept) =
            invoke(&sweep, tick()).await.expect_err("the queue is down");
        assert_eq!((swept.unsent, swept.failed), (1, 0));
        store.give_up(&pending).await.expect("it can be written");
        for _ in 0..2 {
            let error = invoke(&sweep, tick()).await.expect_err("a deadline has failed");
            let SweepError::Deadlines(swept) = error;
            assert_eq!((swept.failed, swept.failed_since), (1, Some(pending.deadline.due)));
        }
        let retry = json!({"retry": true});
        let report = invoke(&sweep, retry).await.expect("no deadline has failed");
        let expected = json!({"retried": 1, "sent": 1, "alreadySent": 0, "cutShort": false});
        assert_eq!((report, queue.receive().len()), (expected, 1));
    }
}
