//! The relay and the projectors: messages per second beside a floor of bare calls, and the cost of a message.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, Put, TransactWriteItem, Update},
};
use futures::{StreamExt, stream};
use ledgerfold::{
    Caller, CommandId, Envelope, Recorded, Version,
    command::{CommandHandler, CommandRequest},
    ports::{CounterKey, EntryError, EventReader, Limits, PublishError, Publisher, Unpublishable},
    project::{
        Counts, Projection, Projector, ProjectorPorts, ReadModel, RowModel, Tally, TallyModel,
    },
    relay::{Relay, StreamRecord},
    vocabulary::{Commit, Content, Delivery, Receipt},
};
use ledgerfold_dynamodb::{DynamoRowStore, DynamoTallyStore};
use ledgerfold_memory::{MemoryEventStore, MemoryQuarantine};
use serde::{Deserialize, Serialize};

use crate::{
    Scale,
    meter::Meter,
    order::{self, Event, Order, Orders},
    ours::{ThreadRandom, WallClock, stream as order_stream},
    rates::order_id,
    tables::{Key, create_table},
};

/// The messages of a batch.
pub const BATCH: usize = 10;
/// How long a call of the bus takes.
pub const ANSWER: Duration = Duration::from_millis(5);
/// The concurrent calls of a floor for one batch.
const CONCURRENT: usize = 8;

/// The relay or a projector.
pub struct Stage {
    pub name: &'static str,
    pub floor: &'static str,
    /// Messages per second, ours and of the floor, for each repetition.
    pub rates: Vec<(f64, f64)>,
    /// Requests by operation, per message.
    pub requests: BTreeMap<&'static str, f64>,
    pub write_units: f64,
    pub read_units: f64,
}

/// A row for each order.
struct Summaries;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    customer: String,
    total_cents: u64,
    events: u64,
}

impl Projection for Summaries {
    type Event = Event;
    type Row = Row;

    fn evolve(row: Option<Row>, event: &Recorded<Event>) -> Result<Option<Row>, String> {
        let (customer, mut order) = match (&event.event, row) {
            (Event::OrderPlaced(placed), _) => (placed.customer_id.clone(), Order::default()),
            (_, Some(Row { customer, total_cents, events })) => {
                (customer, Order { total_cents, events, ..Order::default() })
            }
            (_, None) => return Err("it was not placed".to_owned()),
        };
        order.apply(&event.event);
        let Order { total_cents, events, .. } = order;
        Ok(Some(Row { customer, total_cents, events }))
    }
}

/// The number of events of all orders.
struct Events;

impl Tally for Events {
    type Event = Event;
    type Memo = u64;

    fn count(seen: &mut u64, _: &Recorded<Event>, counts: &mut Counts) -> Result<(), String> {
        *seen += 1;
        counts.add(CounterKey::new("all").expect("a short key"), "events", 1)
    }
}

/// Measures the relay, a projector of rows and a projector of counters.
pub async fn measure(scale: &Scale) -> Vec<Stage> {
    vec![relay(scale).await, rows(scale).await, counters(scale).await]
}

/// The commits of this many new orders.
async fn commits(tag: &str, orders: usize) -> Vec<Commit> {
    let log = Arc::new(MemoryEventStore::default());
    let handler: CommandHandler<Orders<false>> =
        CommandHandler::new(log.clone(), Arc::new(WallClock), Arc::new(ThreadRandom));
    let mut all = Vec::new();
    for number in 0..orders {
        let id = order_id(tag, number);
        let command = CommandId::new(format!("{id}-place")).expect("a command id");
        let request =
            CommandRequest::new(Caller::anonymous(), order_stream(&id), order::place(1), command);
        handler.handle(&request).await.expect("it is placed");
        let page = log.read(&order_stream(&id), Version::NONE).await.expect("it is there");
        all.extend(page.commits);
    }
    all
}

/// A bus that takes a fixed time for each call.
#[derive(Default)]
struct SlowBus(AtomicU64);

#[async_trait]
impl Publisher for SlowBus {
    fn limits(&self) -> Limits {
        Limits { entries: 10, bytes: 256 * 1024 - 1 }
    }

    fn weigh(&self, envelope: &Envelope) -> Result<usize, Unpublishable> {
        Ok(envelope.event.data.as_str().len() + 700)
    }

    async fn publish(
        &self,
        batch: &[Envelope],
    ) -> Result<Vec<Result<(), EntryError>>, PublishError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(ANSWER).await;
        Ok(batch.iter().map(|_| Ok(())).collect())
    }
}

/// Batches of 100 records, as the template has them.
async fn relay(scale: &Scale) -> Stage {
    const RECORDS: usize = 100;
    let bus = Arc::new(SlowBus::default());
    let relay = Relay::new(bus.clone(), Arc::new(WallClock), Arc::new(ThreadRandom));
    let commits = commits("relay", scale.messages).await;
    let record = |commit: &Commit| StreamRecord {
        sequence_number: commit.stream().to_string(),
        name: commit.stream().to_string(),
        commit: Ok(commit.clone()),
    };
    let records: Vec<_> = commits.iter().map(record).collect();
    let envelopes: Vec<_> = commits.iter().flat_map(Commit::envelopes).collect();
    let mut rates = Vec::new();
    let mut calls = 0;
    for _ in 0..scale.repetitions {
        bus.0.store(0, Ordering::Relaxed);
        let ours = timed(scale.messages, async {
            for batch in records.chunks(RECORDS) {
                relay.publish(batch).await.expect("the bus accepts all");
            }
        });
        let ours = ours.await;
        calls = bus.0.load(Ordering::Relaxed);
        let floor = timed(scale.messages, async {
            for entries in envelopes.chunks(10) {
                bus.publish(entries).await.expect("the bus accepts all");
            }
        });
        rates.push((ours, floor.await));
    }
    Stage {
        name: "relay, batches of 100 commits",
        floor: "the same calls, one by one",
        rates,
        requests: BTreeMap::from([("PutEvents", calls as f64 / scale.messages as f64)]),
        write_units: 0.0,
        read_units: 0.0,
    }
}

async fn rows(scale: &Scale) -> Stage {
    let (client, meter) = Meter::client();
    create_table(&client, "bench-rows", Key::S("pk"), None, None).await;
    create_table(&client, "bench-bare-rows", Key::S("pk"), None, None).await;
    let store = Arc::new(DynamoRowStore::new(client.clone(), "bench-rows"));
    let projector = projector(Arc::new(RowModel::<Summaries>::new(store)));
    let bare = async |commit: &Commit| bare_put(&client, commit).await;
    stage(scale, ("projector of rows", "one conditional Put"), &meter, &projector, bare).await
}

async fn counters(scale: &Scale) -> Stage {
    let (client, meter) = Meter::client();
    for table in ["bench-tally", "bench-bare-tally"] {
        create_table(&client, table, Key::S("pk"), Some(Key::S("sk")), None).await;
    }
    let store = Arc::new(DynamoTallyStore::new(client.clone(), "bench-tally"));
    let projector = projector(Arc::new(TallyModel::<Events>::new(store)));
    let bare = async |commit: &Commit| bare_transaction(&client, commit).await;
    let names = ("projector of counters", "one transaction of a Put and an Update");
    stage(scale, names, &meter, &projector, bare).await
}

fn projector(model: Arc<dyn ReadModel>) -> Projector {
    let ports = ProjectorPorts {
        log: Arc::new(MemoryEventStore::default()),
        skips: Arc::new(MemoryQuarantine::default()),
        clock: Arc::new(WallClock),
        random: Arc::new(ThreadRandom),
    };
    Projector::new(model, ports)
}

/// Measures a projector beside its floor. New orders in each repetition, and one more without a clock for the cost.
async fn stage(
    scale: &Scale,
    (name, floor): (&'static str, &'static str),
    meter: &Meter,
    projector: &Projector,
    bare: impl AsyncFn(&Commit),
) -> Stage {
    let tag = |repetition| format!("{}{repetition}", name.len());
    let mut rates = Vec::new();
    for repetition in 0..scale.repetitions {
        let commits = commits(&tag(repetition), scale.messages).await;
        let ours = timed(scale.messages, project(projector, &commits)).await;
        let floor = timed(scale.messages, async {
            for batch in commits.chunks(BATCH) {
                stream::iter(batch).for_each_concurrent(CONCURRENT, |commit| bare(commit)).await;
            }
        });
        rates.push((ours, floor.await));
    }
    let commits = commits(&tag(scale.repetitions), scale.messages).await;
    meter.weigh();
    project(projector, &commits).await;
    let weighed = meter.weighed();
    let each = |count: f64| count / scale.messages as f64;
    Stage {
        name,
        floor,
        rates,
        requests: weighed
            .requests
            .iter()
            .map(|(name, count)| (*name, each(*count as f64)))
            .collect(),
        write_units: each(weighed.write_units),
        read_units: each(weighed.read_units),
    }
}

async fn project(projector: &Projector, commits: &[Commit]) {
    for batch in commits.chunks(BATCH) {
        let failed = projector.project(batch.iter().flat_map(deliveries).collect()).await;
        assert!(failed.is_empty(), "{failed:?}");
    }
}

fn deliveries(commit: &Commit) -> Vec<Delivery> {
    let delivery = |envelope: Envelope| Delivery {
        receipt: Receipt(envelope.stream.to_string()),
        content: Ok(Content::from(envelope)),
        replay: None,
    };
    commit.envelopes().map(delivery).collect()
}

/// A row of the same content.
async fn bare_put(client: &Client, commit: &Commit) {
    let row = Row { customer: "customer-000000000001".to_owned(), total_cents: 12_003, events: 1 };
    let put = client
        .put_item()
        .table_name("bench-bare-rows")
        .item("pk", AttributeValue::S(commit.stream().to_string()))
        .item("v", AttributeValue::N("1".to_owned()))
        .item("d", AttributeValue::S(serde_json::to_string(&row).expect("it is JSON")))
        .condition_expression("attribute_not_exists(pk) OR v < :version")
        .expression_attribute_values(":version", AttributeValue::N("1".to_owned()));
    put.send().await.expect("it is new");
}

/// A memo, and a counter of one of eight groups.
async fn bare_transaction(client: &Client, commit: &Commit) {
    let stream = commit.stream().to_string();
    let shard = stream.bytes().map(u32::from).sum::<u32>() % 8;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let memo = Put::builder()
        .table_name("bench-bare-tally")
        .item("pk", text(&format!("memo#{stream}")))
        .item("sk", text("memo"))
        .item("v", AttributeValue::N("1".to_owned()))
        .item("d", text("1"))
        .condition_expression("attribute_not_exists(pk)");
    let counter = Update::builder()
        .table_name("bench-bare-tally")
        .key("pk", text(&format!("counters#{shard}")))
        .key("sk", text("all"))
        .update_expression("ADD #n :one")
        .expression_attribute_names("#n", "n.events")
        .expression_attribute_values(":one", AttributeValue::N("1".to_owned()));
    let memo = TransactWriteItem::builder().put(memo.build().expect("it is complete"));
    let counter = TransactWriteItem::builder().update(counter.build().expect("it is complete"));
    loop {
        let transaction = client
            .transact_write_items()
            .transact_items(memo.clone().build())
            .transact_items(counter.clone().build());
        match transaction.send().await {
            Ok(_) => return,
            // Others work on the same counter.
            Err(error) => {
                assert!(format!("{error:?}").contains("TransactionConflict"), "{error:?}")
            }
        }
    }
}

/// Messages per second.
async fn timed(messages: usize, work: impl Future<Output = ()>) -> f64 {
    let start = Instant::now();
    work.await;
    messages as f64 / start.elapsed().as_secs_f64()
}
