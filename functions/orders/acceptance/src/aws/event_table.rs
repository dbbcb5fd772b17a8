//! Looking at commits in the event table.

use aws_sdk_dynamodb::types::{AttributeValue, Select};

use super::{Aws, AwsError, explain};

// A stream's key is `<category>#<id>`.
const CATEGORY: &str = "order";

pub(super) fn stream_of(order: &str) -> String {
    format!("{CATEGORY}#{order}")
}

impl Aws {
    /// How many commits an order's stream has, read consistently from the table itself: the one number
    /// that says how often commands took effect, whatever the service answered.
    ///
    /// # Errors
    /// When the table cannot be queried.
    pub async fn commits(&self, order: &str) -> Result<usize, AwsError> {
        let mut pages = self
            .tables
            .query()
            .table_name(&self.stack.contexts.orders.event_table)
            .key_condition_expression("pk = :stream")
            .expression_attribute_values(":stream", AttributeValue::S(stream_of(order)))
            .consistent_read(true)
            .select(Select::Count)
            .into_paginator()
            .send();
        let mut commits = 0;
        while let Some(page) = pages.next().await {
            let page = page.map_err(explain("Query"))?;
            commits +=
                usize::try_from(page.count()).map_err(|error| AwsError::new("Query", error))?;
        }
        Ok(commits)
    }
}
