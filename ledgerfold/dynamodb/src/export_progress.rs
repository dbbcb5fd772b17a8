//! The progress of an export in a DynamoDB table.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, error::SdkError, types::AttributeValue};
use ledgerfold::{
    StreamId, Version,
    ports::{ExportError, ExportMark, ExportProgress, Page, ReadStoreError},
};
use ledgerfold_aws::Failure;
use serde::Deserialize;

use crate::{
    batch_get::{self, Key},
    stored::{self, Item},
};

/// The prefix of the partition keys of marks. The part follows.
const MARK: &str = "mark#";
/// The prefix of the partition keys of positions. The stream follows.
const POSITION: &str = "position#";
/// The sort key of positions.
const EXPORTED: &str = "exported";
/// The partition key and the sort key of the number of the last applied manifest.
const APPLIED: &str = "applied";

/// The progress of an export, in a table of its own.
///
/// | `pk` | `sk` | attributes |
/// | --- | --- | --- |
/// | `mark#<part>` | stream | `upTo`: the version of the newest known event |
/// | `position#<stream>` | `exported` | `upTo`: the version of the last event in the files |
/// | `applied` | `applied` | `upTo`: the number of the last manifest whose positions are stored |
///
/// Every write raises `upTo` or does nothing.
#[derive(Clone, Debug)]
pub struct DynamoExportProgress {
    client: Client,
    table: String,
    items_per_page: Option<i32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    sk: String,
    up_to: u64,
}

impl DynamoExportProgress {
    /// The progress in this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into(), items_per_page: None }
    }

    /// Lists at most this many marks per page, instead of a megabyte.
    #[must_use]
    pub fn in_pages_of(self, marks: u16) -> Self {
        Self { items_per_page: Some(i32::from(marks.max(1))), ..self }
    }

    async fn raise(&self, pk: String, sk: String, up_to: u64) -> Result<(), ExportError> {
        let number = AttributeValue::N(up_to.to_string());
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(key(pk, sk)))
            .item("upTo", number.clone())
            .condition_expression("attribute_not_exists(pk) OR upTo < :upTo")
            .expression_attribute_values(":upTo", number);
        match put.send().await {
            Ok(_) => Ok(()),
            // It is as high already.
            Err(SdkError::ServiceError(refusal))
                if refusal.err().is_conditional_check_failed_exception() =>
            {
                Ok(())
            }
            Err(error) => Err(Failure::of(error).into()),
        }
    }
}

fn key(pk: String, sk: String) -> Item {
    Item::from([("pk".to_owned(), AttributeValue::S(pk)), ("sk".to_owned(), AttributeValue::S(sk))])
}

fn mark_key(stream: &StreamId) -> Item {
    let part = ExportMark::part_of(stream);
    key(format!("{MARK}{part}"), stream.to_string())
}

#[async_trait]
impl ExportProgress for DynamoExportProgress {
    async fn mark(&self, mark: &ExportMark) -> Result<(), ExportError> {
        let part = ExportMark::part_of(&mark.stream);
        let pk = format!("{MARK}{part}");
        self.raise(pk, mark.stream.to_string(), mark.version.get()).await
    }

    async fn marks(
        &self,
        part: u8,
        after: Option<&StreamId>,
    ) -> Result<Page<ExportMark, StreamId>, ExportError> {
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :part")
            .expression_attribute_values(":part", AttributeValue::S(format!("{MARK}{part}")))
            .consistent_read(true)
            .set_limit(self.items_per_page)
            .set_exclusive_start_key(after.map(mark_key))
            .send()
            .await
            .map_err(Failure::of)?;
        let items = page.items.unwrap_or_default().into_iter();
        let items = items.map(|item| {
            let Entry { sk, up_to } = entry(item, "a mark")?;
            Ok(ExportMark { stream: stream(&sk)?, version: Version::new(up_to) })
        });
        let items = items.collect::<Result<Vec<_>, ExportError>>()?;
        let last = page.last_evaluated_key.as_ref().and_then(|key| key.get("sk")?.as_s().ok());
        let next = last.map(|name| stream(name)).transpose()?;
        Ok(Page { items, next })
    }

    async fn unmark(&self, stream: &StreamId, reached: Version) -> Result<(), ExportError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(mark_key(stream)))
            .condition_expression("upTo <= :reached")
            .expression_attribute_values(":reached", AttributeValue::N(reached.to_string()));
        match delete.send().await {
            Ok(_) => Ok(()),
            // There is no mark, or it is higher.
            Err(SdkError::ServiceError(refusal))
                if refusal.err().is_conditional_check_failed_exception() =>
            {
                Ok(())
            }
            Err(error) => Err(Failure::of(error).into()),
        }
    }

    async fn positions(
        &self,
        streams: &[StreamId],
    ) -> Result<BTreeMap<StreamId, Version>, ExportError> {
        let key =
            |stream: &StreamId| Key::sorted(format!("{POSITION}{stream}"), EXPORTED.to_owned());
        let keys: Vec<_> = streams.iter().map(key).collect();
        let items = batch_get::read(&self.client, &self.table, &keys).await;
        let mut positions = BTreeMap::new();
        for (stream, item) in streams.iter().zip(items) {
            let item = item.map_err(|error| match error {
                ReadStoreError::Port(error) => ExportError::Port(error),
                other => corrupt(stream.to_string(), other.to_string()),
            })?;
            if let Some(item) = item {
                let Entry { up_to, .. } = entry(item, &stream.to_string())?;
                positions.insert(stream.clone(), Version::new(up_to));
            }
        }
        Ok(positions)
    }

    async fn advance(&self, stream: &StreamId, to: Version) -> Result<(), ExportError> {
        self.raise(format!("{POSITION}{stream}"), EXPORTED.to_owned(), to.get()).await
    }

    async fn applied(&self) -> Result<u64, ExportError> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let get = get.set_key(Some(key(APPLIED.to_owned(), APPLIED.to_owned())));
        let item = get.send().await.map_err(Failure::of)?.item;
        Ok(item.map(|item| entry(item, APPLIED)).transpose()?.map_or(0, |entry| entry.up_to))
    }

    async fn set_applied(&self, number: u64) -> Result<(), ExportError> {
        self.raise(APPLIED.to_owned(), APPLIED.to_owned(), number).await
    }
}

fn entry(item: Item, name: &str) -> Result<Entry, ExportError> {
    stored::read(item).map_err(|error| corrupt(name.to_owned(), error.to_string()))
}

fn stream(name: &str) -> Result<StreamId, ExportError> {
    name.parse().map_err(|error: ledgerfold::InvalidId| corrupt(name.to_owned(), error.to_string()))
}

const fn corrupt(name: String, reason: String) -> ExportError {
    ExportError::Corrupt { name, reason }
}
