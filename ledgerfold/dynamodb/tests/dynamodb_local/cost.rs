//! What commands cost, counted: requests as the SDK sends them, capacity as DynamoDB answers it.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::{
    Client,
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{
            AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
        },
    },
    error::BoxError,
    operation::{put_item::PutItemOutput, query::QueryOutput},
    types::ConsumedCapacity,
};
use ledgerfold::command::{CommandError, CommandHandler, Presumption};
use ledgerfold_dynamodb::DynamoEventStore;
use ledgerfold_testkit::{
    ManualClock, SeededRandom,
    conformance::notebook::{FORBIDDEN, Notebook, fresh, write},
};

use crate::tables;

/// Counts what passes through a client.
#[derive(Clone, Debug, Default)]
struct Meter(Arc<Mutex<Cost>>);

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Cost {
    requests: usize,
    read_units: f64,
    write_units: f64,
}

impl Meter {
    fn take(&self) -> Cost {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, change: impl FnOnce(&mut Cost)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn units(capacity: Option<&ConsumedCapacity>) -> f64 {
    capacity.and_then(ConsumedCapacity::capacity_units).expect("capacity was asked for")
}

impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.note(|cost| cost.requests += 1);
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Ok(output) = context.output_or_error() else {
            return Ok(());
        };
        if let Some(put) = output.downcast_ref::<PutItemOutput>() {
            self.note(|cost| cost.write_units += units(put.consumed_capacity()));
        }
        if let Some(query) = output.downcast_ref::<QueryOutput>() {
            self.note(|cost| cost.read_units += units(query.consumed_capacity()));
        }
        Ok(())
    }
}

async fn metered(remembered: usize) -> (Meter, CommandHandler<Notebook>) {
    let meter = Meter::default();
    let client = Client::from_conf(tables::config().interceptor(meter.clone()).build());
    let table = tables::event_table(&client).await;
    let log = Arc::new(DynamoEventStore::new(client, table));
    let (clock, random) = (Arc::<ManualClock>::default(), Arc::new(SeededRandom::new(5)));
    meter.take();
    (meter, CommandHandler::remembering(remembered, log, clock, random))
}

/// An event of this many bytes makes a commit just under 1 KB.
const NOTE_BYTES: usize = 600;

#[tokio::test]
async fn a_command_costs_one_read_of_its_stream_and_one_write_unit() {
    let (meter, handler) = metered(0).await;
    let (stream, note) = (fresh(), "x".repeat(NOTE_BYTES));
    for attempt in 0..3 {
        let command = write(&stream, &format!("a{attempt}"), &[&note]);
        handler.handle(&command).await.expect("it is accepted");
        // DynamoDB Local counts nothing for a read that finds nothing.
        let read_units = if attempt == 0 { 0.0 } else { 1.0 };
        let expected = Cost { requests: 2, read_units, write_units: 1.0 };
        assert_eq!(meter.take(), expected, "command {attempt}");
    }
}

#[tokio::test]
async fn a_warm_command_costs_one_write_unit_and_no_read() {
    let (meter, handler) = metered(1_000_000).await;
    let (stream, note) = (fresh(), "x".repeat(NOTE_BYTES));
    let mut first = write(&stream, "a0", &[&note]);
    first.presumption = Presumption::New;
    handler.handle(&first).await.expect("it is accepted");
    for attempt in 1..4 {
        let expected = Cost { requests: 1, read_units: 0.0, write_units: 1.0 };
        assert_eq!(meter.take(), expected, "before command {attempt}");
        let command = write(&stream, &format!("a{attempt}"), &[&note]);
        handler.handle(&command).await.expect("it is accepted");
    }
}

#[tokio::test]
async fn a_repeated_and_a_refused_command_cost_one_read() {
    let (meter, handler) = metered(0).await;
    let stream = fresh();
    let first = write(&stream, "one", &["a"]);
    handler.handle(&first).await.expect("it is accepted");
    meter.take();
    let expected = Cost { requests: 1, read_units: 1.0, write_units: 0.0 };
    handler.handle(&first).await.expect("it was accepted before");
    assert_eq!(meter.take(), expected);
    let refused = handler.handle(&write(&stream, "two", &[FORBIDDEN])).await;
    assert!(matches!(refused, Err(CommandError::Rejected(_))), "{refused:?}");
    assert_eq!(meter.take(), expected);
}
