//! Rebuilds of read models that readers do not notice: after a loss, and during live writes.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use orders_acceptance::demo::dashboard::Window;
use orders_acceptance::demo::drive::drive;
use orders_acceptance::demo::snapshot::{Snapshot, placed_orders};
use orders_acceptance::model::{Order, OrderSummary, Page, Shipment};
use serde_json::Value;
use tokio::task::spawn_blocking;

use crate::programs::{admin, clean_in_the_end};
use crate::projections::scripts;
use crate::world::{PROJECTED, TestOrder, World, answered, every, unique};

const PROJECTIONS: [&str; 4] = ["order-view", "customer-orders", "shipment", "dashboard"];
const WORKERS: usize = 4;
/// As long as the query function's timeout.
const LONGEST_READ: &str = "10";
/// Enough if nobody reads.
const NO_READ: &str = "1";
/// How many orders the readers watch.
const WATCHED: usize = 6;
/// Each reader reads at most this often, and leaves the processor to the rebuild and to other tests.
const READ_EVERY: Duration = Duration::from_millis(200);
/// The load has at most one round of orders in this time.
const LOAD_EVERY: Duration = Duration::from_secs(1);

/// Runs `orders-admin` concurrently.
async fn administered(arguments: &[&str]) -> Value {
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    let command = format!("{arguments:?}");
    let run = move || admin(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let (code, answer) = spawn_blocking(run).await.expect("it does not panic");
    assert_eq!(code, Some(0), "{command}: {answer}");
    answer
}

/// Removes generations that nobody reads any more, after this many seconds.
async fn without_old_generations(longest_read: &str) {
    let all = [&["remove-old", "--yes", "--longest-read", longest_read], &PROJECTIONS[..]].concat();
    administered(&all).await;
}

// Guards: lost-tables-are-rebuilt
#[tokio::test]
async fn read_tables_that_were_wiped_are_rebuilt_with_equal_content() {
    let world = World::alone();
    let window = Window::around(Timestamp::now());
    let runs = drive(&world.client, scripts(20, 41), &unique("rebuild-"), WORKERS, || ()).await;
    let orders = placed_orders(&runs.expect("the service answers"));
    world.aws.settled(PROJECTED).await.expect("everything is projected");
    let before = Snapshot::take(&world.client, &orders, PROJECTED).await;
    assert_eq!(before.wrong, Vec::<String>::new());
    let dashboard = window.text(&world.client).await.expect("the dashboard can be read");

    for projection in PROJECTIONS {
        let wiped = world.aws.empty_read_table(projection).await.expect("it can be wiped");
        assert!(wiped > 0, "{projection} had something");
    }
    let lost = window.text(&world.client).await.expect("the dashboard can be read");
    assert_ne!(lost, dashboard, "there is something to be rebuilt");

    let report = administered(&["rebuild", "--all", "--yes", "--segments", "4"]).await;
    for rebuilt in report["rebuilt"].as_array().expect("a list") {
        assert_eq!((&rebuilt["wrong"], &rebuilt["switched"]), (&0.into(), &true.into()));
    }
    let after = Snapshot::take(&world.client, &orders, PROJECTED).await;
    assert_eq!(before.differences(&after), Vec::<String>::new());
    assert_eq!(window.text(&world.client).await.expect("the dashboard can be read"), dashboard);
    without_old_generations(NO_READ).await;
    clean_in_the_end(&["audit"]).await;
}

/// Readers that compare every answer with earlier ones.
struct Readers<'a> {
    world: &'a World,
    orders: &'a [String],
    customers: &'a [String],
    /// The newest version shown at each path. Cells, because all readers are futures of one task.
    shown: RefCell<BTreeMap<String, u64>>,
    answers: Cell<usize>,
    /// Set once by [`until`](Self::until) to stop the readers.
    over: Cell<bool>,
}

impl Readers<'_> {
    /// Reads until the changes are complete.
    async fn until(&self, changes: impl Future<Output = ()>) {
        let changes = async {
            changes.await;
            self.over.set(true);
        };
        futures::join!(changes, self.orders(), self.shipments(), self.lists());
    }

    async fn orders(&self) {
        let mut clock = every(READ_EVERY);
        while !self.over.get() {
            for order in self.orders {
                clock.tick().await;
                self.single(format!("/orders/{order}"), |answer: &Order| answer.version).await;
            }
        }
    }

    async fn shipments(&self) {
        let mut clock = every(READ_EVERY);
        while !self.over.get() {
            for order in self.orders {
                clock.tick().await;
                let path = format!("/orders/{order}/shipment");
                self.single(path, |answer: &Shipment| answer.version).await;
            }
        }
    }

    async fn single<T: serde::de::DeserializeOwned>(
        &self,
        path: String,
        version: impl Fn(&T) -> u64,
    ) {
        let floor = self.shown.borrow().get(&path).copied().unwrap_or_default();
        let client = self.world.impatient();
        let answer = answered(client.get(&path), 200).await;
        let version = version(&answer.json().expect("the body of the contract"));
        assert!(version >= floor, "GET {path} showed version {floor}, and then {version}");
        let mut shown = self.shown.borrow_mut();
        let most = shown.entry(path).or_default();
        *most = version.max(*most);
        self.answers.set(self.answers.get() + 1);
    }

    /// The index behind lists may lag, but a list never loses an order that it has shown.
    async fn lists(&self) {
        let mut clock = every(READ_EVERY);
        while !self.over.get() {
            for customer in self.customers {
                clock.tick().await;
                let client = self.world.impatient();
                let path = format!("/customers/{customer}/orders");
                let answer = answered(client.get(&path), 200).await;
                let page: Page<OrderSummary> = answer.json().expect("the body of the contract");
                assert_eq!(page.items.len(), 1, "GET {path}");
                self.answers.set(self.answers.get() + 1);
            }
        }
    }
}

// Guards: a-rebuild-misses-nothing
#[tokio::test]
async fn a_rebuild_under_live_writes_misses_nothing_and_no_reader_notices() {
    let world = World::alone();
    without_old_generations(NO_READ).await;
    let mut orders: Vec<TestOrder> = Vec::new();
    for _ in 0..WATCHED {
        orders.push(world.placed().await);
    }
    world.aws.settled(PROJECTED).await.expect("everything is projected");
    let ids: Vec<_> = orders.iter().map(|order| order.id.clone()).collect();
    let customers: Vec<_> = orders.iter().map(|order| order.customer.clone()).collect();
    let readers = Readers {
        world: &world,
        orders: &ids,
        customers: &customers,
        shown: RefCell::default(),
        answers: Cell::new(0),
        over: Cell::new(false),
    };
    let rebuilt = Cell::new(false);
    let changes = async {
        futures::join!(rebuild(&rebuilt), move_on(&world, &mut orders), load(&world, &rebuilt));
    };
    readers.until(changes).await;
    assert!(readers.answers.get() > WATCHED * 3, "there were enough reads");

    world.aws.settled(PROJECTED).await.expect("everything is projected");
    let both = ["audit", "--projection", "order-view", "--projection", "dashboard"];
    clean_in_the_end(&both).await;
    let (_, audit) = admin(&both);
    assert_eq!(audit["countersMoved"], Value::Array(Vec::new()), "{audit}");
    let shown = administered(&["generations"]).await;
    for line in shown["projections"].as_array().expect("a list") {
        assert_eq!((&line["building"], &line["previous"]), (&Value::Null, &Value::Null), "{line}");
    }
}

/// Rebuilds rows and counters, rolls back and forth, and then removes the old generation.
async fn rebuild(done: &Cell<bool>) {
    for step in ["rebuild", "roll-back"] {
        let waiting: &[&str] =
            if step == "roll-back" { &["--longest-read", LONGEST_READ] } else { &[] };
        let both = [&[step, "order-view", "dashboard", "--yes"], waiting].concat();
        let report = administered(&both).await;
        for rebuilt in report["rebuilt"].as_array().expect("a list") {
            assert_eq!((&rebuilt["wrong"], &rebuilt["switched"]), (&0.into(), &true.into()));
        }
    }
    without_old_generations(LONGEST_READ).await;
    done.set(true);
}

/// Advances the watched orders step by step.
async fn move_on(world: &World, orders: &mut [TestOrder]) {
    for step in 0..3 {
        for order in &mut *orders {
            match step {
                0 => world.pay(order).await,
                1 => world.ship(order).await,
                _ => world.deliver(order).await,
            };
        }
    }
}

/// Creates load with other orders until the rebuild is complete.
async fn load(world: &World, done: &Cell<bool>) {
    let mut clock = every(LOAD_EVERY);
    for round in 0.. {
        clock.tick().await;
        let runs = drive(&world.client, scripts(3, 500 + round), &unique("load-"), 1, || ()).await;
        runs.expect("the service answers");
        if done.get() {
            return;
        }
    }
}
