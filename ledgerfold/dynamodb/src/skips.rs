//! Skipped events in a DynamoDB table.

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, ConditionCheck, Put, ReturnValue, TransactWriteItem},
};
use ledgerfold::{
    Actor, StreamId, Timestamp, Version,
    ports::{
        PortError, Quarantine, QuarantineError, Signature, Skip, SkipError, SkipReason, SkipRecord,
        SkipRegister, Skips,
    },
};
use ledgerfold_aws::Failure;
use serde::{Deserialize, Serialize};

use crate::{
    failure,
    quarantine::{DynamoQuarantine, corrupt, scan},
    stored::{self, Item},
};

/// The prefix of partition keys of skipped events. The projection follows.
const PREFIX: &str = "skipped#";

/// The events that operators have skipped for one projection, in the table of its
/// [quarantine](DynamoQuarantine).
///
/// | `pk` | `sk` | attributes |
/// | --- | --- | --- |
/// | `skipped#<projection>` | `<stream>@<version>` | `reason`, `actor`, `at`; after a withdrawal also `withdrawnBy`, `withdrawnAt` |
///
/// A look-up is one `GetItem`, the only permission that a function needs to read skips. Recording a skip is one
/// transaction with a check of the quarantine, and costs 4 write units.
#[derive(Clone, Debug)]
pub struct DynamoSkips {
    client: Client,
    table: String,
    projection: String,
}

/// A recorded skip with its projection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopedSkip {
    /// The projection.
    pub projection: String,
    /// The skip.
    pub record: SkipRecord,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SkipItem {
    pk: String,
    /// Stream and version.
    sk: String,
    reason: SkipReason,
    actor: Actor,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    withdrawn_by: Option<Actor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    withdrawn_at: Option<Timestamp>,
}

impl DynamoSkips {
    /// The skips of this projection in this table.
    pub fn new(client: Client, table: impl Into<String>, projection: impl Into<String>) -> Self {
        Self { client, table: table.into(), projection: projection.into() }
    }

    /// The recorded skips of all projections in this table, in no particular order and including withdrawn ones. It is
    /// a Scan, for operators; the table holds little else.
    ///
    /// # Errors
    /// [`QuarantineError`].
    pub async fn everything(
        client: &Client,
        table: &str,
    ) -> Result<Vec<ScopedSkip>, QuarantineError> {
        let items = scan(client, table, PREFIX).await?;
        items.into_iter().map(read).collect()
    }

    fn key(&self, stream: &StreamId, version: Version) -> Item {
        Item::from([
            ("pk".to_owned(), AttributeValue::S(format!("{PREFIX}{}", self.projection))),
            ("sk".to_owned(), AttributeValue::S(format!("{stream}@{version}"))),
        ])
    }

    /// The record of an event, strongly consistent.
    async fn on_record(
        &self,
        stream: &StreamId,
        version: Version,
    ) -> Result<Option<SkipRecord>, QuarantineError> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = get.set_key(Some(self.key(stream, version))).send().await;
        let item = answer.map_err(Failure::of)?.item;
        Ok(item.map(read).transpose()?.map(|scoped| scoped.record))
    }

    fn quarantine(&self) -> DynamoQuarantine {
        DynamoQuarantine::new(self.client.clone(), &self.table, &self.projection)
    }

    fn put(&self, skip: &Skip, condition: &str) -> Result<TransactWriteItem, QuarantineError> {
        let Skip { stream, version, reason, by } = skip;
        let item = SkipItem {
            pk: format!("{PREFIX}{}", self.projection),
            sk: format!("{stream}@{version}"),
            reason: reason.clone(),
            actor: by.actor.clone(),
            at: by.at,
            withdrawn_by: None,
            withdrawn_at: None,
        };
        let item = serde_dynamo::to_item(item).map_err(incomplete)?;
        let put = Put::builder().table_name(&self.table).set_item(Some(item));
        let put = put.condition_expression(condition).build().map_err(incomplete)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// A condition: the stream is quarantined because of this event.
    fn is_parked(&self, skip: &Skip) -> Result<TransactWriteItem, QuarantineError> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(self.quarantine().key(&skip.stream)))
            .condition_expression("version = :version")
            .expression_attribute_values(":version", AttributeValue::N(skip.version.to_string()))
            .build()
            .map_err(incomplete)?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    /// Finds out why a skip was not recorded. It reads again, because not every emulator includes it in the refusal.
    async fn refusal(&self, skip: &Skip) -> Result<SkipError, QuarantineError> {
        let stream = skip.stream.clone();
        let version = skip.version;
        if let Some(there) = self.find(&stream, version).await? {
            return Ok(SkipError::AlreadySkipped(Box::new(there)));
        }
        Ok(match self.quarantine().get(&stream).await? {
            Some(parked) => SkipError::ParkedElsewhere { version, parked: Box::new(parked) },
            None => SkipError::NotParked { stream, version },
        })
    }
}

#[async_trait]
impl Skips for DynamoSkips {
    async fn find(
        &self,
        stream: &StreamId,
        version: Version,
    ) -> Result<Option<Skip>, QuarantineError> {
        let record = self.on_record(stream, version).await?;
        Ok(record.filter(|record| record.withdrawn.is_none()).map(|record| record.skip))
    }
}

#[async_trait]
impl SkipRegister for DynamoSkips {
    async fn record(&self, skip: &Skip) -> Result<(), SkipError> {
        let transaction = self.client.transact_write_items();
        let transaction = match self.on_record(&skip.stream, skip.version).await? {
            None => transaction
                .transact_items(self.is_parked(skip)?)
                .transact_items(self.put(skip, "attribute_not_exists(pk)")?),
            Some(_) => transaction.transact_items(self.put(skip, "attribute_exists(withdrawnBy)")?),
        };
        match transaction.send().await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(refusal)) if has(refusal.err(), UNMET) => {
                Err(self.refusal(skip).await?)
            }
            Err(SdkError::ServiceError(refusal)) if has(refusal.err(), BUSY) => {
                Err(QuarantineError::Port(PortError::Throttled).into())
            }
            Err(error) => {
                let reason = error.as_service_error().and_then(failure::write_reason);
                Err(QuarantineError::from(failure::of_transaction(reason, error)).into())
            }
        }
    }

    async fn withdraw(
        &self,
        stream: &StreamId,
        version: Version,
        by: &Signature,
    ) -> Result<Option<Skip>, QuarantineError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(self.key(stream, version)))
            .update_expression("SET withdrawnBy = :by, withdrawnAt = :at")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(withdrawnBy)")
            .expression_attribute_values(":by", AttributeValue::S(by.actor.to_string()))
            .expression_attribute_values(":at", AttributeValue::S(by.at.to_string()))
            .return_values(ReturnValue::AllNew);
        match update.send().await {
            Ok(answer) => {
                let item =
                    answer.attributes.ok_or_else(|| corrupt(stream, &"its skip is empty"))?;
                Ok(Some(read(item)?.record.skip))
            }
            // No skip of this event is in force.
            Err(SdkError::ServiceError(refusal))
                if refusal.err().is_conditional_check_failed_exception() =>
            {
                Ok(None)
            }
            Err(error) => Err(Failure::of(error).into()),
        }
    }
}

/// Codes of reasons for which DynamoDB cancels a transaction
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).
const UNMET: &[&str] = &["ConditionalCheckFailed"];
const BUSY: &[&str] = &["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];

fn has(error: &TransactWriteItemsError, codes: &[&str]) -> bool {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
        return false;
    };
    let mut reasons = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code());
    reasons.any(|code| codes.contains(&code))
}

fn read(item: Item) -> Result<ScopedSkip, QuarantineError> {
    let name = item.get("sk").and_then(|name| name.as_s().ok()).cloned();
    let name = name.ok_or_else(|| corrupt(&"a skip", &"it has no stream"))?;
    let (stream, version) =
        name.rsplit_once('@').ok_or_else(|| corrupt(&name, &"its skip has no version"))?;
    let version: u64 = version.parse().map_err(|error| corrupt(&name, &error))?;
    let stream = stream.parse().map_err(|error: ledgerfold::InvalidId| corrupt(&name, &error))?;
    let item: SkipItem = stored::read(item).map_err(|error| error.of_entry(&name))?;
    let by = Signature { actor: item.actor, at: item.at };
    let withdrawn = item.withdrawn_by.zip(item.withdrawn_at);
    let withdrawn = withdrawn.map(|(actor, at)| Signature { actor, at });
    let skip = Skip { stream, version: Version::new(version), reason: item.reason, by };
    let projection = item.pk.strip_prefix(PREFIX).unwrap_or(&item.pk).to_owned();
    Ok(ScopedSkip { projection, record: SkipRecord { skip, withdrawn } })
}

fn incomplete(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> QuarantineError {
    QuarantineError::Port(PortError::Refused(error.into()))
}
