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

/// The items with these sort keys and partition keys, strongly consistent, in the order of the keys. Each fails alone,
/// but a failed request concerns all of its keys.
///
/// `sort` is the sort key of all items, if the table has one.
pub(crate) async fn read(
    client: &Client,
    table: &str,
    keys: &[String],
    sort: Option<&str>,
) -> Vec<Result<Option<Item>, ReadStoreError>> {
    let mut items = Vec::with_capacity(keys.len());
    for chunk in keys.chunks(KEYS) {
        match read_chunk(client, table, chunk, sort).await {
            Ok(found) => items.extend(chunk.iter().map(|key| Ok(found.get(key).cloned()))),
            Err(error) => items.extend(chunk.iter().map(|_| Err(error.repeated()))),
        }
    }
    items
}

async fn read_chunk(
    client: &Client,
    table: &str,
    keys: &[String],
    sort: Option<&str>,
) -> Result<HashMap<String, Item>, ReadStoreError> {
    let mut found = HashMap::new();
    let mut fruitless = 0;
    let mut rest = Some(request(keys, sort)?);
    while let Some(keys) = rest {
        let answer = client.batch_get_item().request_items(table, keys).send().await;
        let answer = answer.map_err(Failure::of)?;
        let items = answer.responses.unwrap_or_default().remove(table).unwrap_or_default();
        fruitless = if items.is_empty() { fruitless + 1 } else { 0 };
        found.extend(items.into_iter().filter_map(|item| Some((partition_key(&item)?, item))));
        rest = answer.unprocessed_keys.unwrap_or_default().remove(table);
        if rest.is_some() && fruitless == FRUITLESS {
            return Err(ReadStoreError::Port(PortError::Throttled));
        }
    }
    Ok(found)
}

fn request(keys: &[String], sort: Option<&str>) -> Result<KeysAndAttributes, ReadStoreError> {
    let mut distinct: Vec<_> = keys.iter().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let key = |name: &str, value: &str| (name.to_owned(), AttributeValue::S(value.to_owned()));
    let keys = distinct.into_iter().map(|partition| {
        let sort = sort.map(|sort| key("sk", sort));
        [key("pk", partition)].into_iter().chain(sort).collect::<Item>()
    });
    KeysAndAttributes::builder()
        .set_keys(Some(keys.collect()))
        .consistent_read(true)
        .build()
        .map_err(|error| Failure::refused(error).into())
}

fn partition_key(item: &Item) -> Option<String> {
    item.get("pk")?.as_s().ok().cloned()
}
