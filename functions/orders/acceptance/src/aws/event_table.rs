//! Reading commits in the event table.

use aws_sdk_dynamodb::types::{AttributeValue, Select};

use super::{Aws, AwsError, explain};

// A stream's key is `<tenant>/<category>#<id>`.
const CATEGORY: &str = "order";

pub(super) fn stream_of(order: &str) -> String {
    format!("default/{CATEGORY}#{order}")
}

impl Aws {
    /// The number of commits in an order's stream, by a strongly consistent read of the table itself. It shows how
    /// often commands took effect, independent of the service's answers.
    ///
    /// # Errors
    /// If the table cannot be queried.
    pub async fn commits(&self, order: &str) -> Result<usize, AwsError> {
        let mut pages = self
            .tables
            .query()
            .table_name(&self.stack.contexts["orders"].event_table)
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
