//! Waiting messages of projections and processes.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;

use super::{Aws, AwsError, explain};
use crate::wait::{NotInTime, eventually};

// SQS only reports approximate counts, and an event may be between the bus and a queue. So the queues only count as
// empty after this many empty counts in a row.
const QUIET_LOOKS: u32 = 6;

/// The messages that projections and processes have not completed, by their names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Backlog {
    by_reader: BTreeMap<String, u64>,
}

impl Backlog {
    /// The sum over all queues.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_reader.values().sum()
    }
}

impl fmt::Display for Backlog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queues: Vec<_> =
            self.by_reader.iter().map(|(name, count)| format!("{name} {count}")).collect();
        f.write_str(&queues.join(", "))
    }
}

impl Aws {
    /// The messages that are waiting, in flight or delayed in the queues of projections and processes.
    ///
    /// # Errors
    /// If a queue does not answer.
    pub async fn backlog(&self) -> Result<Backlog, AwsError> {
        self.count_messages(&self.stack.contexts["orders"].queues).await
    }

    /// The messages in the dead-letter queues.
    ///
    /// # Errors
    /// If a queue does not answer.
    pub async fn dead_letters(&self) -> Result<Backlog, AwsError> {
        self.count_messages(&self.stack.contexts["orders"].dead_letters).await
    }

    /// Waits until the queues stay empty over several counts. Returns the highest backlog in the meantime.
    ///
    /// # Errors
    /// If they are not empty in time.
    pub async fn settled(&self, deadline: Duration) -> Result<u64, NotInTime> {
        let mut quiet = 0;
        let mut highest = 0;
        eventually("the queues are empty", deadline, async || {
            let backlog = self.backlog().await.map_err(|error| error.to_string())?;
            highest = highest.max(backlog.total());
            quiet = if backlog.total() == 0 { quiet + 1 } else { 0 };
            if quiet >= QUIET_LOOKS { Ok(highest) } else { Err(backlog.to_string()) }
        })
        .await
    }

    async fn count_messages(&self, queues: &BTreeMap<String, String>) -> Result<Backlog, AwsError> {
        let mut backlog = Backlog::default();
        for (reader, url) in queues {
            let answer = self
                .queues
                .get_queue_attributes()
                .queue_url(url)
                .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
                .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)
                .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesDelayed)
                .send()
                .await
                .map_err(explain("GetQueueAttributes"))?;
            let counts = answer.attributes.unwrap_or_default().into_values();
            let total = counts.map(|count| count.parse::<u64>()).sum::<Result<u64, _>>();
            let total = total.map_err(|error| AwsError::new("GetQueueAttributes", error))?;
            backlog.by_reader.insert(reader.clone(), total);
        }
        Ok(backlog)
    }
}
