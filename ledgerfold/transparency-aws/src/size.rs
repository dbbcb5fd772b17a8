//! The size of the log in DynamoDB.

use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use ledgerfold::ports::PortError;
use ledgerfold_aws::Failure;
use ledgerfold_transparency::{HeadStore, LogError};

/// The key of the item. No projection has a number sign in its name.
const KEY: (&str, &str) = ("log#size", "size");

/// The size of the log, in the table of projection states: `pk` `log#size`, `sk` `size`, `n` the size.
#[derive(Clone, Debug)]
pub struct DynamoSize {
    client: Client,
    table: String,
}

impl DynamoSize {
    /// The size in this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }
}

#[async_trait]
impl HeadStore for DynamoSize {
    async fn size(&self) -> Result<u64, LogError> {
        let get = self
            .client
            .get_item()
            .table_name(&self.table)
            .consistent_read(true)
            .key("pk", AttributeValue::S(KEY.0.to_owned()))
            .key("sk", AttributeValue::S(KEY.1.to_owned()));
        let answer = get.send().await.map_err(|error| PortError::from(Failure::of(error)))?;
        let Some(item) = answer.item else { return Ok(0) };
        let number = item.get("n").and_then(|n| n.as_n().ok());
        let size = number.and_then(|number| number.parse().ok());
        size.ok_or_else(|| LogError::Corrupt {
            name: format!("the item {} of {}", KEY.0, self.table),
            reason: "has no size",
        })
    }

    async fn advance(&self, from: u64, to: u64) -> Result<bool, LogError> {
        let condition = match from {
            0 => "attribute_not_exists(pk) OR n = :from",
            _ => "n = :from",
        };
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", AttributeValue::S(KEY.0.to_owned()))
            .item("sk", AttributeValue::S(KEY.1.to_owned()))
            .item("n", AttributeValue::N(to.to_string()))
            .condition_expression(condition)
            .expression_attribute_values(":from", AttributeValue::N(from.to_string()));
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|it| it.is_conditional_check_failed_exception()) =>
            {
                Ok(false)
            }
            Err(error) => Err(PortError::from(Failure::of(error)).into()),
        }
    }
}
