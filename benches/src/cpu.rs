//! Measures the processor time of our code, without a table.

use std::{
    hint::black_box,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use async_trait::async_trait;
use ledgerfold::{
    Actor, Category, CausationId, CommandId, CommandName, CorrelationId, Decider, DecisionContext,
    EntityId, Event, EventId, StreamId, Timestamp, Version,
    command::Loader,
    events,
    ports::{
        AppendError, CommandRecord, CommitPage, EventReader, EventStore, Span, StoreError,
        Transaction,
    },
    vocabulary::{CommandStamp, Commit, CommitEvent, CommitHash, Fingerprint, Metadata, NewCommit},
};
use ledgerfold_dynamodb::CommitItem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Scale,
    order::{self, Command, Order, Rejected},
    ours::stream,
    spread::Spread,
};

/// Rates per second of processor time.
pub struct Cpu {
    /// Events folded, with one and with ten events per commit.
    pub fold_of_ones: Spread,
    pub fold_of_tens: Spread,
    /// The same events, decoded and folded in a plain loop.
    pub bare_fold: Spread,
    /// Commits of one placed order, encoded to items and decoded again.
    pub encode: Spread,
    pub decode: Spread,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Counted {
    pub amount: u64,
}

events! {
    pub enum CounterEvent {
        Counted: 1,
    }
}

/// The smallest possible domain.
struct Counter;

impl Decider for Counter {
    type Command = Command;
    type Event = CounterEvent;
    type State = u64;
    type Rejection = Rejected;

    const CATEGORY: Category = Category::from_static("counter");

    fn initial() -> u64 {
        0
    }

    fn evolve(sum: u64, CounterEvent::Counted(counted): &CounterEvent) -> u64 {
        sum + counted.amount
    }

    fn decide(
        _: &u64,
        _: &Command,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<CounterEvent>, Rejected> {
        Err(Rejected)
    }
}

const ROUNDS: usize = 7;

pub fn measure(scale: &Scale) -> Cpu {
    let events = scale.folded_events;
    let [ones, tens] = [1, 10].map(|size| commits(events, size));
    let orders = vec![placed(); 2_000];
    let items: Vec<_> = orders.iter().map(CommitItem::from).collect();
    let items: Vec<_> =
        items.into_iter().map(|item| item.into_attributes().expect("it can be written")).collect();
    Cpu {
        fold_of_ones: rate(events, || pages(&ones), fold),
        fold_of_tens: rate(events, || pages(&tens), fold),
        bare_fold: rate(events, || ones.clone(), |commits| bare_fold(&commits)),
        encode: rate(orders.len(), || (), |()| encode(&orders)),
        decode: rate(items.len(), || items.clone(), decode),
    }
}

/// How many units of work fit into a second of processor time. `prepare` is not measured.
fn rate<T>(count: usize, prepare: impl Fn() -> T, work: impl Fn(T)) -> Spread {
    let once = |_| {
        let prepared = prepare();
        let clock = Stopwatch::start();
        work(prepared);
        count as f64 / clock.seconds()
    };
    Spread::of((0..ROUNDS).map(once)).expect("there are rounds")
}

/// Measures the processor time of this thread where the system reports it (Linux), because other programs run as well.
/// Elsewhere it measures elapsed time.
struct Stopwatch {
    begun: Instant,
    on_processor: Option<u64>,
}

impl Stopwatch {
    fn start() -> Self {
        Self { begun: Instant::now(), on_processor: on_processor() }
    }

    fn seconds(&self) -> f64 {
        match (self.on_processor, on_processor()) {
            (Some(then), Some(now)) => (now - then) as f64 / 1e9,
            _ => self.begun.elapsed().as_secs_f64(),
        }
    }
}

/// In nanoseconds. It yields first, because otherwise the value can be a scheduler tick old.
fn on_processor() -> Option<u64> {
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

fn fold(pages: Prepared) {
    let id = EntityId::new("counter").expect("an id");
    let stream = StreamId::of_default_tenant(Counter::CATEGORY, id);
    let loading = Loader::<Counter>::new();
    let load = loading.load(&pages, &stream);
    // Nothing waits here, so the first poll completes.
    let mut load = std::pin::pin!(load);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(loaded) = load.as_mut().poll(&mut context) else {
        unreachable!("the pages are there")
    };
    black_box(*loaded.expect("it can be folded").state());
}

fn bare_fold(commits: &[Commit]) {
    let mut sum = 0;
    for (_, event) in commits.iter().flat_map(Commit::events) {
        let CommitEvent { event_type, schema_version, data, .. } = event;
        let events = CounterEvent::decode(event_type, *schema_version, data);
        sum = events.expect("it can be read").as_slice().iter().fold(sum, Counter::evolve);
    }
    black_box(sum);
}

fn encode(commits: &[Commit]) {
    for commit in commits {
        black_box(CommitItem::from(commit).into_attributes().expect("it can be written"));
    }
}

fn decode(items: Vec<std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>>) {
    for item in items {
        let item = CommitItem::from_attributes(item).expect("it is an item");
        black_box(item.into_commit().expect("it is a commit"));
    }
}

/// Commits of small events, with `size` events each.
fn commits(events: usize, size: usize) -> Vec<Commit> {
    let id = EntityId::new("counter").expect("an id");
    let stream = StreamId::of_default_tenant(Counter::CATEGORY, id);
    let commit = |at: usize| {
        let events = (0..size).map(|_| Counted { amount: 7 }.into()).collect::<Vec<CounterEvent>>();
        commit(&stream, at * size + 1, &events)
    };
    (0..events / size).map(commit).collect()
}

fn placed() -> Commit {
    let event = Order::default().decide(&order::place(1)).expect("it can be placed");
    commit(&stream("0190c0de-0000-7000-8000-000000000000"), 1, &[event])
}

fn commit<E: Event>(stream: &StreamId, from: usize, events: &[E]) -> Commit {
    let id = CommandId::new(format!("0190c0de-0000-7000-8000-{from:012}")).expect("an id");
    let count = events.len();
    let events = events.iter().map(|event| CommitEvent {
        id: EventId::new(1_700_000_000_000, &[7; 10]),
        event_type: event.event_type(),
        schema_version: event.schema_version(),
        data: event.encode().expect("it is JSON"),
    });
    let metadata = Metadata {
        recorded_at: Timestamp::from_second(1_700_000_000).expect("a second of our era"),
        correlation_id: CorrelationId::from(&id),
        causation_id: CausationId::from(&id),
        actor: Actor::new("bench").expect("an actor"),
        traceparent: None,
    };
    let name = CommandName::from_static("Count");
    let fingerprint = Fingerprint::restore("1012345678901234567890");
    let versions = (Version::new(from as u64), Version::new((from + count - 1) as u64));
    let command = CommandStamp { id, name, fingerprint, siblings: Vec::new() };
    // Folding does not look at the hash.
    let hash = CommitHash::restore(&[0; 32]).expect("32 bytes");
    Commit::restore(stream.clone(), versions, events.collect(), command, metadata, hash)
        .expect("the versions add up")
}

/// A log that returns prepared pages.
///
/// A mutex because the port's methods take `&self`; each read takes the last page.
struct Prepared(Mutex<Vec<CommitPage>>);

fn pages(commits: &[Commit]) -> Prepared {
    let page = |commits: &[Commit]| CommitPage { commits: commits.to_vec(), more: true };
    let mut pages: Vec<_> = commits.chunks(1_000).map(page).collect();
    if let Some(last) = pages.last_mut() {
        last.more = false;
    }
    pages.reverse();
    Prepared(Mutex::new(pages))
}

#[async_trait]
impl EventReader for Prepared {
    async fn read(&self, _: &StreamId, _: Version) -> Result<CommitPage, StoreError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default())
    }

    async fn read_back(&self, _: &StreamId, _: Span, _: usize) -> Result<CommitPage, StoreError> {
        Ok(CommitPage::default())
    }
}

#[async_trait]
impl EventStore for Prepared {
    async fn append(&self, _: &NewCommit) -> Result<(), AppendError> {
        Ok(())
    }

    async fn transact(&self, _: &Transaction) -> Result<(), AppendError> {
        Ok(())
    }

    async fn record(&self, _: &CommandId) -> Result<Option<CommandRecord>, StoreError> {
        Ok(None)
    }
}
