//! Quarantined streams in a DynamoDB table.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, error::SdkError, types::AttributeValue};
use ledgerfold::{
    StreamId, Timestamp, Version,
    ports::{Page, Parked, PortError, Quarantine, QuarantineError},
};
use serde::{Deserialize, Serialize};

use ledgerfold_aws::Failure;

use crate::stored::{self, Item};

/// The prefix of partition keys of quarantined streams. The scope follows.
const PREFIX: &str = "parked#";

/// The quarantined streams of one projection, in a DynamoDB table that all projections of a context share.
///
/// | `pk` | `sk` | attributes |
/// | --- | --- | --- |
/// | `parked#<scope>` | stream | `owed`, `at` (position), `version`, `reason`, `since`, `attempts`, `tried` |
///
/// The scope is the projection's name, or `<projection>@<n>` for a generation above the first.
///
/// Each scope is one partition and takes 1,000 entries a second. Beyond that the projector is throttled, and its
/// messages are delivered again. Attribute names are long because entries are few, and operators read them.
#[derive(Clone, Debug)]
pub struct DynamoQuarantine {
    client: Client,
    table: String,
    scope: String,
    items_per_page: Option<i32>,
}

/// A quarantined stream with its scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopedParked {
    /// The projection or its generation.
    pub scope: String,
    /// The stream.
    pub parked: Parked,
}

#[derive(Debug, Serialize, Deserialize)]
struct ParkedItem {
    pk: String,
    /// Stream.
    sk: String,
    owed: u64,
    #[serde(rename = "at", default, skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    reason: String,
    since: Timestamp,
    attempts: u32,
    tried: Timestamp,
}

impl DynamoQuarantine {
    /// The quarantine of this scope in this table.
    pub fn new(client: Client, table: impl Into<String>, scope: impl Into<String>) -> Self {
        Self { client, table: table.into(), scope: scope.into(), items_per_page: None }
    }

    /// Reads at most this many entries per page, instead of a megabyte.
    #[must_use]
    pub fn in_pages_of(self, entries: u16) -> Self {
        Self { items_per_page: Some(i32::from(entries.max(1))), ..self }
    }

    /// The quarantined streams of all scopes in this table, in no particular order. It is a Scan, for operators; the
    /// table holds little else.
    ///
    /// # Errors
    /// [`QuarantineError`].
    pub async fn everything(
        client: &Client,
        table: &str,
    ) -> Result<Vec<ScopedParked>, QuarantineError> {
        let scoped = |item| {
            let (pk, parked) = read(item)?;
            let scope = pk.strip_prefix(PREFIX).unwrap_or(&pk).to_owned();
            Ok(ScopedParked { scope, parked })
        };
        scan(client, table, PREFIX).await?.into_iter().map(scoped).collect()
    }

    fn partition(&self) -> AttributeValue {
        AttributeValue::S(format!("{PREFIX}{}", self.scope))
    }

    pub(crate) fn key(&self, stream: &StreamId) -> Item {
        HashMap::from([
            ("pk".to_owned(), self.partition()),
            ("sk".to_owned(), AttributeValue::S(stream.to_string())),
        ])
    }

    fn item(&self, parked: &Parked) -> ParkedItem {
        ParkedItem {
            pk: format!("{PREFIX}{}", self.scope),
            sk: parked.stream.to_string(),
            owed: parked.owed_version.get(),
            position: parked.position.map(Version::get),
            version: parked.version.map(Version::get),
            reason: parked.reason.clone(),
            since: parked.since,
            attempts: parked.attempts,
            tried: parked.tried,
        }
    }
}

#[async_trait]
impl Quarantine for DynamoQuarantine {
    async fn park(&self, parked: &Parked) -> Result<(), QuarantineError> {
        let item = serde_dynamo::to_item(self.item(parked))
            .map_err(|error| QuarantineError::Port(PortError::Refused(error.into())))?;
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR owed <= :owed")
            .expression_attribute_values(":owed", number(parked.owed_version));
        match put.send().await {
            Ok(_) => Ok(()),
            // There is an entry that owes more.
            Err(SdkError::ServiceError(refusal))
                if refusal.err().is_conditional_check_failed_exception() =>
            {
                Ok(())
            }
            Err(error) => Err(Failure::of(error).into()),
        }
    }

    async fn release(&self, stream: &StreamId, reached: Version) -> Result<(), QuarantineError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(self.key(stream)))
            .condition_expression("owed <= :reached")
            .expression_attribute_values(":reached", number(reached));
        match delete.send().await {
            Ok(_) => Ok(()),
            // There is no entry, or it owes more.
            Err(SdkError::ServiceError(refusal))
                if refusal.err().is_conditional_check_failed_exception() =>
            {
                Ok(())
            }
            Err(error) => Err(Failure::of(error).into()),
        }
    }

    async fn get(&self, stream: &StreamId) -> Result<Option<Parked>, QuarantineError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(self.key(stream)))
            .consistent_read(true)
            .send()
            .await
            .map_err(Failure::of)?;
        Ok(answer.item.map(read).transpose()?.map(|(_, parked)| parked))
    }

    async fn list(
        &self,
        after: Option<&StreamId>,
    ) -> Result<Page<Parked, StreamId>, QuarantineError> {
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :scope")
            .expression_attribute_values(":scope", self.partition())
            .consistent_read(true)
            .set_limit(self.items_per_page)
            .set_exclusive_start_key(after.map(|stream| self.key(stream)))
            .send()
            .await
            .map_err(Failure::of)?;
        let items = page.items.unwrap_or_default().into_iter();
        let parked = items.map(|item| Ok(read(item)?.1)).collect::<Result<_, QuarantineError>>()?;
        let next = page.last_evaluated_key.map(|key| stream_of(&key)).transpose()?;
        Ok(Page { items: parked, next })
    }
}

/// All items whose partition keys begin with this prefix.
pub(crate) async fn scan(
    client: &Client,
    table: &str,
    prefix: &str,
) -> Result<Vec<Item>, QuarantineError> {
    let mut all = Vec::new();
    let mut resume = None;
    loop {
        let page = client
            .scan()
            .table_name(table)
            .filter_expression("begins_with(pk, :prefix)")
            .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
            .consistent_read(true)
            .set_exclusive_start_key(resume)
            .send()
            .await
            .map_err(Failure::of)?;
        all.extend(page.items.unwrap_or_default());
        resume = page.last_evaluated_key;
        if resume.is_none() {
            return Ok(all);
        }
    }
}

fn number(version: Version) -> AttributeValue {
    AttributeValue::N(version.to_string())
}

/// An entry with its partition.
fn read(item: Item) -> Result<(String, Parked), QuarantineError> {
    let stream = stream_of(&item)?;
    let item: ParkedItem = stored::read(item).map_err(|error| error.of_entry(&stream))?;
    let parked = Parked {
        stream,
        position: item.position.map(Version::new),
        version: item.version.map(Version::new),
        owed_version: Version::new(item.owed),
        reason: item.reason,
        since: item.since,
        attempts: item.attempts,
        tried: item.tried,
    };
    Ok((item.pk, parked))
}

fn stream_of(key: &Item) -> Result<StreamId, QuarantineError> {
    let name = key.get("sk").and_then(|name| name.as_s().ok());
    let name = name.ok_or_else(|| corrupt(&"an entry", &"it has no stream"))?;
    name.parse().map_err(|error: ledgerfold::InvalidId| corrupt(name, &error))
}

pub(crate) fn corrupt(stream: &impl ToString, reason: &impl ToString) -> QuarantineError {
    QuarantineError::Corrupt { stream: stream.to_string(), reason: reason.to_string() }
}
