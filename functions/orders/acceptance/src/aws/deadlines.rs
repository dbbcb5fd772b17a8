//! Reading and damaging deadlines.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Aws, AwsError, event_table::stream_of, explain};

impl Aws {
    /// Whether an order has a payment deadline.
    ///
    /// # Errors
    /// If the stack file names no table of deadlines, or the table cannot be read.
    pub async fn has_payment_deadline(&self, order: &str) -> Result<bool, AwsError> {
        const CALL: &str = "GetItem";
        let answer = self
            .tables
            .get_item()
            .table_name(self.deadlines(CALL)?)
            .key("pk", payment_of(order))
            .consistent_read(true)
            .send()
            .await
            .map_err(explain(CALL))?;
        Ok(answer.item.is_some())
    }

    /// Deletes an order's payment deadline. No function of the product does that before it is due.
    ///
    /// # Errors
    /// If there is none, or it cannot be deleted.
    pub async fn lose_payment_deadline(&self, order: &str) -> Result<(), AwsError> {
        const CALL: &str = "DeleteItem";
        self.tables
            .delete_item()
            .table_name(self.deadlines(CALL)?)
            .key("pk", payment_of(order))
            .condition_expression("attribute_exists(pk)")
            .send()
            .await
            .map_err(explain(CALL))?;
        Ok(())
    }

    fn deadlines(&self, call: &'static str) -> Result<&str, AwsError> {
        let table = self.stack.contexts["orders"].deadlines.as_deref();
        table.ok_or_else(|| AwsError::new(call, "the stack file names no table of deadlines"))
    }
}

// A deadline's key is `<process>#<stream>#<name>`.
fn payment_of(order: &str) -> AttributeValue {
    AttributeValue::S(format!("payment-deadline#{}#payment", stream_of(order)))
}
