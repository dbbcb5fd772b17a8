//! The deadlines of processes in a DynamoDB table.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::query::QueryOutput,
    types::AttributeValue,
};
use ledgerfold::{
    InvalidId, ProcessName, Timestamp,
    ports::{
        Cause, Deadline, DeadlineError, DeadlineKey, DeadlinePage, DeadlineStore, Pending,
        PortError, Resume, UnreadableDeadline, Written,
    },
};
use serde::{Deserialize, Serialize};

use ledgerfold_aws::Failure;

use crate::stored;

/// How many partitions of the index hold the deadlines of a process, so that a busy hour does not reach the
/// limit of one partition, 1,000 write units a second. A sweep queries each of them.
const PARTS: u32 = 8;
/// The most deadlines of a page by default.
const PAGE: i32 = 100;

/// Deadlines in a DynamoDB table: one item each, and an index over the times of their next attempts.
///
/// | attribute | content |
/// | --- | --- |
/// | `pk` | `<process>#<stream>#<name>` |
/// | `d` | due time |
/// | `e`, `o`, `w` | its cause: event, correlation id, traceparent |
/// | `n` | failed attempts |
/// | `ix` | partition of the index: `<process>#<part>`, or `<process>#failed` |
/// | `io` | order in the index: `<time of next attempt>#<pk>` |
///
/// The index is only a hint, because it is eventually consistent: every change is conditional on the item.
#[derive(Clone, Debug)]
pub struct DynamoDeadlineStore {
    client: Client,
    table: String,
    index: String,
    page: i32,
}

/// A deadline as an item.
#[derive(Debug, Serialize, Deserialize)]
struct DeadlineItem {
    pk: String,
    #[serde(rename = "d")]
    due: Timestamp,
    #[serde(rename = "e")]
    event: String,
    #[serde(rename = "o")]
    correlation: String,
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
    #[serde(rename = "n")]
    attempts: u32,
    #[serde(rename = "ix")]
    list: String,
    #[serde(rename = "io")]
    order: String,
}

impl DynamoDeadlineStore {
    /// The deadlines in this table, found through this index. Its partition key is `ix`, its sort key `io`.
    pub fn new(client: Client, table: impl Into<String>, index: impl Into<String>) -> Self {
        Self { client, table: table.into(), index: index.into(), page: PAGE }
    }

    /// Lists at most this many deadlines per page.
    #[must_use]
    pub fn with_pages_of(self, deadlines: u16) -> Self {
        Self { page: deadlines.max(1).into(), ..self }
    }

    /// A page of a list, with the deadlines whose next attempt is due by `until`.
    async fn list(
        &self,
        list: String,
        until: Timestamp,
        from: Option<&Resume>,
    ) -> Result<DeadlinePage, DeadlineError> {
        let start = from.map(|resume| start_key(&list, resume)).transpose()?;
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(&self.index)
            .key_condition_expression("ix = :list AND io < :end")
            .expression_attribute_values(":list", AttributeValue::S(list))
            // An instant in the index ends with `#`, and `$` sorts directly after it.
            .expression_attribute_values(":end", AttributeValue::S(format!("{}$", instant(until))))
            .limit(self.page)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(Failure::of)?;
        read(page)
    }

    /// Moves a deadline to a place in a list, if it is unchanged since it was read.
    async fn move_to(
        &self,
        seen: &Pending,
        (list, order): (String, String),
        attempts: u32,
    ) -> Result<Written, DeadlineError> {
        let (key, event) = identity(&seen.deadline);
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", key)
            .condition_expression("e = :event AND n = :seen")
            .expression_attribute_values(":event", event)
            .expression_attribute_values(":seen", AttributeValue::N(seen.attempts.to_string()))
            .update_expression("SET ix = :list, io = :order, n = :attempts")
            .expression_attribute_values(":list", AttributeValue::S(list))
            .expression_attribute_values(":order", AttributeValue::S(order))
            .expression_attribute_values(":attempts", AttributeValue::N(attempts.to_string()));
        written(update.send().await)
    }
}

#[async_trait]
impl DeadlineStore for DynamoDeadlineStore {
    fn parts(&self) -> u32 {
        PARTS
    }

    async fn schedule(&self, deadline: &Deadline) -> Result<Written, DeadlineError> {
        let item = serde_dynamo::to_item(DeadlineItem::from(deadline))
            .map_err(|error| DeadlineError(PortError::Refused(error.into())))?;
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)");
        written(put.send().await)
    }

    async fn due(
        &self,
        process: &ProcessName,
        part: u32,
        until: Timestamp,
        from: Option<&Resume>,
    ) -> Result<DeadlinePage, DeadlineError> {
        self.list(format!("{process}#{part}"), until, from).await
    }

    async fn get(&self, key: &DeadlineKey) -> Result<Option<Pending>, DeadlineError> {
        let get = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(key.to_string()))
            .consistent_read(true);
        let answer = get.send().await.map_err(Failure::of)?;
        let given_up = AttributeValue::S(failed(&key.process));
        let waiting = answer.item.filter(|item| item.get("ix") != Some(&given_up));
        let unreadable = |reason: String| {
            DeadlineError(PortError::Refused(format!("{key} cannot be read: {reason}").into()))
        };
        waiting.map(|item| pending(item).map_err(unreadable)).transpose()
    }

    async fn done(&self, deadline: &Deadline) -> Result<Written, DeadlineError> {
        let (key, event) = identity(deadline);
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("pk", key)
            .condition_expression("e = :event")
            .expression_attribute_values(":event", event);
        written(delete.send().await)
    }

    async fn postpone(&self, seen: &Pending, next: Timestamp) -> Result<Written, DeadlineError> {
        let place = (list_of(&seen.deadline.key), order(next, &seen.deadline.key));
        self.move_to(seen, place, seen.attempts.saturating_add(1)).await
    }

    async fn give_up(&self, seen: &Pending) -> Result<Written, DeadlineError> {
        let key = &seen.deadline.key;
        let place = (failed(&key.process), order(seen.next, key));
        self.move_to(seen, place, seen.attempts.saturating_add(1)).await
    }

    async fn failed(
        &self,
        process: &ProcessName,
        from: Option<&Resume>,
    ) -> Result<DeadlinePage, DeadlineError> {
        self.list(failed(process), Timestamp::MAX, from).await
    }

    async fn retry(&self, seen: &Pending, next: Timestamp) -> Result<Written, DeadlineError> {
        let place = (list_of(&seen.deadline.key), order(next, &seen.deadline.key));
        self.move_to(seen, place, 0).await
    }
}

impl From<&Deadline> for DeadlineItem {
    fn from(Deadline { key, due, cause }: &Deadline) -> Self {
        Self {
            pk: key.to_string(),
            due: *due,
            event: cause.event.to_string(),
            correlation: cause.correlation_id.to_string(),
            traceparent: cause.traceparent.as_ref().map(ToString::to_string),
            attempts: 0,
            list: list_of(key),
            order: order(*due, key),
        }
    }
}

/// The key and the event. Together they distinguish a deadline from a later one with the same key.
fn identity(Deadline { key, cause, .. }: &Deadline) -> (AttributeValue, AttributeValue) {
    (AttributeValue::S(key.to_string()), AttributeValue::S(cause.event.to_string()))
}

/// The list of waiting deadlines in the key's partition. Any even spread will do; a sum of bytes cannot
/// change with a new version of a hash function.
fn list_of(key: &DeadlineKey) -> String {
    let sum = key
        .to_string()
        .bytes()
        .fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    format!("{}#{}", key.process, sum % PARTS)
}

fn failed(process: &ProcessName) -> String {
    format!("{process}#failed")
}

fn order(next: Timestamp, key: &DeadlineKey) -> String {
    format!("{}#{key}", instant(next))
}

/// An instant from year 0 on, as text that sorts in order of time.
fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ").to_string()
}

/// The start of a page: after the last index entry of the previous one.
fn start_key(
    list: &str,
    Resume(order): &Resume,
) -> Result<HashMap<String, AttributeValue>, DeadlineError> {
    let (_, key) = order.split_once('#').ok_or_else(|| {
        DeadlineError(PortError::Refused("the place to continue from is damaged".into()))
    })?;
    let attribute =
        |name: &str, value: &str| (name.to_owned(), AttributeValue::S(value.to_owned()));
    Ok(HashMap::from([attribute("pk", key), attribute("ix", list), attribute("io", order)]))
}

fn read(page: QueryOutput) -> Result<DeadlinePage, DeadlineError> {
    let next = page.last_evaluated_key.as_ref().map(|key| match key.get("io") {
        Some(AttributeValue::S(order)) => Ok(Resume(order.clone())),
        _ => Err(DeadlineError(PortError::Refused("the end of a page has no key".into()))),
    });
    let items = page.items.unwrap_or_default().into_iter().map(|item| {
        let key = format!("{:?}", item.get("pk"));
        pending(item).map_err(|reason| UnreadableDeadline(format!("{key}: {reason}")))
    });
    Ok(DeadlinePage { items: items.collect(), next: next.transpose()? })
}

fn pending(item: HashMap<String, AttributeValue>) -> Result<Pending, String> {
    let item: DeadlineItem = stored::read(item).map_err(|error| error.to_string())?;
    let next = item.order.split_once('#').and_then(|(next, _)| next.parse().ok());
    let next = next.ok_or_else(|| format!("{} does not begin with an instant", item.order))?;
    let attempts = item.attempts;
    let deadline = deadline(item).map_err(|error| error.to_string())?;
    Ok(Pending { deadline, attempts, next })
}

fn deadline(item: DeadlineItem) -> Result<Deadline, InvalidId> {
    Ok(Deadline {
        key: item.pk.parse()?,
        due: item.due,
        cause: Cause {
            event: item.event.parse()?,
            correlation_id: item.correlation.parse()?,
            traceparent: item.traceparent.map(|text| text.parse()).transpose()?,
        },
    })
}

/// The result of a conditional write.
fn written<T, E, R>(outcome: Result<T, SdkError<E, R>>) -> Result<Written, DeadlineError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match outcome {
        Ok(_) => Ok(Written::Done),
        Err(SdkError::ServiceError(refusal))
            if refusal.err().code() == Some("ConditionalCheckFailedException") =>
        {
            Ok(Written::Superseded)
        }
        Err(error) => Err(Failure::of(error).into()),
    }
}
