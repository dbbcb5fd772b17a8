//! A meter of requests and capacity.

use std::{
    collections::HashMap,
    future::Future,
    ops::Add,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_sdk_dynamodb::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{
            AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut,
            BeforeTransmitInterceptorContextRef,
        },
    },
    error::BoxError,
    operation::{
        batch_get_item::{BatchGetItemInput, BatchGetItemOutput},
        get_item::{GetItemInput, GetItemOutput},
        put_item::{PutItemInput, PutItemOutput},
        query::{QueryInput, QueryOutput},
        transact_get_items::{TransactGetItemsInput, TransactGetItemsOutput},
        transact_write_items::{TransactWriteItemsInput, TransactWriteItemsOutput},
    },
    types::{
        AttributeValue, ConsumedCapacity, KeysAndAttributes, ReturnConsumedCapacity::Total,
        TransactWriteItem,
    },
};
use ledgerfold_dynamodb::item_size;

/// A cost on AWS: the requests that the SDK sends, and the capacity that DynamoDB Local reports. It does not report
/// three things that AWS charges for. They are computed by AWS's rules, and the cost is then marked `inferred`:
///
/// - a read that finds nothing costs as much as the smallest read;
/// - a write whose condition fails counts as if it had succeeded, which is the most it can cost;
/// - the items of a transaction are rounded up one by one, even in the same table.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cost {
    pub(crate) requests: usize,
    pub(crate) write_units: f64,
    pub(crate) read_units: f64,
    pub(crate) inferred: bool,
}

impl Cost {
    pub(crate) const fn of(requests: usize, write_units: f64, read_units: f64) -> Self {
        Self { requests, write_units, read_units, inferred: false }
    }

    /// The same cost, marked as inferred.
    pub(crate) const fn inferred(self) -> Self {
        Self { inferred: true, ..self }
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            write_units: self.write_units + other.write_units,
            read_units: self.read_units + other.read_units,
            inferred: self.inferred || other.inferred,
        }
    }
}

/// Counts the requests and the capacity of a client.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Arc<Mutex<Reading>>);

#[derive(Debug, Default)]
struct Reading {
    cost: Cost,
    /// The minimum cost of each pending read.
    least_read: f64,
    /// The cost of the pending write by AWS's rules.
    asked_write: f64,
}

impl Meter {
    /// The cost and the result of some work. At most one write may be pending at a time.
    pub(crate) async fn of<T>(&self, work: impl Future<Output = T>) -> (Cost, T) {
        *self.lock() = Reading::default();
        let outcome = work.await;
        let cost = self.lock().cost;
        (cost, outcome)
    }

    fn lock(&self) -> MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reading {
    fn read(&mut self, consumed: Option<&ConsumedCapacity>) {
        let units = units(consumed);
        self.cost.inferred |= units < self.least_read;
        self.cost.read_units += units.max(self.least_read);
    }

    fn wrote(&mut self, units: f64) {
        self.cost.inferred |= units < self.asked_write;
        self.cost.write_units += units.max(self.asked_write);
    }
}

impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    /// Requests the consumed capacity for each call, even if the product does not.
    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (input, mut reading) = (context.input_mut(), self.lock());
        if let Some(put) = input.downcast_mut::<PutItemInput>() {
            put.return_consumed_capacity = Some(Total);
            reading.asked_write = put.item.as_ref().map_or(1.0, started_kilobytes);
        } else if let Some(transaction) = input.downcast_mut::<TransactWriteItemsInput>() {
            transaction.return_consumed_capacity = Some(Total);
            let actions = transaction.transact_items.iter().flatten();
            reading.asked_write = actions.map(|action| 2.0 * action_units(action)).sum();
        } else if let Some(get) = input.downcast_mut::<GetItemInput>() {
            get.return_consumed_capacity = Some(Total);
            reading.least_read = least(get.consistent_read);
        } else if let Some(batch) = input.downcast_mut::<BatchGetItemInput>() {
            batch.return_consumed_capacity = Some(Total);
            let tables = batch.request_items.iter().flat_map(HashMap::values);
            let least = |keys: &KeysAndAttributes| {
                keys.keys().iter().map(|_| least(keys.consistent_read())).sum::<f64>()
            };
            reading.least_read = tables.map(least).sum();
        } else if let Some(transaction) = input.downcast_mut::<TransactGetItemsInput>() {
            transaction.return_consumed_capacity = Some(Total);
            reading.least_read = transaction.transact_items.iter().flatten().map(|_| 2.0).sum();
        } else if let Some(query) = input.downcast_mut::<QueryInput>() {
            query.return_consumed_capacity = Some(Total);
            reading.least_read = least(query.consistent_read);
        }
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.lock().cost.requests += 1;
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut reading = self.lock();
        // A failed read would count the write before it, but no operation has one.
        let Ok(output) = context.output_or_error() else {
            reading.wrote(0.0);
            return Ok(());
        };
        if let Some(put) = output.downcast_ref::<PutItemOutput>() {
            reading.wrote(units(put.consumed_capacity()));
        } else if let Some(transaction) = output.downcast_ref::<TransactWriteItemsOutput>() {
            let tables = transaction.consumed_capacity().iter();
            reading.wrote(tables.map(|table| units(Some(table))).sum());
        } else if let Some(get) = output.downcast_ref::<GetItemOutput>() {
            reading.read(get.consumed_capacity());
        } else if let Some(batch) = output.downcast_ref::<BatchGetItemOutput>() {
            reading.read(batch.consumed_capacity().first());
        } else if let Some(transaction) = output.downcast_ref::<TransactGetItemsOutput>() {
            reading.read(transaction.consumed_capacity().first());
        } else if let Some(query) = output.downcast_ref::<QueryOutput>() {
            reading.read(query.consumed_capacity());
        }
        Ok(())
    }
}

fn units(capacity: Option<&ConsumedCapacity>) -> f64 {
    capacity.and_then(ConsumedCapacity::capacity_units).expect("capacity was asked for")
}

/// The cost of the smallest read, in read units.
fn least(consistent: Option<bool>) -> f64 {
    if consistent == Some(true) { 1.0 } else { 0.5 }
}

/// The cost of an action of a transaction, in write units before they are doubled. An item that an action names only
/// by its key is assumed to be small.
fn action_units(action: &TransactWriteItem) -> f64 {
    action.put.as_ref().map_or(1.0, |put| started_kilobytes(&put.item))
}

fn started_kilobytes(item: &HashMap<String, AttributeValue>) -> f64 {
    let kilobytes = u32::try_from(item_size(item).div_ceil(1024)).expect("an item is small");
    f64::from(kilobytes)
}
