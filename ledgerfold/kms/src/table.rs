//! The items of keys.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    operation::{put_item::PutItemError, update_item::UpdateItemError},
    primitives::Blob,
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use ledgerfold::{ports::KeyringError, sealed::KeyVersion};
use ledgerfold_aws::Failure;

use crate::owner::Owner;

const VERSION: &str = "v";
const WRAPPED: &str = "w";
const ERASED: &str = "e";

type Item = HashMap<String, AttributeValue>;

/// The table of keys.
#[derive(Clone, Debug)]
pub(crate) struct KeyTable {
    pub(crate) client: Client,
    pub(crate) table: String,
}

/// A stored key.
#[derive(Debug)]
pub(crate) enum StoredKey {
    Active { version: KeyVersion, wrapped: Vec<u8> },
    Erased { through: KeyVersion },
}

impl KeyTable {
    /// The key of an owner. Strongly consistent, so that an erasure counts at once.
    pub(crate) async fn get(&self, owner: Owner<'_>) -> Result<Option<StoredKey>, KeyringError> {
        let get = self.client.get_item().table_name(&self.table).key("pk", pk(owner));
        let answer = get.consistent_read(true).send().await.map_err(Failure::of)?;
        answer.item.map(|item| read(owner, &item)).transpose()
    }

    /// Stores the first key of an owner. If there is one, or if the owner was erased, the result is the stored state:
    /// DynamoDB decides between concurrent calls.
    pub(crate) async fn put_first(
        &self,
        owner: Owner<'_>,
        wrapped: &[u8],
    ) -> Result<Option<StoredKey>, KeyringError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", pk(owner))
            .item(VERSION, number(KeyVersion::FIRST))
            .item(WRAPPED, AttributeValue::B(Blob::new(wrapped)))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(None) };
        let before = match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => failed.item().cloned(),
            _ => return Err(Failure::of(error).into()),
        };
        self.read_or_get(owner, before).await.map(Some)
    }

    /// Replaces the key of an owner by the mark that it was erased, in one write.
    pub(crate) async fn erase(&self, owner: Owner<'_>) -> Result<StoredKey, KeyringError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", pk(owner))
            .update_expression("SET #e = if_not_exists(#v, :first) REMOVE #v, #w")
            // Erased already: keep the version that is recorded.
            .condition_expression("attribute_not_exists(#e) OR attribute_exists(#w)")
            .expression_attribute_names("#e", ERASED)
            .expression_attribute_names("#v", VERSION)
            .expression_attribute_names("#w", WRAPPED)
            .expression_attribute_values(":first", number(KeyVersion::FIRST))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let item = match update.send().await {
            Ok(answer) => answer.attributes,
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    failed.item().cloned()
                }
                _ => return Err(Failure::of(error).into()),
            },
        };
        self.read_or_get(owner, item).await
    }

    /// The item that an answer brings, or the stored one if the answer brings none.
    async fn read_or_get(
        &self,
        owner: Owner<'_>,
        item: Option<Item>,
    ) -> Result<StoredKey, KeyringError> {
        match item {
            Some(item) => read(owner, &item),
            None => self.get(owner).await?.ok_or_else(|| owner.damaged("its item was deleted")),
        }
    }
}

fn pk(owner: Owner<'_>) -> AttributeValue {
    AttributeValue::S(owner.pk())
}

fn number(version: KeyVersion) -> AttributeValue {
    AttributeValue::N(version.to_string())
}

fn read(owner: Owner<'_>, item: &Item) -> Result<StoredKey, KeyringError> {
    let version = |name| {
        let number = item.get(name).and_then(|value| value.as_n().ok());
        let version = number.and_then(|number| KeyVersion::new(number.parse().ok()?).ok());
        version.ok_or_else(|| owner.damaged(format!("`{name}` is no version")))
    };
    match item.get(WRAPPED) {
        Some(AttributeValue::B(wrapped)) => {
            Ok(StoredKey::Active { version: version(VERSION)?, wrapped: wrapped.as_ref().to_vec() })
        }
        Some(_) => Err(owner.damaged(format!("`{WRAPPED}` is not binary"))),
        None => Ok(StoredKey::Erased { through: version(ERASED)? }),
    }
}
