use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_sqs::{
    Client,
    operation::send_message_batch::SendMessageBatchOutput,
    types::{BatchResultErrorEntry, SendMessageBatchRequestEntry},
};
use ledgerfold::ports::{DeadlineQueue, DeadlineQueueError, DueDeadline, PortError};
use ledgerfold_aws::{Failure, Meaning};

use crate::message::write;

/// The queue of a process's due deadlines.
#[derive(Clone, Debug)]
pub struct SqsDeadlineQueue {
    client: Client,
    url: String,
}

impl SqsDeadlineQueue {
    /// The queue with this URL.
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }
}

#[async_trait]
impl DeadlineQueue for SqsDeadlineQueue {
    async fn send(
        &self,
        batch: &[DueDeadline],
    ) -> Result<Vec<Result<(), DeadlineQueueError>>, DeadlineQueueError> {
        let entries = batch.iter().enumerate().map(|(at, due)| entry(at, due));
        let call = self
            .client
            .send_message_batch()
            .queue_url(&self.url)
            .set_entries(Some(entries.collect::<Result<_, _>>()?));
        let answer = call.send().await.map_err(|error| queue_error(Failure::of(error)))?;
        Ok(results(batch.len(), answer))
    }
}

/// The ids of entries are their positions.
fn entry(at: usize, due: &DueDeadline) -> Result<SendMessageBatchRequestEntry, DeadlineQueueError> {
    let body = write(due).map_err(|error| queue_error(Failure::refused(error)))?;
    let entry = SendMessageBatchRequestEntry::builder().id(at.to_string()).message_body(body);
    entry.build().map_err(|error| queue_error(Failure::refused(error)))
}

/// One result per deadline. A deadline that the answer does not name was not taken.
fn results(
    deadlines: usize,
    answer: SendMessageBatchOutput,
) -> Vec<Result<(), DeadlineQueueError>> {
    let taken = answer.successful.into_iter().map(|entry| (entry.id, Ok(())));
    let refused = answer.failed.into_iter().map(|entry| (entry.id.clone(), Err(refusal(entry))));
    let mut by_id: HashMap<String, _> = taken.chain(refused).collect();
    let missing = || Err(DeadlineQueueError(PortError::Unavailable("no answer".into())));
    let result = |at: usize| by_id.remove(&at.to_string()).unwrap_or_else(missing);
    (0..deadlines).map(result).collect()
}

fn refusal(entry: BatchResultErrorEntry) -> DeadlineQueueError {
    let message = entry.message.unwrap_or_default();
    let meaning = Meaning::of(&entry.code, &message);
    queue_error(Failure { meaning, cause: format!("{}: {message}", entry.code).into() })
}

fn queue_error(failure: Failure) -> DeadlineQueueError {
    DeadlineQueueError(failure.into())
}
