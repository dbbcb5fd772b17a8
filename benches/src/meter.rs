//! Counts the requests of one client, and on demand the capacity that DynamoDB Local reports. Charges of AWS that
//! DynamoDB Local does not report are computed as in the cost contract of `ledgerfold-dynamodb`: reads that find
//! nothing, and each item of a transaction.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use aws_sdk_dynamodb::{
    Client,
    config::{
        BehaviorVersion, Config, ConfigBag, Credentials, Intercept, Region, RuntimeComponents,
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
        transact_write_items::{TransactWriteItemsInput, TransactWriteItemsOutput},
    },
    types::{AttributeValue, ConsumedCapacity, ReturnConsumedCapacity::Total, TransactWriteItem},
};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use ledgerfold_dynamodb::item_size;

/// The requests and the capacity of a client.
#[derive(Debug, Default)]
pub struct Meter {
    /// The interceptor counts, from any task of the client.
    requests: AtomicU64,
    /// Whether to record capacity. The benchmark sets it and the interceptor reads it, so it is an atomic.
    weighs: AtomicBool,
    /// The interceptor writes it during calls, and the benchmark takes it between them.
    weighed: Mutex<Weighed>,
}

#[derive(Clone, Debug, Default)]
pub struct Weighed {
    /// Requests by operation.
    pub requests: BTreeMap<&'static str, u64>,
    pub write_units: f64,
    pub read_units: f64,
}

/// The minimum cost of a call by AWS's rules.
#[derive(Debug)]
struct Least(f64);

impl Storable for Least {
    type Storer = StoreReplace<Self>;
}

impl Meter {
    /// A new client with its own connections, which this meter counts.
    pub fn client() -> (Client, Arc<Self>) {
        let meter = Arc::new(Self::default());
        let endpoint = std::env::var("DYNAMODB_ENDPOINT")
            .expect("DYNAMODB_ENDPOINT names a DynamoDB Local; `make bench` starts one");
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("bench", "bench", None, None, "bench"))
            .endpoint_url(endpoint)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            // event-store-adapter-rs refuses a client without one.
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .interceptor(Tap(meter.clone()));
        (Client::from_conf(config.build()), meter)
    }

    /// The requests since the last call of this method.
    pub fn take_requests(&self) -> u64 {
        self.requests.swap(0, Ordering::Relaxed)
    }

    /// Starts to record capacity.
    pub fn weigh(&self) {
        *self.lock() = Weighed::default();
        self.weighs.store(true, Ordering::Relaxed);
    }

    /// The capacity recorded since [`weigh`](Self::weigh).
    pub fn weighed(&self) -> Weighed {
        self.weighs.store(false, Ordering::Relaxed);
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Weighed> {
        self.weighed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Tap(Arc<Meter>);

impl Intercept for Tap {
    fn name(&self) -> &'static str {
        "Tap"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        call: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if !self.0.weighs.load(Ordering::Relaxed) {
            return Ok(());
        }
        let input = context.input_mut();
        let mut weighed = self.0.lock();
        let (operation, least) = if let Some(put) = input.downcast_mut::<PutItemInput>() {
            put.return_consumed_capacity = Some(Total);
            ("PutItem", put.item.as_ref().map_or(1.0, started_kilobytes))
        } else if let Some(transaction) = input.downcast_mut::<TransactWriteItemsInput>() {
            transaction.return_consumed_capacity = Some(Total);
            let actions = transaction.transact_items.iter().flatten();
            ("TransactWriteItems", actions.map(|action| 2.0 * action_units(action)).sum())
        } else if let Some(get) = input.downcast_mut::<GetItemInput>() {
            get.return_consumed_capacity = Some(Total);
            ("GetItem", least(get.consistent_read))
        } else if let Some(query) = input.downcast_mut::<QueryInput>() {
            query.return_consumed_capacity = Some(Total);
            ("Query", least(query.consistent_read))
        } else if let Some(batch) = input.downcast_mut::<BatchGetItemInput>() {
            batch.return_consumed_capacity = Some(Total);
            let tables = batch.request_items.iter().flatten();
            let keys = tables.map(|(_, get)| get.keys().iter().map(|_| least(get.consistent_read)));
            ("BatchGetItem", keys.map(Iterator::sum::<f64>).sum())
        } else {
            ("another", 0.0)
        };
        *weighed.requests.entry(operation).or_default() += 1;
        call.interceptor_state().store_put(Least(least));
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        call: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if !self.0.weighs.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut weighed = self.0.lock();
        let Ok(output) = context.output_or_error() else { return Ok(()) };
        let least = call.load::<Least>().map_or(0.0, |least| least.0);
        if let Some(put) = output.downcast_ref::<PutItemOutput>() {
            weighed.write_units += units(put.consumed_capacity()).max(least);
        } else if let Some(done) = output.downcast_ref::<TransactWriteItemsOutput>() {
            weighed.write_units += units(done.consumed_capacity()).max(least);
        } else if let Some(get) = output.downcast_ref::<GetItemOutput>() {
            weighed.read_units += units(get.consumed_capacity()).max(least);
        } else if let Some(query) = output.downcast_ref::<QueryOutput>() {
            weighed.read_units += units(query.consumed_capacity()).max(least);
        } else if let Some(batch) = output.downcast_ref::<BatchGetItemOutput>() {
            weighed.read_units += units(batch.consumed_capacity()).max(least);
        }
        Ok(())
    }
}

fn units<'a>(capacity: impl IntoIterator<Item = &'a ConsumedCapacity>) -> f64 {
    capacity.into_iter().filter_map(ConsumedCapacity::capacity_units).sum()
}

/// The cost of the smallest read, in read units.
fn least(consistent: Option<bool>) -> f64 {
    if consistent == Some(true) { 1.0 } else { 0.5 }
}

/// The cost of an action of a transaction, in write units before they are doubled. An item that the action names only
/// by its key is assumed to be small.
fn action_units(action: &TransactWriteItem) -> f64 {
    action.put.as_ref().map_or(1.0, |put| started_kilobytes(&put.item))
}

fn started_kilobytes(item: &HashMap<String, AttributeValue>) -> f64 {
    f64::from(u32::try_from(item_size(item).div_ceil(1024)).expect("an item is small"))
}
