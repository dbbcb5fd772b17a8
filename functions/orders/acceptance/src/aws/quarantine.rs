//! The age of quarantined streams, which a test changes in order not to wait for it.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Aws, AwsError, event_table::stream_of, explain};

/// Longer ago than any wait between two attempts.
const LONG_AGO: &str = "2026-01-01T00:00:00Z";

impl Aws {
    /// Makes an order's quarantine entry in this scope look as if the last attempt was long ago, so that the next
    /// scheduled retry includes it. Without an entry, nothing changes.
    ///
    /// # Errors
    /// If the stack file names no table of projection states, or the table refuses.
    pub async fn age_quarantine(&self, scope: &str, order: &str) -> Result<(), AwsError> {
        let table = self.projection_states()?;
        let update = self
            .tables
            .update_item()
            .table_name(table)
            .key("pk", AttributeValue::S(format!("parked#{scope}")))
            .key("sk", AttributeValue::S(stream_of(order)))
            .update_expression("SET tried = :long_ago")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":long_ago", AttributeValue::S(LONG_AGO.to_owned()));
        match update.send().await {
            Err(error) if !is_absent(&error) => Err(explain("UpdateItem")(error)),
            _ => Ok(()),
        }
    }
}

type UpdateError =
    aws_sdk_dynamodb::error::SdkError<aws_sdk_dynamodb::operation::update_item::UpdateItemError>;

fn is_absent(error: &UpdateError) -> bool {
    error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception())
}
