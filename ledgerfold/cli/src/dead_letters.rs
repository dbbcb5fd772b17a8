//! `ledgerfold dead-letters`: what was given up on.

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

/// How long a message that is shown is out of others' sight, in seconds.
const OUT_OF_SIGHT: i32 = 10;
/// The most messages that one call brings.
const PER_CALL: i32 = 10;

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLetters {
    /// Count what lies in each dead-letter queue
    List,
    /// Show messages of one; they stay there
    Show {
        /// Whose, as `order-view` or `relay`
        name: String,
        /// The most messages to show
        #[arg(long, value_name = "COUNT", default_value_t = 10)]
        limit: usize,
    },
    /// Move the messages of one back to the queue that they came from
    Redrive {
        /// The projection or process, as `order-view`
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Delete all messages of one, once what they tell of is in order again
    Purge {
        /// Whose, as `relay`
        name: String,
        /// Do not ask
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
            output.report(&look(&sqs, queue, *limit).await?)?;
        }
        DeadLetters::Redrive { name, yes } => {
            let (from, to) = (target.dead_letter_queue(name)?, target.queue(name)?);
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

/// How many messages there are; SQS says it approximately.
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
        table(["of", "waiting", "in flight"], rows)
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
    let said = answer.attributes.unwrap_or_default();
    let missing = || CliError::Queue { call: CALL, reason: format!("{queue} says too little") };
    let number = |name: QueueAttributeName| {
        said.get(&name).and_then(|text| text.parse().ok()).ok_or_else(missing)
    };
    Ok(Attributes {
        arn: said.get(&QueueAttributeName::QueueArn).ok_or_else(missing)?.clone(),
        waiting: number(QueueAttributeName::ApproximateNumberOfMessages)?,
        in_flight: number(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)?,
    })
}

#[derive(Debug, Serialize)]
struct Letters {
    messages: Vec<Letter>,
}

#[derive(Debug, Serialize)]
struct Letter {
    id: String,
    received: u32,
    body: String,
}

/// Reads messages and gives them back.
async fn look(sqs: &Client, queue: &str, limit: usize) -> Result<Letters, CliError> {
    let mut read = Vec::new();
    while read.len() < limit {
        let wanted = i32::try_from(limit - read.len()).unwrap_or(PER_CALL).min(PER_CALL);
        let answer = sqs
            .receive_message()
            .queue_url(queue)
            .max_number_of_messages(wanted)
            .visibility_timeout(OUT_OF_SIGHT)
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
        // Where this fails the message comes back by itself, a little later.
        let _ = change.visibility_timeout(0).send().await;
    }
    Ok(Letters { messages: read.into_iter().map(Letter::from).collect() })
}

impl From<Message> for Letter {
    fn from(message: Message) -> Self {
        let received = message
            .attributes()
            .and_then(|said| said.get(&MessageSystemAttributeName::ApproximateReceiveCount))
            .and_then(|count| count.parse().ok())
            .unwrap_or_default();
        let id = message.message_id.unwrap_or_default();
        Self { id, received, body: message.body.unwrap_or_default() }
    }
}

impl Report for Letters {
    fn text(&self) -> String {
        let rows = self
            .messages
            .iter()
            .map(|letter| [letter.id.clone(), letter.received.to_string(), letter.body.clone()]);
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

/// The destination is named, because what came from the bus's rule itself remembers none.
async fn redrive(sqs: &Client, from: &str, to: &str) -> Result<Redriven, CliError> {
    let (source, destination) = (attributes(sqs, from).await?, attributes(sqs, to).await?);
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
        "The messages are on their way; `dead-letters list` says what is left.\n".to_owned()
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
    fn counts_read_well_in_both_forms() {
        let count = Count { waiting: 3, in_flight: 1 };
        let counts = Counts { dead_letters: BTreeMap::from([("shipment".to_owned(), count)]) };
        let text = rendered(&counts, false).expect("text");
        let words: Vec<_> = text.split_whitespace().collect();
        assert_eq!(words, ["of", "waiting", "in", "flight", "shipment", "3", "1"]);
        assert_eq!(
            rendered(&counts, true).expect("JSON"),
            "{\"deadLetters\":{\"shipment\":{\"waiting\":3,\"inFlight\":1}}}\n"
        );
    }
}
