//! Reads of many items of a table, as few requests as DynamoDB allows.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, KeysAndAttributes},
};
use ledgerfold::ports::{PortError, ReadStoreError};
use ledgerfold_aws::Failure;

use crate::stored::Item;

/// The most keys of one request
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>).
const KEYS: usize = 100;
/// The number of requests for one chunk of keys that bring nothing. DynamoDB may leave out items, above all if an answer
/// has 16 MB or a partition is throttled. The SDK retries only if it leaves out all of them.
const FRUITLESS: u32 = 3;

/// The key of an item: `pk`, and `sk` if the table has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) partition: String,
    pub(crate) sort: Option<String>,
}

impl Key {
    /// A key of a table without a sort key.
    pub(crate) const fn of(partition: String) -> Self {
        Self { partition, sort: None }
    }

    /// A key of a table with a sort key.
    pub(crate) const fn sorted(partition: String, sort: String) -> Self {
        Self { partition, sort: Some(sort) }
    }

    fn of_item(item: &Item) -> Option<Self> {
        let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        Some(Self { partition: text("pk")?, sort: text("sk") })
    }

    fn into_item(self) -> Item {
        let text = |name: &str, value| (name.to_owned(), AttributeValue::S(value));
        let sort = self.sort.map(|sort| text("sk", sort));
        [text("pk", self.partition)].into_iter().chain(sort).collect()
    }
}

/// The items with these keys, strongly consistent, in the order of the keys. Each fails alone, but a failed request
/// concerns all of its keys.
pub(crate) async fn read(
    client: &Client,
    table: &str,
    keys: &[Key],
) -> Vec<Result<Option<Item>, ReadStoreError>> {
    let mut items = Vec::with_capacity(keys.len());
    for chunk in keys.chunks(KEYS) {
        match read_chunk(client, table, chunk).await {
            Ok(found) => items.extend(chunk.iter().map(|key| Ok(found.get(key).cloned()))),
            Err(error) => items.extend(chunk.iter().map(|_| Err(error.repeated()))),
        }
    }
    items
}

async fn read_chunk(
    client: &Client,
    table: &str,
    keys: &[Key],
) -> Result<HashMap<Key, Item>, ReadStoreError> {
    let mut found = HashMap::new();
    let mut fruitless = 0;
    let mut rest = Some(request(keys)?);
    while let Some(keys) = rest {
        let answer = client.batch_get_item().request_items(table, keys).send().await;
        let answer = answer.map_err(Failure::of)?;
        let items = answer.responses.unwrap_or_default().remove(table).unwrap_or_default();
        fruitless = if items.is_empty() { fruitless + 1 } else { 0 };
        found.extend(items.into_iter().filter_map(|item| Some((Key::of_item(&item)?, item))));
        rest = answer.unprocessed_keys.unwrap_or_default().remove(table);
        if rest.is_some() && fruitless == FRUITLESS {
            return Err(ReadStoreError::Port(PortError::Throttled));
        }
    }
    Ok(found)
}

fn request(keys: &[Key]) -> Result<KeysAndAttributes, ReadStoreError> {
    let mut distinct = keys.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    KeysAndAttributes::builder()
        .set_keys(Some(distinct.into_iter().map(Key::into_item).collect()))
        .consistent_read(true)
        .build()
        .map_err(|error| Failure::refused(error).into())
}
