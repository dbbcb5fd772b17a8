use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::put_item::PutItemError,
    types::{AttributeValue, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure},
};
use ledgerfold::{
    Commit, NewCommit, StreamId, Version,
    ports::{AppendError, EventStore, Page, StoreError},
};

use crate::{
    failure::Failure,
    item::CommitItem,
    size::{MAX_ITEM_BYTES, item_size},
};

/// The log on a DynamoDB table: one commit is one item, one append one conditional Put.
///
/// A read is one strongly consistent Query of up to 1 MB. An append of up to 1 KB costs one write
/// unit, and so does one that loses its race; the winner comes with the refusal, unasked and unpaid.
#[derive(Clone, Debug)]
pub struct DynamoEventStore {
    client: Client,
    table: String,
}

type Item = HashMap<String, AttributeValue>;

impl DynamoEventStore {
    /// The log in this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// The commit that stands where one was to be put.
    async fn winner(&self, lost: &Commit, item: Option<Item>) -> Result<Commit, StoreError> {
        if let Some(item) = item {
            return commit(lost.stream(), item);
        }
        // Some emulators refuse without showing what stands there.
        let before = Version::new(lost.from().get().saturating_sub(1));
        let page = self.read(lost.stream(), before).await?;
        page.commits.into_iter().next().ok_or_else(|| StoreError::Corrupt {
            stream: lost.stream().to_string(),
            reason: format!("version {} is taken, and is not there", lost.from()),
        })
    }
}

#[async_trait]
impl EventStore for DynamoEventStore {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<Page, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :stream AND sk > :after")
            .expression_attribute_values(":stream", AttributeValue::S(stream.to_string()))
            .expression_attribute_values(":after", AttributeValue::N(after.to_string()))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(Failure::of)?;
        let more = answer.last_evaluated_key.is_some();
        let items = answer.items.unwrap_or_default();
        let commits =
            items.into_iter().map(|item| commit(stream, item)).collect::<Result<_, _>>()?;
        Ok(Page { commits, more })
    }

    async fn append(&self, new: &NewCommit) -> Result<(), AppendError> {
        let commit = new.as_commit();
        let item = CommitItem::from(commit)
            .into_attributes()
            .map_err(|error| StoreError::Refused(error.into()))?;
        let bytes = item_size(&item);
        if bytes > MAX_ITEM_BYTES {
            return Err(AppendError::TooLarge { bytes, limit: MAX_ITEM_BYTES });
        }
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match put.send().await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(refusal))
                if refusal.err().is_conditional_check_failed_exception() =>
            {
                let item = match refusal.into_err() {
                    PutItemError::ConditionalCheckFailedException(exception) => exception.item,
                    _ => None,
                };
                let winner = Box::new(self.winner(commit, item).await?);
                Err(AppendError::Conflict { winner })
            }
            Err(error) => Err(StoreError::from(Failure::of(error)).into()),
        }
    }
}

fn commit(stream: &StreamId, item: Item) -> Result<Commit, StoreError> {
    CommitItem::from_attributes(item).and_then(CommitItem::into_commit).map_err(|error| {
        StoreError::Corrupt { stream: stream.to_string(), reason: error.to_string() }
    })
}
