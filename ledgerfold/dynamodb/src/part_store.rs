//! Parts of read models in a DynamoDB table.

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client, operation::put_item::builders::PutItemFluentBuilder, types::AttributeValue,
};
use ledgerfold::{
    InvalidId, Payload, StreamId, TenantId, Version,
    ports::{
        PartGroup, PartKey, PartOrder, PartRange, PartReader, PartStore, PortError, ReadStoreError,
        StoredPart, Written,
    },
    vocabulary::{Generation, OfTenant},
};
use serde::{Deserialize, Serialize};

use ledgerfold_aws::Failure;

use crate::{
    batch_get::{self, Key},
    keys,
    row_store::written,
    stored::{self, Item},
};

/// The sort key of positions.
const POSITION: &str = "position";

/// Parts and positions in a DynamoDB table.
///
/// | item | `pk` | `sk` | attributes |
/// | --- | --- | --- | --- |
/// | part | `parts#<tenant>/<group>` | `<order> <stream>` | `v` version, `d` JSON text |
/// | position of a stream | `position#<stream>` | `position` | `v` version |
///
/// Each `pk` has the generation's prefix.
#[derive(Clone, Debug)]
pub struct DynamoPartStore {
    client: Client,
    table: String,
    generation: Generation,
}

/// A part or a position as an item.
#[derive(Debug, Serialize, Deserialize)]
struct PartItem {
    pk: String,
    sk: String,
    #[serde(rename = "v")]
    version: u64,
    /// JSON text.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

impl DynamoPartStore {
    /// The parts of the first generation in this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into(), generation: Generation::FIRST }
    }

    /// The parts of another generation.
    #[must_use]
    pub fn of_generation(self, generation: Generation) -> Self {
        Self { generation, ..self }
    }

    fn group_key(&self, tenant: &TenantId, group: &PartGroup) -> String {
        let group = OfTenant::new(tenant, group);
        keys::key(self.generation, &format!("parts#{group}"))
    }

    fn key(&self, stream: &StreamId, key: &PartKey) -> Key {
        let group = self.group_key(stream.tenant(), &key.group);
        Key::sorted(group, format!("{} {stream}", key.order))
    }

    fn position_key(&self, stream: &StreamId) -> String {
        keys::key(self.generation, &format!("position#{stream}"))
    }

    fn put_part(&self, part: &StoredPart) -> Result<PutItemFluentBuilder, ReadStoreError> {
        part.check()?;
        let Key { partition: pk, sort } = self.key(&part.stream, &part.key);
        let sk = sort.unwrap_or_default();
        let body = part.body.as_ref().map(|body| body.as_str().to_owned());
        self.put_item(&PartItem { pk, sk, version: part.version.get(), body })
    }

    fn put_item(&self, item: &PartItem) -> Result<PutItemFluentBuilder, ReadStoreError> {
        let item = serde_dynamo::to_item(item)
            .map_err(|error| ReadStoreError::Port(PortError::Refused(error.into())))?;
        Ok(self.client.put_item().table_name(&self.table).set_item(Some(item)))
    }

    /// The part in an item.
    fn part(&self, item: Item) -> Result<StoredPart, ReadStoreError> {
        let key = format!("{:?} {:?}", item.get("pk"), item.get("sk"));
        let corrupt = |reason: String| ReadStoreError::Corrupt { key: key.clone(), reason };
        let item: PartItem = stored::read(item).map_err(|error| error.of_row(&key))?;
        let (generation, group) = keys::split(&item.pk);
        if generation != self.generation {
            let wanted = self.generation;
            return Err(corrupt(format!("it is of generation {generation}, and not {wanted}")));
        }
        let names = || -> Result<_, InvalidId> {
            let group: OfTenant<PartGroup> =
                group.strip_prefix("parts#").unwrap_or_default().parse()?;
            let (order, stream) = item.sk.split_once(' ').unwrap_or_default();
            let key = PartKey { group: group.key, order: PartOrder::new(order)? };
            Ok((key, stream.parse::<StreamId>()?))
        };
        let (key, stream) = names().map_err(|error| corrupt(error.to_string()))?;
        let body = item.body.map(Payload::from_text).transpose();
        let body = body.map_err(|error| corrupt(error.to_string()))?;
        Ok(StoredPart { stream, key, version: Version::new(item.version), body })
    }
}

fn position_of(stream: &StreamId, item: Option<Item>) -> Result<Version, ReadStoreError> {
    let Some(item) = item else { return Ok(Version::NONE) };
    let item: PartItem = stored::read(item).map_err(|error| error.of_row(stream))?;
    Ok(Version::new(item.version))
}

#[async_trait]
impl PartReader for DynamoPartStore {
    async fn position(&self, stream: &StreamId) -> Result<Version, ReadStoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(self.position_key(stream)))
            .key("sk", AttributeValue::S(POSITION.to_owned()))
            .consistent_read(true)
            .send()
            .await
            .map_err(Failure::of)?;
        position_of(stream, answer.item)
    }

    async fn positions(&self, streams: &[StreamId]) -> Vec<Result<Version, ReadStoreError>> {
        let position = |stream| Key::sorted(self.position_key(stream), POSITION.to_owned());
        let keys: Vec<_> = streams.iter().map(position).collect();
        let items = batch_get::read(&self.client, &self.table, &keys).await;
        let read = |(stream, item): (_, Result<_, _>)| position_of(stream, item?);
        streams.iter().zip(items).map(read).collect()
    }

    async fn parts(
        &self,
        stream: &StreamId,
        keys: &[PartKey],
    ) -> Vec<Result<Option<StoredPart>, ReadStoreError>> {
        let keys: Vec<_> = keys.iter().map(|key| self.key(stream, key)).collect();
        let items = batch_get::read(&self.client, &self.table, &keys).await;
        let part = |item: Option<Item>| item.map(|item| self.part(item)).transpose();
        items.into_iter().map(|item| item.and_then(part)).collect()
    }

    async fn range(&self, range: &PartRange) -> Result<Vec<StoredPart>, ReadStoreError> {
        let mut parts = Vec::new();
        let mut resume = None;
        while parts.len() < range.limit {
            let group = self.group_key(&range.tenant, &range.group);
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :group AND sk BETWEEN :first AND :last")
                .expression_attribute_values(":group", AttributeValue::S(group))
                .expression_attribute_values(":first", AttributeValue::S(range.first.to_string()))
                // A space separates the order from the stream, and comes before every character of an order.
                .expression_attribute_values(":last", AttributeValue::S(format!("{}!", range.last)))
                .consistent_read(true)
                .limit(i32::try_from(range.limit - parts.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(resume)
                .send()
                .await
                .map_err(Failure::of)?;
            for item in page.items.unwrap_or_default() {
                parts.push(self.part(item)?);
            }
            resume = page.last_evaluated_key;
            if resume.is_none() {
                break;
            }
        }
        Ok(parts)
    }
}

#[async_trait]
impl PartStore for DynamoPartStore {
    async fn put(&self, part: &StoredPart) -> Result<Written, ReadStoreError> {
        let put = self.put_part(part)?;
        let put = put
            .condition_expression("attribute_not_exists(pk) OR v < :version")
            .expression_attribute_values(":version", AttributeValue::N(part.version.to_string()));
        written(put).await
    }

    async fn advance(
        &self,
        stream: &StreamId,
        version: Version,
    ) -> Result<Written, ReadStoreError> {
        let (pk, sk) = (self.position_key(stream), POSITION.to_owned());
        let put = self.put_item(&PartItem { pk, sk, version: version.get(), body: None })?;
        let put = put
            .condition_expression("attribute_not_exists(pk) OR v < :version")
            .expression_attribute_values(":version", AttributeValue::N(version.to_string()));
        written(put).await
    }

    async fn replace(&self, seen: Version, part: &StoredPart) -> Result<Written, ReadStoreError> {
        let put = self.put_part(part)?;
        let put = match seen {
            Version::NONE => put.condition_expression("attribute_not_exists(pk)"),
            seen => put
                .condition_expression("v = :seen")
                .expression_attribute_values(":seen", AttributeValue::N(seen.to_string())),
        };
        written(put).await
    }
}
