//! Breaks everything that can break while commands are running: functions die, event source mappings and rules are
//! switched off, and the archive is replayed.

#![allow(clippy::print_stdout, reason = "the last fault explains a failure")]

use std::cell::Cell;
use std::time::Duration;

use acceptance::processes;
use jiff::Timestamp;
use orders_acceptance::aws::Mapping;
use orders_acceptance::demo::dashboard::Window;
use orders_acceptance::demo::drive::{OrderRun, drive};
use orders_acceptance::demo::expected;
use orders_acceptance::demo::script::Script;
use orders_acceptance::demo::snapshot::{Snapshot, placed_orders};
use orders_acceptance::{Client, Patience, eventually};

use crate::programs::{admin, clean_in_the_end, ledgerfold};
use crate::projections::{check_answers, check_commits, check_dashboard, scripts};
use crate::world::{PROJECTED, World, unique};

// Few workers, so that tests which audit the whole log do not wait for this test's orders.
const WORKERS: usize = 2;
const ORDERS_PER_ROUND: usize = 10;
const MOST_ROUNDS: u64 = 80;
/// How many answers a fault lasts.
const ANSWERS_PER_FAULT: usize = 8;
const SWITCHED: Duration = Duration::from_secs(120);
/// A killed function's batch is delivered again after several times the function's timeout.
const RECOVERED: Duration = Duration::from_secs(480);

/// A fault.
#[derive(Debug)]
enum Fault {
    /// All processes of a function are killed in the middle of their work.
    Kill(String),
    /// An event source mapping is off.
    Unmapped(Mapping),
    /// The rule of a projection is off.
    Unrouted(String),
    /// All events archived so far are replayed.
    Repeated(Timestamp),
}

/// Causes one fault after another, and ends each.
struct Saboteur<'a> {
    world: &'a World,
    faults: Vec<Fault>,
    /// How many answers the commands got. Cells, because faults and commands are futures of one task.
    answers: Cell<usize>,
    /// Set after the last fault, to stop the commands.
    is_done: Cell<bool>,
}

impl<'a> Saboteur<'a> {
    /// All faults in a random order, which is printed.
    async fn new(world: &'a World) -> Self {
        let (mut faults, orders) = (Vec::new(), &world.stack.contexts["orders"]);
        for function in orders.functions.values() {
            faults.push(Fault::Kill(function.clone()));
            let mappings = world.aws.mappings(function).await.expect("Lambda can be asked");
            faults.extend(mappings.into_iter().map(Fault::Unmapped));
        }
        faults.extend(orders.rules.keys().cloned().map(Fault::Unrouted));
        faults.push(Fault::Repeated(Timestamp::now()));
        assert!(faults.len() > 10, "the stack file names functions and rules: {faults:?}");
        // New random names give a random order.
        faults.sort_by_cached_key(|_| unique("order"));
        Self { world, faults, answers: Cell::new(0), is_done: Cell::new(false) }
    }

    async fn run(&self) {
        for fault in &self.faults {
            println!("{fault:?}");
            self.set(fault, false).await;
            let until = self.answers.get() + ANSWERS_PER_FAULT;
            let lasted = eventually("commands are answered", RECOVERED, async || {
                if self.answers.get() >= until { Ok(()) } else { Err(String::new()) }
            });
            lasted.await.expect("commands continue despite the faults behind them");
            self.set(fault, true).await;
        }
        self.is_done.set(true);
    }

    async fn set(&self, fault: &Fault, works: bool) {
        let (aws, stack) = (&self.world.aws, &self.world.stack);
        match fault {
            Fault::Kill(function) => {
                for process in processes::of_function(stack, function).expect("/proc is there") {
                    process.kill().expect("there is a kill program");
                }
            }
            Fault::Unmapped(mapping) => {
                aws.switch_mapping(mapping, works, SWITCHED).await.expect("it can be switched");
            }
            Fault::Unrouted(projection) => {
                aws.switch_rule(projection, works).await.expect("it can be switched");
            }
            Fault::Repeated(since) if !works => {
                aws.start_replay(*since, Timestamp::now()).await.expect("it starts");
            }
            Fault::Repeated(_) => {}
        }
    }

    /// Sends rounds of commands until every fault has occurred once.
    async fn drive(&self, client: &Client) -> Vec<OrderRun> {
        let mut runs = Vec::new();
        for round in 0..MOST_ROUNDS {
            let scripts: Vec<Script> = scripts(ORDERS_PER_ROUND, 300 + round);
            let answered = || self.answers.set(self.answers.get() + 1);
            let sent = drive(client, scripts, &unique("fault-"), WORKERS, answered).await;
            runs.extend(sent.expect("a command sent again is answered"));
            if self.is_done.get() {
                break;
            }
        }
        runs
    }
}

/// Redrives dead letters, as an operator does after an outage.
async fn redrive(world: &World) {
    let orders = &world.stack.contexts["orders"];
    // Lost events of schedules have no source queue.
    for projection in orders.dead_letters.keys().filter(|name| orders.queues.contains_key(*name)) {
        let (code, answer) = ledgerfold(&["dead-letters", "redrive", projection, "--yes"]);
        assert_eq!(code, Some(0), "{answer}");
    }
    world.aws.settled(RECOVERED).await.expect("the projections have processed them");
    let left = world.aws.dead_letters().await.expect("the queues can be asked");
    assert_eq!(left.total(), 0, "dead letters are left: {left}");
}

#[tokio::test]
async fn after_all_faults_under_load_and_a_repair_the_audit_is_clean() {
    let world = World::alone();
    world.aws.settled(PROJECTED).await.expect("earlier tests are projected");
    let window = Window::around(Timestamp::now());
    let baseline = window.totals(&world.client).await.expect("the dashboard can be read");
    let client = world.client.with_patience(Patience::ThroughCrashes);
    let saboteur = Saboteur::new(&world).await;

    let ((), runs) = futures::join!(saboteur.run(), saboteur.drive(&client));
    assert!(saboteur.is_done.get(), "every fault has occurred once");
    world.aws.settled(RECOVERED).await.expect("the projections have processed their messages");
    redrive(&world).await;

    // Events that a rule did not route are in no queue, but the log has them.
    let (code, repaired) = admin(&["repair"]);
    assert_eq!(code, Some(0), "{repaired}");
    println!("{repaired}");
    clean_in_the_end(&["audit"]).await;

    check_answers(&runs);
    check_commits(&world, &runs).await;
    let sent: Vec<Script> = runs.iter().map(|run| run.script.clone()).collect();
    check_dashboard(&world, window, &baseline, &expected::figures(&sent), PROJECTED).await;
    let snapshot = Snapshot::take(&client, &placed_orders(&runs), PROJECTED).await;
    assert_eq!(snapshot.wrong, Vec::<String>::new());
}
