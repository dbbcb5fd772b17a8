//! The function that runs the sealer.

use std::{collections::BTreeMap, sync::Arc};

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use lambda_runtime::{LambdaEvent, run, service_fn};
use ledgerfold::{StreamId, vocabulary::Receipt};
use ledgerfold_transparency::{Broken, Sealer};
use serde_json::Value;

use super::{receipt, response};
use crate::{RunError, metrics};

/// Runs the sealer on the messages that a rule of the bus puts into a queue.
///
/// A message only names a stream. The sealer reads the log, so it needs no signature of the relay: a forged message costs
/// one read. The event source mapping must report batch item failures. A message is delivered again while its stream is
/// not sealed to its end. The metric `UnsealedStreams` counts the streams that do not continue their sealed history.
///
/// # Errors
/// The runtime's, if it cannot continue.
pub async fn serve_sealer(sealer: Sealer) -> Result<(), RunError> {
    let sealer = Arc::new(sealer);
    run(service_fn(move |event: LambdaEvent<SqsEvent>| {
        let sealer = sealer.clone();
        async move {
            let (failed, changed) = handle(&sealer, &event.payload).await;
            metrics::unsealed_streams(&event.context.env_config.function_name, changed);
            Ok::<_, RunError>(response(failed))
        }
    }))
    .await
}

/// The messages that must be delivered again, and the number of streams with a changed history.
async fn handle(sealer: &Sealer, event: &SqsEvent) -> (Vec<Receipt>, usize) {
    let mut messages: BTreeMap<StreamId, Vec<Receipt>> = BTreeMap::new();
    let mut failed = Vec::new();
    for message in &event.records {
        match stream_of(message) {
            Some(stream) => messages.entry(stream).or_default().push(receipt(message)),
            None => failed.push(receipt(message)),
        }
    }
    let streams: Vec<_> = messages.keys().cloned().collect();
    match sealer.seal(&streams).await {
        Ok(sealed) => {
            let mut changed = 0;
            for unsealed in sealed.unsealed {
                if unsealed.reason != Broken::Full {
                    changed += 1;
                    let (stream, version) = (unsealed.stream.to_string(), unsealed.sealed.get());
                    let reason = format!("{:?}", unsealed.reason);
                    tracing::error!(stream, version, reason, "a stream cannot be sealed further");
                }
                failed.extend(messages.remove(&unsealed.stream).unwrap_or_default());
            }
            (failed, changed)
        }
        Err(error) => {
            tracing::error!(%error, "nothing was sealed");
            failed.extend(messages.into_values().flatten());
            (failed, 0)
        }
    }
}

/// The stream that an event of the bus names.
fn stream_of(message: &SqsMessage) -> Option<StreamId> {
    let body: Value = serde_json::from_str(message.body.as_deref()?).ok()?;
    body.pointer("/detail/subject")?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ledgerfold::{command::Loaded, ports::EventStore};
    use ledgerfold_proofs::conformance::requests::{commit, fresh};
    use ledgerfold_testkit::{ManualClock, MemoryEventStore};
    use ledgerfold_transparency::{
        Sealer,
        memory::{LocalSigner, MemoryLog},
    };
    use serde_json::json;

    use super::handle;
    use crate::bus_queue::messages::{batch, forged, on_the_bus, replayed};

    fn sealer(log: &Arc<MemoryEventStore>, sealed: &Arc<MemoryLog>) -> Sealer {
        let signer = Arc::new(LocalSigner::generate().expect("random numbers"));
        let clock = Arc::<ManualClock>::default();
        Sealer::new(
            "ledgerfold.example/lambda",
            (log.clone(), clock),
            (sealed.clone(), sealed.clone()),
            (signer, sealed.clone()),
        )
    }

    #[tokio::test]
    async fn streams_of_a_batch_are_sealed_and_a_bad_message_fails_alone() {
        let log = Arc::new(MemoryEventStore::with_pages_of(2));
        let sealed = Arc::new(MemoryLog::default());
        let first = commit(&Loaded::unread(fresh()), "a", &["one"], 60);
        let other = commit(&Loaded::unread(fresh()), "b", &["one"], 60);
        let never = commit(&Loaded::unread(fresh()), "c", &["one"], 60);
        for stored in [&first, &other] {
            log.append(stored).await.expect("it is free");
        }
        let sealer = sealer(&log, &sealed);
        let event = batch(&[
            ("one", on_the_bus(first.as_commit())),
            ("again", replayed(on_the_bus(first.as_commit()))),
            ("bad", json!({"detail": {"subject": 7}})),
            ("other", on_the_bus(other.as_commit())),
            ("forged", forged(never.as_commit())),
        ]);
        let (failed, changed) = handle(&sealer, &event).await;
        let failed: Vec<_> = failed.into_iter().map(|receipt| receipt.0).collect();
        assert_eq!((failed, changed), (vec!["bad".to_owned()], 0));
        // Two commits and the heads.
        assert_eq!(sealed.checkpoints().into_keys().collect::<Vec<_>>(), [3]);
    }

    #[tokio::test]
    async fn a_batch_is_delivered_again_if_nothing_can_be_sealed() {
        let log = Arc::new(MemoryEventStore::with_pages_of(2));
        let sealed = Arc::new(MemoryLog::default());
        sealed.set_size(5);
        let first = commit(&Loaded::unread(fresh()), "a", &["one"], 60);
        log.append(&first).await.expect("it is free");
        let sealer = sealer(&log, &sealed);
        let event = batch(&[("one", on_the_bus(first.as_commit())), ("bad", json!(1))]);
        let (failed, changed) = handle(&sealer, &event).await;
        assert_eq!((failed.len(), changed), (2, 0));
    }
}
