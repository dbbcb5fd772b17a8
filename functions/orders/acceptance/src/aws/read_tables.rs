//! Damage to read tables that no function of the product can do.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, WriteRequest};

use super::{Aws, AwsError, event_table::stream_of, explain};

// The limit of one BatchWriteItem.
const MOST_WRITES: usize = 25;

impl Aws {
    /// Deletes an order's row from the live generation of a projection.
    ///
    /// # Errors
    /// If the stack file names no such table, or the row cannot be deleted.
    pub async fn lose_row(&self, projection: &str, order: &str) -> Result<(), AwsError> {
        const CALL: &str = "DeleteItem";
        let row = match self.live_generation(projection).await?.as_str() {
            "1" => stream_of(order),
            later => format!("{later}~{}", stream_of(order)),
        };
        self.tables
            .delete_item()
            .table_name(self.read_table(projection)?)
            .key("pk", AttributeValue::S(row))
            .condition_expression("attribute_exists(pk)")
            .send()
            .await
            .map_err(explain(CALL))?;
        Ok(())
    }

    /// The number of the live generation, as text.
    async fn live_generation(&self, projection: &str) -> Result<String, AwsError> {
        const CALL: &str = "GetItem";
        let table = self.projection_states()?;
        let answer = self
            .tables
            .get_item()
            .table_name(table)
            .key("pk", AttributeValue::S(projection.to_owned()))
            .key("sk", AttributeValue::S("generations".to_owned()))
            .consistent_read(true)
            .send()
            .await
            .map_err(explain(CALL))?;
        let Some(record) = answer.item else { return Ok("1".to_owned()) };
        let live = record.get("generations").and_then(|it| it.as_m().ok()?.get("live"));
        let number = live.and_then(|it| it.as_m().ok()?.get("number")?.as_n().ok());
        number.cloned().ok_or_else(|| AwsError::new(CALL, "a record without a live generation"))
    }

    /// Deletes all items of a projection's read table, and returns their number.
    ///
    /// # Errors
    /// If the stack file names no such table, or it cannot be emptied.
    pub async fn empty_read_table(&self, projection: &str) -> Result<usize, AwsError> {
        let table = self.read_table(projection)?;
        let key = self.key_of(table).await?;
        let mut deleted = 0;
        let mut pages = self.tables.scan().table_name(table).into_paginator().items().send();
        let mut batch = Vec::new();
        while let Some(item) = pages.next().await {
            let mut item = item.map_err(explain("Scan"))?;
            item.retain(|name, _| key.contains(name));
            batch.push(item);
            if batch.len() == MOST_WRITES {
                deleted += self.delete_all(table, std::mem::take(&mut batch)).await?;
            }
        }
        Ok(deleted + self.delete_all(table, batch).await?)
    }

    /// The table of generations, quarantined streams and skips.
    pub(super) fn projection_states(&self) -> Result<&str, AwsError> {
        let table = self.stack.contexts["orders"].projection_states.as_deref();
        table.ok_or_else(|| AwsError::new("stack file", "no projection states"))
    }

    fn read_table(&self, projection: &str) -> Result<&str, AwsError> {
        let table = self.stack.contexts["orders"].read_tables.get(projection);
        let missing = || AwsError::new("stack file", format!("no read table of {projection}"));
        table.map(String::as_str).ok_or_else(missing)
    }

    async fn key_of(&self, table: &str) -> Result<Vec<String>, AwsError> {
        let answer = self.tables.describe_table().table_name(table).send().await;
        let description = answer.map_err(explain("DescribeTable"))?.table;
        let key = description.and_then(|table| table.key_schema).unwrap_or_default();
        Ok(key.into_iter().map(|part| part.attribute_name).collect())
    }

    async fn delete_all(
        &self,
        table: &str,
        keys: Vec<HashMap<String, AttributeValue>>,
    ) -> Result<usize, AwsError> {
        const CALL: &str = "BatchWriteItem";
        let count = keys.len();
        let delete = |key| {
            let request = DeleteRequest::builder().set_key(Some(key)).build();
            let request = request.map_err(|error| AwsError::new(CALL, error))?;
            Ok(WriteRequest::builder().delete_request(request).build())
        };
        let mut left = keys.into_iter().map(delete).collect::<Result<Vec<_>, AwsError>>()?;
        while !left.is_empty() {
            let call = self.tables.batch_write_item().request_items(table, left);
            let answer = call.send().await.map_err(explain(CALL))?;
            left = answer.unprocessed_items.unwrap_or_default().remove(table).unwrap_or_default();
        }
        Ok(count)
    }
}
