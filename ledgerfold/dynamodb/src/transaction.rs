//! Transactions of commits, unique keys and commands that are recognised for ever.

use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, Put,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use ledgerfold::{
    ReservedKey, StreamId,
    ports::{
        AppendError, CommandRecord, KeyChange, PortError, StoreError, StrictCommand, Transaction,
    },
    vocabulary::{Commit, NewCommit, StreamVersion},
};
use serde::{Deserialize, Serialize};

use crate::{
    record::CommandItem,
    stored::{self, Item},
};

/// A transaction as DynamoDB's list of actions. A refusal lists its reasons by position. So the order here is the order
/// of precedence: a lost race is reported before all else.
pub(crate) struct Plan<'a> {
    log: &'a str,
    reservations: &'a str,
    actions: Vec<Action<'a>>,
}

enum Action<'a> {
    Commit(&'a Commit, Item),
    Unchanged(&'a StreamVersion),
    Record(&'a StrictCommand, CommandRecord),
    Key(&'a ReservedKey, &'a KeyChange),
}

/// The meaning of a refusal.
pub(crate) enum Verdict<'a> {
    /// Another commit already has this version. `item` is that commit.
    Lost { commit: &'a Commit, item: Option<Item> },
    /// A key that is to be given back does not belong to this stream.
    NotReserved { key: &'a ReservedKey, stream: &'a StreamId },
    /// Any other reason.
    Refused(AppendError),
    /// None of the reasons is known here.
    Unknown,
}

/// The holder of a unique key.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeyItem {
    pub(crate) pk: String,
    #[serde(rename = "h")]
    pub(crate) holder: String,
}

/// The prefix of the names of unique keys, in the reservation table.
pub(crate) const KEY_PREFIX: &str = "key#";

impl<'a> Plan<'a> {
    /// Plans the transaction. These items are its commits.
    pub(crate) fn new(
        transaction: &'a Transaction,
        commits: Vec<Item>,
        log: &'a str,
        reservations: &'a str,
    ) -> Self {
        let new = transaction.commits().iter().map(NewCommit::as_commit);
        let commits = new.zip(commits).map(|(commit, item)| Action::Commit(commit, item));
        let unchanged = transaction.unchanged().iter().map(Action::Unchanged);
        let record = transaction.strict().zip(transaction.record());
        let record = record.map(|(strict, record)| Action::Record(strict, record));
        let (taken, given): (Vec<_>, Vec<_>) = transaction
            .claims()
            .iter()
            .partition(|(_, change)| matches!(change, KeyChange::Reserve(_)));
        let keys = taken.into_iter().chain(given).map(|(key, change)| Action::Key(key, change));
        let actions = commits.chain(unchanged).chain(record).chain(keys).collect();
        Self { log, reservations, actions }
    }

    /// Takes the actions, to send them once.
    pub(crate) fn take_items(&mut self) -> Result<Vec<TransactWriteItem>, StoreError> {
        let Self { log, reservations, actions } = self;
        actions.iter_mut().map(|action| transact_item(action, log, reservations)).collect()
    }

    /// Interprets the reasons, which are in the order of the actions.
    pub(crate) fn verdict(
        &self,
        reasons: &[CancellationReason],
    ) -> Result<Verdict<'_>, StoreError> {
        let failed = self
            .actions
            .iter()
            .zip(reasons)
            .find(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"));
        if let Some((action, reason)) = failed {
            return refusal(action, reason.item.clone());
        }
        let busy = reasons.iter().any(|reason| reason.code() == Some("TransactionConflict"));
        Ok(if busy { Verdict::Refused(AppendError::Busy) } else { Verdict::Unknown })
    }
}

fn transact_item(
    action: &mut Action<'_>,
    log: &str,
    reservations: &str,
) -> Result<TransactWriteItem, StoreError> {
    let item = TransactWriteItem::builder();
    let item = match action {
        Action::Commit(_, commit) => item.put(put_new(log, std::mem::take(commit))?),
        Action::Unchanged(seen) => item.condition_check(absent_next(log, seen)?),
        Action::Record(strict, record) => {
            let record = CommandItem::new(&strict.id, record);
            item.put(put_new(reservations, attributes(record)?)?)
        }
        Action::Key(key, change) => return key_action(reservations, key, change),
    };
    Ok(item.build())
}

/// The change of a key, conditional on its current holder.
pub(crate) fn key_action(
    reservations: &str,
    key: &ReservedKey,
    change: &KeyChange,
) -> Result<TransactWriteItem, StoreError> {
    let item = TransactWriteItem::builder();
    let item = match change {
        KeyChange::Reserve(to) => item.put(put_new(reservations, holder(key, to)?)?),
        KeyChange::Pass { from, to } => {
            let put = Put::builder()
                .table_name(reservations)
                .set_item(Some(holder(key, to)?))
                .condition_expression("h = :holder")
                .expression_attribute_values(":holder", text(from));
            item.put(put.build().map_err(incomplete)?)
        }
        KeyChange::Release(from) => {
            let delete = Delete::builder()
                .table_name(reservations)
                .key("pk", AttributeValue::S(key_name(key)))
                .condition_expression("h = :holder")
                .expression_attribute_values(":holder", text(from));
            item.delete(delete.build().map_err(incomplete)?)
        }
        KeyChange::Forgo(stream) => {
            let check = ConditionCheck::builder()
                .table_name(reservations)
                .key("pk", AttributeValue::S(key_name(key)))
                .condition_expression("attribute_not_exists(pk) OR h <> :holder")
                .expression_attribute_values(":holder", text(stream));
            item.condition_check(check.build().map_err(incomplete)?)
        }
    };
    Ok(item.build())
}

fn refusal<'a>(action: &Action<'a>, item: Option<Item>) -> Result<Verdict<'a>, StoreError> {
    Ok(Verdict::Refused(match action {
        Action::Commit(commit, _) => return Ok(Verdict::Lost { commit, item }),
        Action::Unchanged(seen) => {
            AppendError::Changed { stream: seen.stream().clone(), version: seen.version() }
        }
        Action::Record(strict, _) => {
            let record: CommandItem = read(item, &strict.id)?;
            let record = record.read().map_err(|reason| corrupt(&strict.id, reason))?;
            AppendError::Repeated { record: Box::new(record) }
        }
        Action::Key(key, KeyChange::Reserve(_)) => {
            let record: KeyItem = read(item, key)?;
            let holder = record.holder.parse().map_err(|reason| corrupt(key, reason))?;
            AppendError::Reserved { key: (*key).clone(), holder }
        }
        Action::Key(key, KeyChange::Forgo(stream)) => {
            AppendError::Reserved { key: (*key).clone(), holder: stream.clone() }
        }
        Action::Key(key, KeyChange::Release(stream) | KeyChange::Pass { from: stream, .. }) => {
            return Ok(Verdict::NotReserved { key, stream });
        }
    }))
}

pub(crate) fn put_new(table: &str, item: Item) -> Result<Put, StoreError> {
    Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression("attribute_not_exists(pk)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .map_err(incomplete)
}

/// A condition: the stream is still at a version, because no commit begins after it.
pub(crate) fn absent_next(table: &str, seen: &StreamVersion) -> Result<ConditionCheck, StoreError> {
    ConditionCheck::builder()
        .table_name(table)
        .key("pk", text(seen.stream()))
        .key("sk", AttributeValue::N(seen.version().next().to_string()))
        .condition_expression("attribute_not_exists(pk)")
        .build()
        .map_err(incomplete)
}

pub(crate) fn key_name(key: &ReservedKey) -> String {
    format!("key#{key}")
}

fn holder(key: &ReservedKey, stream: &StreamId) -> Result<Item, StoreError> {
    attributes(KeyItem { pk: key_name(key), holder: stream.to_string() })
}

fn text(stream: &StreamId) -> AttributeValue {
    AttributeValue::S(stream.to_string())
}

pub(crate) fn attributes(record: impl Serialize) -> Result<Item, StoreError> {
    serde_dynamo::to_item(record).map_err(incomplete)
}

pub(crate) fn read<T: for<'de> Deserialize<'de>>(
    item: Option<Item>,
    whose: &impl ToString,
) -> Result<T, StoreError> {
    let item =
        item.ok_or_else(|| corrupt(whose, "the refusal does not include the current item"))?;
    stored::read(item).map_err(|error| error.of_log(whose))
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
pub(crate) fn corrupt(whose: &impl ToString, reason: impl ToString) -> StoreError {
    StoreError::Corrupt { stream: whose.to_string(), reason: reason.to_string() }
}

fn incomplete(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Port(PortError::Refused(error.into()))
}
