//! Rows of read models in a DynamoDB table.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client, error::SdkError, operation::put_item::builders::PutItemFluentBuilder,
    types::AttributeValue,
};
use ledgerfold::{
    InvalidId, Payload, StreamId, Version,
    ports::{
        IndexKey, IndexOrder, IndexPartition, Listing, PortError, ReadStoreError, RowReader,
        RowStore, StoredRow, Written,
    },
    vocabulary::{Generation, OfTenant},
};
use serde::{Deserialize, Serialize};

use ledgerfold_aws::Failure;

use crate::{
    batch_get::{self, Key},
    keys, stored,
};

/// Rows in a DynamoDB table. A global secondary index, if there is one, lists them.
#[derive(Clone, Debug)]
pub struct DynamoRowStore {
    client: Client,
    table: String,
    index: Option<String>,
    generation: Generation,
}

/// A row as an item.
#[derive(Debug, Serialize, Deserialize)]
struct RowItem {
    /// Stream, after the generation's prefix.
    pk: String,
    #[serde(rename = "v")]
    version: u64,
    /// JSON text.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    /// `<tenant>/<list>`, after the same prefix.
    #[serde(rename = "ix", default, skip_serializing_if = "Option::is_none")]
    index_partition: Option<String>,
    #[serde(rename = "io", default, skip_serializing_if = "Option::is_none")]
    index_order: Option<String>,
}

impl DynamoRowStore {
    /// The rows of the first generation in this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into(), index: None, generation: Generation::FIRST }
    }

    /// The rows of another generation.
    #[must_use]
    pub fn of_generation(self, generation: Generation) -> Self {
        Self { generation, ..self }
    }

    /// Lists through this index. Its partition key is `ix`, its sort key `io`.
    #[must_use]
    pub fn listed_by(self, index: impl Into<String>) -> Self {
        Self { index: Some(index.into()), ..self }
    }

    fn put_item(&self, row: &StoredRow) -> Result<PutItemFluentBuilder, ReadStoreError> {
        row.check()?;
        let item = serde_dynamo::to_item(RowItem::new(row, self.generation))
            .map_err(|error| ReadStoreError::Port(PortError::Refused(error.into())))?;
        Ok(self.client.put_item().table_name(&self.table).set_item(Some(item)))
    }
}

#[async_trait]
impl RowReader for DynamoRowStore {
    async fn get(&self, stream: &StreamId) -> Result<Option<StoredRow>, ReadStoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(keys::key(self.generation, &stream.to_string())))
            .consistent_read(true)
            .send()
            .await
            .map_err(Failure::of)?;
        answer.item.map(|item| row(item, self.generation)).transpose()
    }

    async fn get_all(
        &self,
        streams: &[StreamId],
    ) -> Vec<Result<Option<StoredRow>, ReadStoreError>> {
        let key = |stream: &StreamId| Key::of(keys::key(self.generation, &stream.to_string()));
        let keys: Vec<_> = streams.iter().map(key).collect();
        let items = batch_get::read(&self.client, &self.table, &keys).await;
        let row = |item: Option<_>| item.map(|item| row(item, self.generation)).transpose();
        items.into_iter().map(|item| item.and_then(row)).collect()
    }

    async fn list(&self, listing: &Listing) -> Result<Vec<StoredRow>, ReadStoreError> {
        let Some(index) = &self.index else {
            return Err(ReadStoreError::Port(PortError::Refused(
                "this table has no index to list by".into(),
            )));
        };
        let list = OfTenant::new(&listing.tenant, &listing.partition);
        let partition = keys::key(self.generation, &list.to_string());
        let mut rows = Vec::new();
        let mut resume = None;
        while rows.len() < listing.limit {
            let mut query = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(index)
                .expression_attribute_values(":list", AttributeValue::S(partition.clone()))
                .scan_index_forward(false)
                .limit(i32::try_from(listing.limit - rows.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(resume);
            query = match &listing.before {
                Some(before) => query
                    .key_condition_expression("ix = :list AND io < :before")
                    .expression_attribute_values(":before", AttributeValue::S(before.to_string())),
                None => query.key_condition_expression("ix = :list"),
            };
            let page = query.send().await.map_err(Failure::of)?;
            for item in page.items.unwrap_or_default() {
                rows.push(row(item, self.generation)?);
            }
            resume = page.last_evaluated_key;
            if resume.is_none() {
                break;
            }
        }
        Ok(rows)
    }
}

#[async_trait]
impl RowStore for DynamoRowStore {
    async fn put(&self, row: &StoredRow) -> Result<Written, ReadStoreError> {
        let put = self
            .put_item(row)?
            .condition_expression("attribute_not_exists(pk) OR v < :version")
            .expression_attribute_values(":version", AttributeValue::N(row.version.to_string()));
        written(put).await
    }

    async fn replace(&self, seen: &StoredRow, row: &StoredRow) -> Result<Written, ReadStoreError> {
        let put = self
            .put_item(row)?
            .condition_expression("v = :seen")
            .expression_attribute_values(":seen", AttributeValue::N(seen.version.to_string()));
        written(put).await
    }
}

impl RowItem {
    fn new(row: &StoredRow, generation: Generation) -> Self {
        let index = row.index.as_ref();
        Self {
            pk: keys::key(generation, &row.stream.to_string()),
            version: row.version.get(),
            body: row.body.as_ref().map(|body| body.as_str().to_owned()),
            index_partition: index.map(|index| {
                let list = OfTenant::of(&row.stream, &index.partition);
                keys::key(generation, &list.to_string())
            }),
            index_order: index.map(|index| index.order.to_string()),
        }
    }
}

pub(crate) async fn written(put: PutItemFluentBuilder) -> Result<Written, ReadStoreError> {
    match put.send().await {
        Ok(_) => Ok(Written::Done),
        Err(SdkError::ServiceError(refusal))
            if refusal.err().is_conditional_check_failed_exception() =>
        {
            Ok(Written::Superseded)
        }
        Err(error) => Err(Failure::of(error).into()),
    }
}

fn row(
    item: HashMap<String, AttributeValue>,
    generation: Generation,
) -> Result<StoredRow, ReadStoreError> {
    let key = format!("{:?}", item.get("pk"));
    let corrupt = |reason: String| ReadStoreError::Corrupt { key: key.clone(), reason };
    let item: RowItem = stored::read(item).map_err(|error| error.of_row(&key))?;
    let (of, stream) = keys::split(&item.pk);
    if of != generation {
        return Err(corrupt(format!("it is of generation {of}, and not {generation}")));
    }
    let stream = stream.parse().map_err(|error: InvalidId| corrupt(error.to_string()));
    let body = item.body.map(Payload::from_text).transpose();
    let index = item.index_partition.zip(item.index_order);
    let index = index.map(|(partition, order)| {
        let list: OfTenant<IndexPartition> = keys::split(&partition).1.parse()?;
        Ok(IndexKey { partition: list.key, order: IndexOrder::new(order)? })
    });
    Ok(StoredRow {
        stream: stream?,
        version: Version::new(item.version),
        body: body.map_err(|error| corrupt(error.to_string()))?,
        index: index.transpose().map_err(|error: InvalidId| corrupt(error.to_string()))?,
    })
}
