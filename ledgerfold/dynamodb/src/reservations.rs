//! The reservations of unique keys, for the build and the audit of claims.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, CancellationReason, TransactWriteItem},
};
use ledgerfold::{
    Category, ReservedKey, StreamId,
    ports::{
        ClaimsRecord, Correction, Page, Reservation, Reservations, Resume, Segment, StoreError,
        StreamsError, Written,
    },
    vocabulary::{Cursor, DamagedToken},
};
use ledgerfold_aws::Failure;
use serde::{Deserialize, Serialize};

use crate::{
    DynamoEventStore, failure, stored,
    transaction::{KEY_PREFIX, KeyItem, absent_next, attributes, corrupt, key_action, key_name},
};

/// The progress of building the reservations of a category, in the reservation table.
#[derive(Debug, Serialize, Deserialize)]
struct RecordItem {
    pk: String,
    #[serde(rename = "n")]
    number: u64,
    record: ClaimsRecord,
}

fn record_name(category: &Category) -> String {
    format!("claims#{category}")
}

/// Whether a correction was cancelled because a key or a stream has changed.
fn is_overtaken(reasons: &[CancellationReason]) -> bool {
    let codes = || reasons.iter().filter_map(CancellationReason::code);
    codes().any(|code| code == "ConditionalCheckFailed")
        || codes().any(|code| code == "TransactionConflict")
}

impl DynamoEventStore {
    /// The purpose in the token of a place, so that it is only valid for the same list.
    fn scope(table: &str, segment: Segment) -> String {
        format!("reservations of {table} {}/{}", segment.index(), segment.of())
    }
}

/// A correction costs two write units for the key and two for each stream that proves it. A page of the list reads up
/// to a megabyte of the table, including commands that are recognised for ever.
#[async_trait]
impl Reservations for DynamoEventStore {
    async fn holder(&self, key: &ReservedKey) -> Result<Option<StreamId>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(self.reservations()?)
            .key("pk", AttributeValue::S(key_name(key)))
            .consistent_read(true)
            .send()
            .await
            .map_err(Failure::of)?;
        let Some(item) = answer.item else { return Ok(None) };
        let item: KeyItem = stored::read(item).map_err(|error| error.of_log(key))?;
        Ok(Some(item.holder.parse().map_err(|error| corrupt(key, error))?))
    }

    async fn list_reservations(
        &self,
        segment: Segment,
        from: Option<&Resume>,
    ) -> Result<Page<Reservation>, StreamsError> {
        let table = self.reservations()?;
        let scope = Self::scope(table, segment);
        let start = from.map(|from| start_key(from, &scope)).transpose()?;
        let answer = self
            .client
            .scan()
            .table_name(table)
            .filter_expression("begins_with(pk, :key)")
            .expression_attribute_values(":key", AttributeValue::S(KEY_PREFIX.to_owned()))
            .segment(i32::try_from(segment.index()).unwrap_or(i32::MAX))
            .total_segments(i32::try_from(segment.of()).unwrap_or(i32::MAX))
            .consistent_read(true)
            .set_limit(self.reservations_per_page)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| StoreError::from(Failure::of(error)))?;
        let last = answer.last_evaluated_key.as_ref().map(|key| {
            let key = key.get("pk").and_then(|key| key.as_s().ok());
            key.ok_or_else(|| corrupt(&table, "the end of a page has no key"))
        });
        let next = last.transpose()?.map(|key| Resume(Cursor(key.clone()).to_text(&scope)));
        let reservations = answer.items.unwrap_or_default().into_iter().map(reservation);
        Ok(Page { items: reservations.collect::<Result<_, _>>()?, next })
    }

    async fn correct(
        &self,
        key: &ReservedKey,
        correction: &Correction,
    ) -> Result<Written, StoreError> {
        let mut actions = vec![key_action(self.reservations()?, key, &correction.change())?];
        for seen in correction.proof() {
            let check = absent_next(&self.table, seen)?;
            actions.push(TransactWriteItem::builder().condition_check(check).build());
        }
        let call = self.client.transact_write_items().set_transact_items(Some(actions));
        match call.send().await {
            Ok(_) => Ok(Written::Done),
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled))
                    if is_overtaken(cancelled.cancellation_reasons()) =>
                {
                    Ok(Written::Superseded)
                }
                Some(TransactWriteItemsError::TransactionInProgressException(_)) => {
                    Ok(Written::Superseded)
                }
                refusal => {
                    let reason = refusal.and_then(failure::write_reason);
                    Err(failure::of_transaction(reason, error).into())
                }
            },
        }
    }

    async fn read_record(&self, category: &Category) -> Result<ClaimsRecord, StoreError> {
        let name = record_name(category);
        let answer = self
            .client
            .get_item()
            .table_name(self.reservations()?)
            .key("pk", AttributeValue::S(name.clone()))
            .consistent_read(true)
            .send()
            .await
            .map_err(Failure::of)?;
        let Some(item) = answer.item else { return Ok(ClaimsRecord::default()) };
        let item: RecordItem = stored::read(item).map_err(|error| error.of_log(&name))?;
        Ok(item.record)
    }

    async fn write_record(
        &self,
        category: &Category,
        new: &ClaimsRecord,
    ) -> Result<Written, StoreError> {
        let pk = record_name(category);
        let number = new.number();
        let item = attributes(RecordItem { pk, number, record: new.clone() })?;
        let put = self.client.put_item().table_name(self.reservations()?).set_item(Some(item));
        let put = match number.saturating_sub(1) {
            0 => put.condition_expression("attribute_not_exists(pk)"),
            seen => put
                .condition_expression("n = :seen")
                .expression_attribute_values(":seen", AttributeValue::N(seen.to_string())),
        };
        match put.send().await {
            Ok(_) => Ok(Written::Done),
            Err(SdkError::ServiceError(refusal))
                if refusal.err().is_conditional_check_failed_exception() =>
            {
                Ok(Written::Superseded)
            }
            Err(error) => Err(Failure::of(error).into()),
        }
    }
}

fn start_key(from: &Resume, scope: &str) -> Result<HashMap<String, AttributeValue>, DamagedToken> {
    let Cursor(key) = Cursor::<String>::parse(&from.0, scope)?;
    Ok(HashMap::from([("pk".to_owned(), AttributeValue::S(key))]))
}

fn reservation(item: HashMap<String, AttributeValue>) -> Result<Reservation, StoreError> {
    let item: KeyItem = stored::read(item).map_err(|error| error.of_log(&"a reservation"))?;
    let key = item.pk.strip_prefix(KEY_PREFIX).unwrap_or(&item.pk);
    let key = key.parse().map_err(|error| corrupt(&item.pk, error))?;
    let holder = item.holder.parse().map_err(|error| corrupt(&item.pk, error))?;
    Ok(Reservation { key, holder })
}
