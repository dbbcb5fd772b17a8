//! The items of keys.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    operation::{put_item::PutItemError, update_item::UpdateItemError},
    primitives::Blob,
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use ledgerfold::{
    ports::{KeyringError, PortError},
    sealed::KeyVersion,
    vocabulary::{ErasureMark, ErasureRequest, ErasureState, LegalHold},
};
use ledgerfold_aws::Failure;
use serde::Serialize;

use crate::owner::Owner;

const VERSION: &str = "v";
const WRAPPED: &str = "w";
const ERASED: &str = "e";
const REQUEST: &str = "r";
const HOLD: &str = "h";

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

/// A change of an item on a condition. If the condition fails, the item has the reason.
struct Change<'a> {
    update: &'a str,
    condition: &'a str,
    names: &'a [(&'a str, &'a str)],
    values: Vec<(&'a str, AttributeValue)>,
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

    /// Whether the owner can be erased, and was.
    pub(crate) async fn erasure_state(
        &self,
        owner: Owner<'_>,
    ) -> Result<ErasureState, KeyringError> {
        let get = self.client.get_item().table_name(&self.table).key("pk", pk(owner));
        let answer = get.consistent_read(true).send().await.map_err(Failure::of)?;
        answer.item.map_or(Ok(ErasureState::NoKey), |item| state(owner, &item))
    }

    /// Replaces the key of an owner by the mark that it was erased, in one write. A legal hold refuses this write.
    pub(crate) async fn erase(
        &self,
        owner: Owner<'_>,
        request: &ErasureRequest,
    ) -> Result<ErasureState, KeyringError> {
        let change = Change {
            update: "SET #e = if_not_exists(#v, :first), #r = :r REMOVE #v, #w",
            // Erased already: keep the version and the request that are recorded.
            condition: "(attribute_not_exists(#e) OR attribute_exists(#w)) AND attribute_not_exists(#h)",
            names: &[
                ("#e", ERASED),
                ("#v", VERSION),
                ("#w", WRAPPED),
                ("#r", REQUEST),
                ("#h", HOLD),
            ],
            values: vec![(":first", number(KeyVersion::FIRST)), (":r", json(owner, request)?)],
        };
        self.change(owner, change).await
    }

    /// Places a legal hold on an owner with a key and without a hold.
    pub(crate) async fn hold(
        &self,
        owner: Owner<'_>,
        hold: &LegalHold,
    ) -> Result<ErasureState, KeyringError> {
        let change = Change {
            update: "SET #h = :h",
            condition: "attribute_exists(#w) AND attribute_not_exists(#h)",
            names: &[("#w", WRAPPED), ("#h", HOLD)],
            values: vec![(":h", json(owner, hold)?)],
        };
        self.change(owner, change).await
    }

    /// Lifts the legal hold, if there is one.
    pub(crate) async fn lift(&self, owner: Owner<'_>) -> Result<ErasureState, KeyringError> {
        let change = Change {
            update: "REMOVE #h",
            condition: "attribute_exists(#h)",
            names: &[("#h", HOLD)],
            values: Vec::new(),
        };
        self.change(owner, change).await
    }

    /// The state after the change, or the state that refuses it.
    async fn change(
        &self,
        owner: Owner<'_>,
        change: Change<'_>,
    ) -> Result<ErasureState, KeyringError> {
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", pk(owner))
            .update_expression(change.update)
            .condition_expression(change.condition)
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        for (name, attribute) in change.names {
            update = update.expression_attribute_names(*name, *attribute);
        }
        for (name, value) in change.values {
            update = update.expression_attribute_values(name, value);
        }
        let item = match update.send().await {
            Ok(answer) => answer.attributes,
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    failed.item().cloned()
                }
                _ => return Err(Failure::of(error).into()),
            },
        };
        match item {
            Some(item) => state(owner, &item),
            None => self.erasure_state(owner).await,
        }
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

fn json(owner: Owner<'_>, value: &impl Serialize) -> Result<AttributeValue, KeyringError> {
    let text = serde_json::to_string(value);
    text.map(AttributeValue::S).map_err(|error| {
        let reason = format!("{} cannot be written: {error}", owner.pk());
        KeyringError::Port(PortError::Refused(reason.into()))
    })
}

fn state(owner: Owner<'_>, item: &Item) -> Result<ErasureState, KeyringError> {
    let text = |name: &str| {
        item.get(name)
            .and_then(|value| value.as_s().ok())
            .ok_or_else(|| owner.damaged(format!("`{name}` is no text")))
    };
    let damaged = |error: serde_json::Error| owner.damaged(error.to_string());
    Ok(match read(owner, item)? {
        StoredKey::Erased { through } => {
            let request = serde_json::from_str(text(REQUEST)?).map_err(damaged)?;
            ErasureState::Erased(ErasureMark { through, request })
        }
        StoredKey::Active { .. } if item.contains_key(HOLD) => {
            ErasureState::Held(serde_json::from_str(text(HOLD)?).map_err(damaged)?)
        }
        StoredKey::Active { .. } => ErasureState::Active,
    })
}
