//! The function that exports events as files.

use std::{collections::BTreeMap, time::SystemTime};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::{StreamExt as _, stream};
use lambda_runtime::{LambdaEvent, run, service_fn};
use ledgerfold::{
    StreamId, Timestamp, Version,
    ports::{ExportError, ExportMark},
    vocabulary::{Content, Receipt},
};
use ledgerfold_eventbridge::{BusMessage, SigningKey};
use ledgerfold_export::{Exporter, Run};
use serde::Deserialize;

use super::{receipt, response};
use crate::{RunError, metrics};

/// How many marks are written concurrently.
const CONCURRENT_MARKS: usize = 16;

/// Runs an export on the messages that a rule of the bus puts into a queue, and on the `close` messages that a schedule
/// puts there.
///
/// A message of the bus only says which stream has news. The events come from the log, so a forged message changes
/// nothing, and its signature is not needed. The event source mapping must report batch item failures. After each `close`
/// message the metrics `ExportOverdue` and `ExportWithheld` are written to the log.
///
/// # Errors
/// The runtime's, if it cannot continue.
pub async fn serve_export(exporter: Exporter, key: SigningKey) -> Result<(), RunError> {
    run(service_fn(move |event: LambdaEvent<SqsEvent>| {
        let exporter = exporter.clone();
        let key = key.clone();
        async move {
            let until = begin_until(event.context.deadline());
            let handled = handle(&exporter, &event.payload, &key, until).await;
            if let Some((run, overdue)) = handled.run {
                let function = &event.context.env_config.function_name;
                metrics::export(function, overdue, run.withheld.len());
            }
            Ok::<_, RunError>(handled.response)
        }
    }))
    .await
}

/// No step of an export begins in the second half of the time, so that a running step can finish.
fn begin_until(deadline: SystemTime) -> Timestamp {
    let now = SystemTime::now();
    let left = deadline.duration_since(now).unwrap_or_default();
    Timestamp::try_from(now + left / 2).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The result of an invocation.
struct Handled {
    response: SqsBatchResponse,
    /// The run, if there was one, and for how many seconds the next window has been overdue.
    run: Option<(Run, i64)>,
}

/// A request to the function.
#[derive(Debug, Deserialize)]
#[serde(tag = "ledgerfold", rename_all = "kebab-case")]
enum Request {
    /// Close the windows that are over, and merge files.
    Close,
}

async fn handle(
    exporter: &Exporter,
    event: &SqsEvent,
    key: &SigningKey,
    until: Timestamp,
) -> Handled {
    let mut news = BTreeMap::<StreamId, (Version, Vec<Receipt>)>::new();
    let mut calls = Vec::new();
    let mut failed = Vec::new();
    for message in &event.records {
        match read(message, key) {
            Ok(Message::News(stream, version)) => {
                let (newest, receipts) = news.entry(stream).or_insert((version, Vec::new()));
                *newest = version.max(*newest);
                receipts.push(receipt(message));
            }
            Ok(Message::Request(Request::Close)) => calls.push(receipt(message)),
            Err(error) => {
                tracing::error!(error, "a message cannot be read");
                failed.push(receipt(message));
            }
        }
    }
    // Marks come first, so that a window has everything that was known when it was closed.
    failed.extend(mark(exporter, news).await);
    let run = match calls.is_empty() {
        true => None,
        false => match work(exporter, until).await {
            Ok(run) => Some(run),
            Err(error) => {
                tracing::error!(%error, "an export failed; the next one goes on from there");
                failed.extend(calls);
                None
            }
        },
    };
    Handled { response: response(failed), run }
}

enum Message {
    News(StreamId, Version),
    Request(Request),
}

fn read(message: &SqsMessage, key: &SigningKey) -> Result<Message, String> {
    let body = message.body.as_deref().unwrap_or_default();
    match BusMessage::parse(body, key) {
        Ok(BusMessage { content: Content::Event(event), .. }) => {
            Ok(Message::News(event.stream, event.commit.1))
        }
        Ok(BusMessage { content: Content::Pointer { stream, committed }, .. }) => {
            Ok(Message::News(stream, committed))
        }
        Err(error) => match serde_json::from_str(body) {
            Ok(request) => Ok(Message::Request(request)),
            Err(_) => Err(error.to_string()),
        },
    }
}

/// Marks the streams, and returns the messages about those that could not be marked.
async fn mark(
    exporter: &Exporter,
    news: BTreeMap<StreamId, (Version, Vec<Receipt>)>,
) -> Vec<Receipt> {
    let mark = |(stream, (version, receipts))| async move {
        match exporter.mark(&ExportMark { stream, version }).await {
            Ok(()) => Vec::new(),
            Err(error) => {
                tracing::error!(%error, "a stream could not be marked");
                receipts
            }
        }
    };
    let failed = stream::iter(news).map(mark).buffer_unordered(CONCURRENT_MARKS);
    failed.collect::<Vec<_>>().await.into_iter().flatten().collect()
}

/// Closes windows, and merges files in the rest of the time.
async fn work(exporter: &Exporter, until: Timestamp) -> Result<(Run, i64), ExportError> {
    let run = exporter.close_windows(until).await?;
    if run.finished {
        exporter.compact(until).await?;
    }
    let overdue = exporter.overdue(&exporter.live().await?).as_secs();
    for withheld in &run.withheld {
        let (stream, reason) = (&withheld.stream, &withheld.reason);
        tracing::error!(%stream, reason, "the events of a stream cannot be exported yet");
    }
    Ok((run, overdue))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ledgerfold::{command::Loaded, ports::EventStore as _};
    use ledgerfold_export::{ExportPorts, Tables, WindowLength};
    use ledgerfold_proofs::conformance::requests::{commit, fresh};
    use ledgerfold_testkit::{
        ManualClock, MemoryEventStore, MemoryExportFiles, MemoryExportProgress,
    };
    use serde_json::json;

    use super::*;
    use crate::bus_queue::messages::{batch, failures, forged, key, on_the_bus};

    #[tokio::test]
    async fn news_are_marked_and_exported_when_a_message_closes_the_window() {
        let log = Arc::new(MemoryEventStore::default());
        let stored = commit(&Loaded::unread(fresh()), "one", &["a", "b"], 60);
        log.append(&stored).await.expect("the version is free");
        let never_stored = commit(&Loaded::unread(fresh()), "two", &["c"], 60);
        let files = Arc::new(MemoryExportFiles::default());
        let progress = Arc::new(MemoryExportProgress::default());
        let clock = Arc::new(ManualClock::at("1970-01-01T01:05:00Z".parse().expect("a time")));
        let ports = ExportPorts { log, files, progress: progress.clone(), clock };
        let exporter = Exporter::new(ports, Tables::default(), WindowLength::HOUR);
        let event = batch(&[
            ("good", on_the_bus(stored.as_commit())),
            ("forged", forged(never_stored.as_commit())),
            ("garbage", json!({"detail": {}})),
        ]);
        let handled = handle(&exporter, &event, &key(), Timestamp::MAX).await;
        assert_eq!(failures(&handled.response), ["garbage"]);
        assert_eq!((progress.all_marks().len(), handled.run), (2, None));
        let close = batch(&[("close", json!({"ledgerfold": "close"}))]);
        let handled = handle(&exporter, &close, &key(), Timestamp::MAX).await;
        let (run, overdue) = handled.run.expect("a run");
        assert_eq!((run.windows, run.events, run.withheld.len()), (1, 2, 0));
        assert_eq!(overdue, 0);
        assert_eq!(progress.all_marks(), []);
    }
}
