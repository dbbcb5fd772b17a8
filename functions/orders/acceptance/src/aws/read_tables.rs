//! Damage to read tables, as no function of the product does it.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Aws, AwsError, event_table::stream_of, explain};

impl Aws {
    /// Deletes an order's row from a projection's read table, so that nothing of it is left.
    ///
    /// # Errors
    /// When the stack file names no such table, or the row cannot be deleted.
    pub async fn lose_row(&self, projection: &str, order: &str) -> Result<(), AwsError> {
        const CALL: &str = "DeleteItem";
        let tables = &self.stack.contexts.orders.read_tables;
        let table = tables
            .get(projection)
            .ok_or_else(|| AwsError::new(CALL, format!("no read table of {projection}")))?;
        self.tables
            .delete_item()
            .table_name(table)
            .key("pk", AttributeValue::S(stream_of(order)))
            .condition_expression("attribute_exists(pk)")
            .send()
            .await
            .map_err(explain(CALL))?;
        Ok(())
    }
}
