//! Damage to read tables, as no function of the product does it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{Aws, AwsError, event_table::stream_of, explain};

const DELETES_AT_ONCE: usize = 8;

impl Aws {
    /// Deletes an order's row from a projection's read table, so that nothing of it is left.
    ///
    /// # Errors
    /// When the stack file names no such table, or the row cannot be deleted.
    pub async fn lose_row(&self, projection: &str, order: &str) -> Result<(), AwsError> {
        const CALL: &str = "DeleteItem";
        self.tables
            .delete_item()
            .table_name(self.read_table(projection)?)
            .key("pk", AttributeValue::S(stream_of(order)))
            .condition_expression("attribute_exists(pk)")
            .send()
            .await
            .map_err(explain(CALL))?;
        Ok(())
    }

    /// Deletes everything in a projection's read table, and answers with how much that was.
    ///
    /// # Errors
    /// When the stack file names no such table, or it cannot be read or written.
    pub async fn wipe(&self, projection: &str) -> Result<usize, AwsError> {
        let (table, mut wiped) = (self.read_table(projection)?, 0);
        loop {
            let page = self
                .tables
                .scan()
                .table_name(table)
                .projection_expression("pk, sk")
                .consistent_read(true)
                .send()
                .await
                .map_err(explain("Scan"))?;
            let keys = page.items.unwrap_or_default();
            if keys.is_empty() {
                return Ok(wiped);
            }
            wiped += keys.len();
            let deletes = stream::iter(keys).map(|key| self.delete(table, key));
            deletes.buffer_unordered(DELETES_AT_ONCE).try_collect::<Vec<()>>().await?;
        }
    }

    async fn delete(
        &self,
        table: &str,
        key: HashMap<String, AttributeValue>,
    ) -> Result<(), AwsError> {
        let delete = self.tables.delete_item().table_name(table).set_key(Some(key));
        delete.send().await.map(drop).map_err(explain("DeleteItem"))
    }

    fn read_table(&self, projection: &str) -> Result<&str, AwsError> {
        let tables = &self.stack.contexts.orders.read_tables;
        let unnamed = || AwsError::new("stack file", format!("no read table of {projection}"));
        tables.get(projection).map(String::as_str).ok_or_else(unnamed)
    }
}
