//! The change stream of the event table.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodbstreams::{
    Client,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
    types::{self as sdk, OperationType, ShardIteratorType},
};
use ledgerfold::{ports::PayloadStore, vocabulary::Commit};
use ledgerfold_dynamodb::CommitItem;
use serde_dynamo::Item;

use crate::{error::CliError, target::Target};

/// The operations on a change stream that a [`Follower`](super::follower::Follower) needs.
#[async_trait]
pub(super) trait Changes: Send + Sync {
    /// All shards.
    async fn shards(&self) -> Result<Vec<Shard>, CliError>;

    /// A place to read a shard from.
    async fn open(&self, shard: &str, position: &Position) -> Result<Place, Lost>;

    /// The next page of changes.
    async fn read(&self, place: &Place) -> Result<Page, Lost>;
}

/// A part of a change stream. DynamoDB closes a shard after some hours, or when its partition splits, and
/// continues in child shards.
#[derive(Clone, Debug)]
pub(super) struct Shard {
    pub(super) id: String,
    pub(super) parent: Option<String>,
    pub(super) closed: bool,
}

/// Where to read a shard from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Position {
    Oldest,
    Newest,
    After(String),
}

/// A shard iterator of DynamoDB. It is valid for fifteen minutes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place(pub(super) String);

/// The result of a read. A page may be empty and still have a next one; the end of a closed shard has none.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) changes: Vec<Change>,
    pub(super) next: Option<Place>,
}

/// A change, with its sequence number in its shard.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) sequence_number: String,
    pub(super) commit: Result<Commit, String>,
}

/// The reason why a shard cannot be read at a place.
#[derive(Debug)]
pub(super) enum Lost {
    /// The iterator has expired.
    Expired,
    /// The changes after it were removed, a day after they were made.
    Trimmed,
    /// The shard no longer exists.
    Gone,
    /// Too many readers: retry later.
    Throttled,
    CliError(CliError),
}

/// The change stream of the event table.
pub(super) struct TableChanges {
    client: Client,
    stream: String,
    payloads: Option<Arc<dyn PayloadStore>>,
}

impl TableChanges {
    pub(super) async fn open(target: &Target) -> Result<Self, CliError> {
        let name = target.event_table()?;
        let tables = target.connection.dynamodb().await;
        let answer = tables.describe_table().table_name(name).send().await;
        let table = answer.map_err(failed("DescribeTable"))?.table;
        let stream = table.and_then(|table| table.latest_stream_arn);
        let stream = stream.ok_or_else(|| CliError::Call {
            call: "DescribeTable",
            reason: format!("{name} has no change stream"),
        })?;
        let client = target.connection.dynamodb_streams().await;
        Ok(Self { client, stream, payloads: target.payloads().await })
    }
}

#[async_trait]
impl Changes for TableChanges {
    async fn shards(&self) -> Result<Vec<Shard>, CliError> {
        let mut shards = Vec::new();
        let mut after = None;
        loop {
            let call = self.client.describe_stream().stream_arn(&self.stream);
            let answer = call.set_exclusive_start_shard_id(after).send().await;
            let answer = answer.map_err(failed("DescribeStream"))?;
            let Some(description) = answer.stream_description else { return Ok(shards) };
            shards.extend(description.shards().iter().filter_map(shard));
            after = description.last_evaluated_shard_id;
            if after.is_none() {
                return Ok(shards);
            }
        }
    }

    async fn open(&self, shard: &str, position: &Position) -> Result<Place, Lost> {
        let call = self.client.get_shard_iterator().stream_arn(&self.stream).shard_id(shard);
        let call = match position {
            Position::Oldest => call.shard_iterator_type(ShardIteratorType::TrimHorizon),
            Position::Newest => call.shard_iterator_type(ShardIteratorType::Latest),
            Position::After(number) => call
                .shard_iterator_type(ShardIteratorType::AfterSequenceNumber)
                .sequence_number(number),
        };
        let answer = call.send().await.map_err(lost("GetShardIterator"))?;
        answer.shard_iterator.map(Place).ok_or(Lost::Gone)
    }

    async fn read(&self, place: &Place) -> Result<Page, Lost> {
        let answer = self.client.get_records().shard_iterator(&place.0).send().await;
        let answer = answer.map_err(lost("GetRecords"))?;
        let mut changes = Vec::new();
        for record in answer.records.unwrap_or_default() {
            changes.extend(change(record, self.payloads.as_deref()).await);
        }
        Ok(Page { changes, next: answer.next_shard_iterator.map(Place) })
    }
}

fn shard(shard: &sdk::Shard) -> Option<Shard> {
    let range = shard.sequence_number_range();
    Some(Shard {
        id: shard.shard_id()?.to_owned(),
        parent: shard.parent_shard_id().map(str::to_owned),
        closed: range.is_some_and(|range| range.ending_sequence_number().is_some()),
    })
}

async fn change(record: sdk::Record, payloads: Option<&dyn PayloadStore>) -> Option<Change> {
    let appended = record.event_name == Some(OperationType::Insert);
    let record = record.dynamodb?;
    let commit = match record.new_image {
        Some(image) if appended => {
            let commit = CommitItem::read(Item::from(image), payloads).await;
            commit.map_err(|error| error.to_string())
        }
        _ => Err("the event table was changed by hand".to_owned()),
    };
    Some(Change { sequence_number: record.sequence_number?, commit })
}

fn lost<E, R>(call: &'static str) -> impl FnOnce(SdkError<E, R>) -> Lost
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug + 'static,
{
    move |error| match error.as_service_error().and_then(ProvideErrorMetadata::code) {
        Some("ExpiredIteratorException") => Lost::Expired,
        Some("TrimmedDataAccessException") => Lost::Trimmed,
        Some("ResourceNotFoundException") => Lost::Gone,
        Some(
            "LimitExceededException"
            | "ProvisionedThroughputExceededException"
            | "ThrottlingException",
        ) => Lost::Throttled,
        _ => Lost::CliError(failed(call)(error)),
    }
}

fn failed<E: std::error::Error>(call: &'static str) -> impl FnOnce(E) -> CliError {
    move |error| CliError::Call { call, reason: DisplayErrorContext(&error).to_string() }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use aws_sdk_dynamodbstreams::{
        primitives::Blob,
        types::{AttributeValue, OperationType, Record, StreamRecord},
    };
    use ledgerfold::{Version, vocabulary::ContentId};
    use ledgerfold_testkit::MemoryPayloadStore;

    use super::{Change, change};

    const EVENTS: &str =
        r#"[{"i":"018bcfe5-6800-7000-8000-000000000000","t":"OrderDelivered","v":1,"d":{}}]"#;

    /// A record of a commit. The given attribute holds its events.
    fn record(kind: OperationType, (name, value): (&str, &str)) -> Record {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let number = AttributeValue::N("7".to_owned());
        let image = [
            ("pk", text("default/order#1")),
            ("sk", number.clone()),
            ("to", number),
            ("m", text("command-1\nDeliverOrder\nx\n2026-11-23T09:00:00Z\nanonymous")),
            ("h", AttributeValue::B(Blob::new([7; 32]))),
            (name, text(value)),
        ];
        let image = image.map(|(name, value)| (name.to_owned(), value));
        let change = StreamRecord::builder().sequence_number("11");
        let change = change.set_new_image(Some(HashMap::from(image))).build();
        Record::builder().event_name(kind).dynamodb(change).build()
    }

    #[tokio::test]
    async fn an_appended_commit_is_read_and_anything_else_is_no_commit() {
        let read = change(record(OperationType::Insert, ("e", EVENTS)), None).await;
        let Change { sequence_number, commit } = read.expect("a change");
        assert_eq!(
            (sequence_number.as_str(), commit.map(|it| it.to())),
            ("11", Ok(Version::new(7)))
        );
        for other in [(OperationType::Modify, ("e", EVENTS)), (OperationType::Insert, ("e", "[}"))]
        {
            let read = change(record(other.0, other.1), None).await.expect("a change");
            assert!(read.commit.is_err());
        }
    }

    #[tokio::test]
    async fn a_large_commit_is_fetched_from_the_payload_store() {
        let payloads = MemoryPayloadStore::default();
        let id = ContentId::keep(&payloads, EVENTS.to_owned()).await.expect("it is stored");
        let record = record(OperationType::Insert, ("x", &id.to_string()));
        let commit = |read: Option<Change>| read.expect("a change").commit;
        assert!(commit(change(record.clone(), Some(&payloads)).await).is_ok());
        assert!(commit(change(record, None).await).is_err());
    }
}
