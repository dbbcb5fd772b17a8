//! Damage to read tables, as no function of the product does it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{Aws, AwsError, event_table::stream_of, explain};

const DELETES_AT_ONCE: usize = 8;

impl Aws {
    /// Deletes an order's row from the live generation of a projection, so that nothing of it is left
    /// that readers could see.
    ///
    /// # Errors
    /// When the stack file names no such table, or the row cannot be deleted.
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

    /// The number of the generation that is read, as the console shows it.
    async fn live_generation(&self, projection: &str) -> Result<String, AwsError> {
        const CALL: &str = "GetItem";
        let table = self.stack.contexts.orders.projection_states.as_deref();
        let table = table.ok_or_else(|| AwsError::new("stack file", "no projection states"))?;
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
        let number = live.and_then(|it| it.as_m().ok()?.get("generation")?.as_n().ok());
        number.cloned().ok_or_else(|| AwsError::new(CALL, "a record without a live generation"))
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
