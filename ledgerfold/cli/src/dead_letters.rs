//! `ledgerfold dead-letters`: shows, redrives and purges the messages in dead-letter queues.

use std::{collections::BTreeMap, process::ExitCode};

use aws_sdk_sqs::{
    Client,
    error::DisplayErrorContext,
    types::{Message, MessageSystemAttributeName, QueueAttributeName},
};
use clap::Subcommand;
use serde::Serialize;

use crate::{
    error::CliError,
    output::{Output, Report, confirm, table},
    target::Target,
};

/// Visibility timeout of a message that is shown, in seconds.
const VISIBILITY_TIMEOUT: i32 = 10;
/// The most messages SQS returns for one call.
const PER_CALL: i32 = 10;

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLetters {
    /// Count the messages in each dead-letter queue
    List,
    /// Show messages of one queue, without removing them
    Show {
        /// The owner of the queue, for example `order-view` or `relay`
        name: String,
        /// The most messages to show
        #[arg(long, value_name = "COUNT", default_value_t = 10)]
        limit: usize,
    },
    /// Move the messages of one dead-letter queue back to its source queue
    Redrive {
        /// The projection or process, for example `order-view`
        name: String,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
    /// Delete all messages of one dead-letter queue, after you have fixed the problem behind them
    Purge {
        /// The owner of the queue, for example `relay`
        name: String,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
}

pub(crate) async fn run(
    command: &DeadLetters,
    target: &Target,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let dead_letters = target.dead_letters()?;
    let sqs = target.connection.sqs().await;
    match command {
        DeadLetters::List => output.report(&Counts::of(&sqs, dead_letters).await?)?,
        DeadLetters::Show { name, limit } => {
            let queue = target.dead_letter_queue(name)?;
            output.report(&peek(&sqs, queue, *limit).await?)?;
        }
        DeadLetters::Redrive { name, yes } => {
            let from = target.dead_letter_queue(name)?;
            let to = target.queue(name)?;
            let count = attributes(&sqs, from).await?.waiting;
            confirm(&format!("Move about {count} messages from {from} to {to}?"), *yes)?;
            output.report(&redrive(&sqs, from, to).await?)?;
        }
        DeadLetters::Purge { name, yes } => {
            let queue = target.dead_letter_queue(name)?;
            let count = attributes(&sqs, queue).await?.waiting;
            confirm(&format!("Delete about {count} messages from {queue}?"), *yes)?;
            sqs.purge_queue().queue_url(queue).send().await.map_err(failed("PurgeQueue"))?;
            output.report(&Purged { messages: count })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    dead_letters: BTreeMap<String, Count>,
}

/// The number of messages. SQS only reports approximate numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Count {
    waiting: u64,
    in_flight: u64,
}

impl Counts {
    async fn of(sqs: &Client, queues: &BTreeMap<String, String>) -> Result<Self, CliError> {
        let mut dead_letters = BTreeMap::new();
        for (name, url) in queues {
            let Attributes { waiting, in_flight, .. } = attributes(sqs, url).await?;
            dead_letters.insert(name.clone(), Count { waiting, in_flight });
        }
        Ok(Self { dead_letters })
    }
}

impl Report for Counts {
    fn text(&self) -> String {
        let rows = self.dead_letters.iter().map(|(name, count)| {
            [name.clone(), count.waiting.to_string(), count.in_flight.to_string()]
        });
        table(["queue of", "waiting", "in flight"], rows)
    }
}

pub(crate) struct Attributes {
    arn: String,
    pub(crate) waiting: u64,
    pub(crate) in_flight: u64,
}

pub(crate) async fn attributes(sqs: &Client, queue: &str) -> Result<Attributes, CliError> {
    const CALL: &str = "GetQueueAttributes";
    let answer = sqs
        .get_queue_attributes()
        .queue_url(queue)
        .attribute_names(QueueAttributeName::QueueArn)
        .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
        .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)
        .send()
        .await
        .map_err(failed(CALL))?;
    let attributes = answer.attributes.unwrap_or_default();
    let missing = || CliError::Queue {
        call: CALL,
        reason: format!("the description of {queue} is incomplete"),
    };
    let number = |name: QueueAttributeName| {
        attributes.get(&name).and_then(|text| text.parse().ok()).ok_or_else(missing)
    };
    Ok(Attributes {
        arn: attributes.get(&QueueAttributeName::QueueArn).ok_or_else(missing)?.clone(),
        waiting: number(QueueAttributeName::ApproximateNumberOfMessages)?,
        in_flight: number(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)?,
    })
}

#[derive(Debug, Serialize)]
struct DeadLetterMessages {
    messages: Vec<DeadLetter>,
}

#[derive(Debug, Serialize)]
struct DeadLetter {
    id: String,
    received: u32,
    body: String,
}

/// Receives messages, then makes them visible to others again.
async fn peek(sqs: &Client, queue: &str, limit: usize) -> Result<DeadLetterMessages, CliError> {
    let mut read = Vec::new();
    while read.len() < limit {
        let wanted = i32::try_from(limit - read.len()).unwrap_or(PER_CALL).min(PER_CALL);
        let answer = sqs
            .receive_message()
            .queue_url(queue)
            .max_number_of_messages(wanted)
            .visibility_timeout(VISIBILITY_TIMEOUT)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .send()
            .await
            .map_err(failed("ReceiveMessage"))?;
        let messages = answer.messages.unwrap_or_default();
        if messages.is_empty() {
            break;
        }
        read.extend(messages);
    }
    for receipt in read.iter().filter_map(Message::receipt_handle) {
        let change = sqs.change_message_visibility().queue_url(queue).receipt_handle(receipt);
        // If this fails, the message becomes visible by itself a little later.
        let _ = change.visibility_timeout(0).send().await;
    }
    Ok(DeadLetterMessages { messages: read.into_iter().map(DeadLetter::from).collect() })
}

impl From<Message> for DeadLetter {
    fn from(message: Message) -> Self {
        let received = message
            .attributes()
            .and_then(|attributes| {
                attributes.get(&MessageSystemAttributeName::ApproximateReceiveCount)
            })
            .and_then(|count| count.parse().ok())
            .unwrap_or_default();
        let id = message.message_id.unwrap_or_default();
        Self { id, received, body: message.body.unwrap_or_default() }
    }
}

impl Report for DeadLetterMessages {
    fn text(&self) -> String {
        let rows = self.messages.iter().map(|message| {
            [message.id.clone(), message.received.to_string(), message.body.clone()]
        });
        table(["message", "received", "body"], rows)
    }
}

#[derive(Debug, Serialize)]
struct Purged {
    messages: u64,
}

impl Report for Purged {
    fn text(&self) -> String {
        format!("About {} messages were deleted; SQS may take a minute.\n", self.messages)
    }
}

#[derive(Debug, Serialize)]
struct Redriven {
    task: String,
}

/// The destination is explicit: a message that the bus's rule dead-lettered has no source queue.
async fn redrive(sqs: &Client, from: &str, to: &str) -> Result<Redriven, CliError> {
    let source = attributes(sqs, from).await?;
    let destination = attributes(sqs, to).await?;
    let answer = sqs
        .start_message_move_task()
        .source_arn(source.arn)
        .destination_arn(destination.arn)
        .send()
        .await
        .map_err(failed("StartMessageMoveTask"))?;
    Ok(Redriven { task: answer.task_handle.unwrap_or_default() })
}

impl Report for Redriven {
    fn text(&self) -> String {
        "The messages are being moved. `dead-letters list` shows how many are left.\n".to_owned()
    }
}

pub(crate) fn failed<E: std::error::Error>(call: &'static str) -> impl FnOnce(E) -> CliError {
    move |error| CliError::Queue { call, reason: DisplayErrorContext(&error).to_string() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Count, Counts};
    use crate::output::rendered;

    #[test]
    fn counts_are_rendered_in_both_forms() {
        let count = Count { waiting: 3, in_flight: 1 };
        let counts = Counts { dead_letters: BTreeMap::from([("shipment".to_owned(), count)]) };
        let text = rendered(&counts, false).expect("text");
        let words: Vec<_> = text.split_whitespace().collect();
        assert_eq!(words, ["queue", "of", "waiting", "in", "flight", "shipment", "3", "1"]);
        assert_eq!(
            rendered(&counts, true).expect("JSON"),
            "{\"deadLetters\":{\"shipment\":{\"waiting\":3,\"inFlight\":1}}}\n"
        );
    }
}
