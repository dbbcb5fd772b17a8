//! The function that executes the deadlines of processes.

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
/// The invocation fails if an operator is needed: deadlines could not be listed, or some have failed.
///
/// Every sweep writes metrics to the log: `FailedDeadlines`, and the seconds since the due time of the
/// oldest deadline that is still waiting (`OldestOverdue`) or has failed (`OldestFailed`).
///
/// Invoke it with `{"retry": true}` instead of a tick to retry failed deadlines; the answer has their
/// number.
///
/// # Errors
/// The runtime's, if it cannot continue.
pub async fn serve_deadlines(sweep: DeadlineSweep, clock: Arc<dyn Clock>) -> Result<(), RunError> {
    run(service_fn(move |event: LambdaEvent<Tick>| {
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
    done: usize,
    postponed: usize,
    cut_short: bool,
}

/// The sweep needs an operator.
#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error("some deadlines have failed, or could not be read or updated: {0:?}")]
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
    let Swept { done, postponed, cut_short, .. } = swept;
    tracing::info!(retried, done, postponed, cut_short, "deadlines swept");
    Ok(Report { retried, done, postponed, cut_short })
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use ledgerfold::{
        CorrelationId, DeadlineName, ProcessName,
        ports::{Cause, Deadline, DeadlineKey, DeadlineStore, Pending},
        process::{Expiry, Unfulfilled},
    };
    use ledgerfold_proofs::conformance::requests::fresh;
    use ledgerfold_testkit::{ManualClock, MemoryDeadlineStore};
    use serde_json::{Value, json};

    use super::*;
    use crate::clock_tick::tests::tick;

    struct AsAsked(ProcessName);

    const IMPOSSIBLE: DeadlineName = DeadlineName::from_static("impossible");

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

    const PROCESS: ProcessName = ProcessName::from_static("lending");

    async fn scheduled(store: &MemoryDeadlineStore, name: DeadlineName) -> Pending {
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

    async fn invoke(store: &Arc<MemoryDeadlineStore>, event: Value) -> Result<Value, SweepError> {
        let clock = Arc::<ManualClock>::default();
        let sweep = DeadlineSweep::new(store.clone(), clock, vec![Arc::new(AsAsked(PROCESS))]);
        let tick = serde_json::from_value(event).expect("an event");
        let handled = handle(&sweep, Timestamp::MAX, &tick).await;
        let (retried, swept) = handled.expect("the store answers");
        let report = judge(retried, swept)?;
        Ok(serde_json::to_value(report).expect("JSON"))
    }

    #[tokio::test]
    async fn a_tick_executes_due_deadlines_and_reports_them() {
        let store = Arc::<MemoryDeadlineStore>::default();
        scheduled(&store, DeadlineName::from_static("possible")).await;
        scheduled(&store, IMPOSSIBLE).await;
        let report = invoke(&store, tick()).await.expect("no deadline has failed");
        let expected = json!({"retried": 0, "done": 1, "postponed": 1, "cutShort": false});
        assert_eq!((report, store.waiting().len()), (expected, 1));
    }

    #[tokio::test]
    async fn an_invocation_fails_while_a_deadline_has_failed() {
        let store = Arc::<MemoryDeadlineStore>::default();
        let pending = scheduled(&store, DeadlineName::from_static("possible")).await;
        store.give_up(&pending).await.expect("it can be written");
        for _ in 0..2 {
            let error = invoke(&store, tick()).await.expect_err("a deadline has failed");
            let SweepError::Deadlines(swept) = error;
            assert_eq!((swept.failed, swept.failed_since), (1, Some(pending.deadline.due)));
        }
        let report = invoke(&store, json!({"retry": true})).await.expect("no deadline has failed");
        let expected = json!({"retried": 1, "done": 1, "postponed": 0, "cutShort": false});
        assert_eq!((report, store.waiting().len()), (expected, 0));
    }
}
