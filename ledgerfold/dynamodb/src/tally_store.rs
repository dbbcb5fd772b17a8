//! Counters of read models in a DynamoDB table.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::{
        transact_get_items::TransactGetItemsError, transact_write_items::TransactWriteItemsError,
    },
    types::{
        AttributeValue, CancellationReason, Get, Put, TransactGetItem, TransactWriteItem, Update,
    },
};
use futures::future::try_join_all;
use ledgerfold::{
    Payload, StreamId, TenantId, Version,
    ports::{
        Added, Count, Counter, CounterKey, CounterShard, CountsOfShard, Memo, ReadStoreError,
        Settled, Sums, TallyReader, TallyStore,
    },
    vocabulary::{Generation, OfTenant},
};

use ledgerfold_aws::Failure;

use crate::{
    batch_get::{self, Key},
    failure, keys,
    stored::{self, Item},
};

/// The sort key of memos. Counters have the counter key there.
const MEMO: &str = "memo";

/// Counters and memos in a DynamoDB table.
///
/// | item | `pk` | `sk` | attributes |
/// | --- | --- | --- | --- |
/// | memo of a stream | `memo#<stream>` | `memo` | `v` version, `d` JSON text, `g` the group keys that its write counted in |
/// | counters | `counters#<shard>` | `<tenant>/<key>` | one number per counter, under its name after `n.` |
///
/// Each `pk` has the generation's prefix.
#[derive(Clone, Debug)]
pub struct DynamoTallyStore {
    client: Client,
    table: String,
    generation: Generation,
}

impl DynamoTallyStore {
    /// The counters of the first generation in this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into(), generation: Generation::FIRST }
    }

    /// The counters of another generation.
    #[must_use]
    pub fn of_generation(self, generation: Generation) -> Self {
        Self { generation, ..self }
    }

    fn memo_key(&self, stream: &StreamId) -> String {
        keys::key(self.generation, &format!("memo#{stream}"))
    }

    fn shard_key(&self, shard: CounterShard) -> AttributeValue {
        AttributeValue::S(keys::key(self.generation, &format!("counters#{}", shard.number())))
    }

    /// Puts the memo, if the current one is at the version that the count continues from.
    fn put_memo(&self, Count { after, memo, .. }: &Count) -> Result<TransactWriteItem, Failure> {
        let put = Put::builder()
            .table_name(&self.table)
            .item("pk", AttributeValue::S(self.memo_key(&memo.stream)))
            .item("sk", AttributeValue::S(MEMO.to_owned()))
            .item("v", AttributeValue::N(memo.version.to_string()))
            .item("d", AttributeValue::S(memo.body.as_str().to_owned()));
        let groups = memo.groups.iter().map(|key| AttributeValue::S(key.to_string()));
        let put = match groups.collect::<Vec<_>>() {
            none if none.is_empty() => put,
            groups => put.item("g", AttributeValue::L(groups)),
        };
        let put = if *after == Version::NONE {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("v = :after")
                .expression_attribute_values(":after", AttributeValue::N(after.to_string()))
        };
        let put = put.build().map_err(Failure::refused)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Adds to the counters of a group.
    fn add_to(
        &self,
        shard: CounterShard,
        (key, sums): (&OfTenant<CounterKey>, &BTreeMap<String, i128>),
    ) -> Result<TransactWriteItem, Failure> {
        let mut update = Update::builder()
            .table_name(&self.table)
            .key("pk", self.shard_key(shard))
            .key("sk", AttributeValue::S(key.to_string()));
        let mut terms = Vec::new();
        for (at, (counter, amount)) in sums.iter().enumerate() {
            update = update
                .expression_attribute_names(format!("#c{at}"), format!("n.{counter}"))
                .expression_attribute_values(
                    format!(":a{at}"),
                    AttributeValue::N(amount.to_string()),
                );
            terms.push(format!("#c{at} :a{at}"));
        }
        let update = update.update_expression(format!("ADD {}", terms.join(", "))).build();
        let update = update.map_err(Failure::refused)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// A read in a transaction.
    fn get(&self, partition: AttributeValue, key: &str) -> Result<TransactGetItem, Failure> {
        let get = Get::builder()
            .table_name(&self.table)
            .key("pk", partition)
            .key("sk", AttributeValue::S(key.to_owned()))
            .build()
            .map_err(Failure::refused)?;
        Ok(TransactGetItem::builder().get(get).build())
    }

    /// The items of all shards with keys from `first` to `last`.
    async fn items(&self, first: &str, last: &str) -> Result<Vec<Item>, Failure> {
        let shards = CounterShard::all().map(|shard| self.shard(shard, first, last));
        Ok(try_join_all(shards).await?.concat())
    }

    async fn shard(
        &self,
        shard: CounterShard,
        first: &str,
        last: &str,
    ) -> Result<Vec<Item>, Failure> {
        let mut items = Vec::new();
        let mut resume = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :shard AND sk BETWEEN :first AND :last")
                .expression_attribute_values(":shard", self.shard_key(shard))
                .expression_attribute_values(":first", AttributeValue::S(first.to_owned()))
                .expression_attribute_values(":last", AttributeValue::S(last.to_owned()))
                .consistent_read(true)
                .set_exclusive_start_key(resume)
                .send()
                .await
                .map_err(Failure::of)?;
            items.extend(page.items.unwrap_or_default());
            resume = page.last_evaluated_key;
            if resume.is_none() {
                return Ok(items);
            }
        }
    }
}

#[async_trait]
impl TallyReader for DynamoTallyStore {
    async fn memo(&self, stream: &StreamId) -> Result<Option<Memo>, ReadStoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(self.memo_key(stream)))
            .key("sk", AttributeValue::S(MEMO.to_owned()))
            .consistent_read(true)
            .send()
            .await
            .map_err(Failure::of)?;
        answer.item.map(|item| memo(stream, item)).transpose()
    }

    async fn memos(&self, streams: &[StreamId]) -> Vec<Result<Option<Memo>, ReadStoreError>> {
        let key = |stream| Key::sorted(self.memo_key(stream), MEMO.to_owned());
        let keys: Vec<_> = streams.iter().map(key).collect();
        let items = batch_get::read(&self.client, &self.table, &keys).await;
        let memo = |(stream, item): (_, Result<Option<Item>, _>)| {
            item.and_then(|item| item.map(|item| memo(stream, item)).transpose())
        };
        streams.iter().zip(items).map(memo).collect()
    }

    /// A tenant has no `/`, so all keys between two keys of a tenant are keys of this tenant.
    async fn range(
        &self,
        tenant: &TenantId,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Vec<Counter>, ReadStoreError> {
        let first = OfTenant::new(tenant, first).to_string();
        let last = OfTenant::new(tenant, last).to_string();
        let items = self.items(&first, &last).await?;
        let counters = sum(&items)?.into_iter();
        Ok(counters.map(|(key, amounts)| Counter { key: key.key, amounts }).collect())
    }

    async fn settled(
        &self,
        stream: &StreamId,
        groups: &[CounterKey],
    ) -> Result<Settled, ReadStoreError> {
        let shard = self.shard_key(CounterShard::of(stream));
        let own = self.get(AttributeValue::S(self.memo_key(stream)), MEMO)?;
        let mut call = self.client.transact_get_items().transact_items(own);
        for key in groups {
            let key = OfTenant::of(stream, key);
            call = call.transact_items(self.get(shard.clone(), &key.to_string())?);
        }
        let error = match call.send().await {
            Ok(answer) => {
                // Responses are in the order of the request.
                let first = answer.responses.unwrap_or_default().into_iter().next();
                let item = first.and_then(|first| first.item);
                return Ok(Settled::At(item.map(|item| memo(stream, item)).transpose()?));
            }
            Err(error) => error,
        };
        let reasons = match error.as_service_error() {
            Some(TransactGetItemsError::TransactionCanceledException(cancelled)) => {
                cancelled.cancellation_reasons()
            }
            _ => &[],
        };
        if codes(reasons).contains(&"TransactionConflict") {
            return Ok(Settled::UnderWay);
        }
        Err(failure::of_transaction(failure::first_meaning(reasons), error).into())
    }
}

#[async_trait]
impl TallyStore for DynamoTallyStore {
    async fn add(&self, counts: &CountsOfShard) -> Result<Added, ReadStoreError> {
        let memos = counts.counts().iter().map(|count| self.put_memo(count));
        let sums = counts.sums().iter().map(|sums| self.add_to(counts.shard(), sums));
        let items = memos.chain(sums).collect::<Result<Vec<_>, _>>()?;
        let transaction = self.client.transact_write_items().set_transact_items(Some(items));
        let error = match transaction.send().await {
            Ok(_) => return Ok(Added::Done),
            Err(error) => error,
        };
        let cancelled = match &error {
            SdkError::ServiceError(refusal) => cancelled(counts, refusal.err()),
            _ => None,
        };
        let reason = error.as_service_error().and_then(failure::write_reason);
        Ok(cancelled.ok_or_else(|| failure::of_transaction(reason, error))?)
    }

    async fn all(&self) -> Result<Vec<OfTenant<Counter>>, ReadStoreError> {
        let items =
            self.items(CounterKey::least().as_str(), CounterKey::greatest().as_str()).await?;
        let counters = sum(&items)?.into_iter();
        let counters = counters.map(|(OfTenant { tenant, key }, amounts)| OfTenant {
            tenant,
            key: Counter { key, amounts },
        });
        Ok(counters.collect())
    }
}

/// The sums over all shards, for each group.
fn sum(items: &[Item]) -> Result<Sums, ReadStoreError> {
    let mut sums = Sums::new();
    for item in items {
        let (key, amounts) = counter(item)?;
        let sums = sums.entry(key).or_default();
        for (name, amount) in amounts {
            *sums.entry(name).or_default() += amount;
        }
    }
    Ok(sums)
}

/// Why another write has cancelled a transaction; `None` if something else has.
///
/// Reasons are listed by position, and the memos come first
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).
fn cancelled(counts: &CountsOfShard, error: &TransactWriteItemsError) -> Option<Added> {
    let reasons = cancellation_reasons(error);
    let moved = counts.counts().iter().zip(&reasons);
    let moved = moved.filter(|(_, reason)| **reason == "ConditionalCheckFailed");
    let moved: Vec<_> = moved.map(|(count, _)| count.stream().clone()).collect();
    if !moved.is_empty() {
        return Some(Added::Superseded(moved));
    }
    reasons.contains(&"TransactionConflict").then_some(Added::Busy)
}

fn cancellation_reasons(error: &TransactWriteItemsError) -> Vec<&str> {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
        return Vec::new();
    };
    codes(cancelled.cancellation_reasons())
}

fn codes(reasons: &[CancellationReason]) -> Vec<&str> {
    reasons.iter().map(|reason| reason.code().unwrap_or("None")).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "keys and reasons are made on the spot")]
fn corrupt(key: impl ToString, reason: impl ToString) -> ReadStoreError {
    ReadStoreError::Corrupt { key: key.to_string(), reason: reason.to_string() }
}

/// A memo as an item.
#[derive(serde::Deserialize)]
struct MemoItem {
    #[serde(rename = "v")]
    version: u64,
    /// JSON text.
    #[serde(rename = "d")]
    body: String,
    #[serde(rename = "g", default)]
    groups: Vec<CounterKey>,
}

fn memo(stream: &StreamId, item: Item) -> Result<Memo, ReadStoreError> {
    let item: MemoItem = stored::read(item).map_err(|error| error.of_row(stream))?;
    let body = Payload::from_text(item.body).map_err(|error| corrupt(stream, error))?;
    let version = Version::new(item.version);
    Ok(Memo { stream: stream.clone(), version, body, groups: item.groups })
}

fn counter(item: &Item) -> Result<(OfTenant<CounterKey>, BTreeMap<String, i128>), ReadStoreError> {
    let key = item.get("sk").and_then(|key| key.as_s().ok());
    let key = key.ok_or_else(|| corrupt("counters", "a key is missing"))?;
    let mut amounts = BTreeMap::new();
    for (name, value) in item {
        if let Some(name) = name.strip_prefix("n.") {
            let number = value.as_n().map_err(|_| corrupt(key, format!("{name} is no number")))?;
            let amount =
                number.parse().map_err(|_| corrupt(key, format!("{name} is no whole number")))?;
            amounts.insert(name.to_owned(), amount);
        }
    }
    let key = key.parse().map_err(|error| corrupt(key, error))?;
    Ok((key, amounts))
}
