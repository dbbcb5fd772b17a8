//! Commits from a table: the event table, or a restored copy.

use std::collections::HashMap;

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use crate::error::CliError;

/// Reads the whole table, item for item, in the JSON form of DynamoDB. No code of the library interprets an item.
pub(super) async fn items(
    client: &Client,
    table: &str,
    mut take: impl FnMut(Map<String, Value>),
) -> Result<(), CliError> {
    let mut from = None;
    loop {
        let scan =
            client.scan().table_name(table).consistent_read(true).set_exclusive_start_key(from);
        let page = scan.send().await.map_err(|error| CliError::Call {
            call: "Scan",
            reason: ledgerfold_aws::explain(&error),
        })?;
        page.items.unwrap_or_default().into_iter().for_each(|item| take(of_item(item)));
        from = page.last_evaluated_key;
        if from.is_none() {
            return Ok(());
        }
    }
}

pub(super) fn of_item(item: HashMap<String, AttributeValue>) -> Map<String, Value> {
    item.into_iter().map(|(name, value)| (name, of_value(value))).collect()
}

/// A value of the kinds that a commit has. Others become null, which no attribute of a commit is.
fn of_value(value: AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({"S": text}),
        AttributeValue::N(number) => json!({"N": number}),
        AttributeValue::B(bytes) => json!({"B": STANDARD.encode(bytes)}),
        AttributeValue::L(list) => {
            json!({"L": list.into_iter().map(of_value).collect::<Vec<_>>()})
        }
        AttributeValue::M(members) => json!({"M": of_item(members)}),
        _ => Value::Null,
    }
}
