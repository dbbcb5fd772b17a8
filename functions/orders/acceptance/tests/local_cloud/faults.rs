//! Everything that can break is broken while commands flow: functions die, what wakes them is switched
//! off, rules stop routing, the archive brings everything again.

#![allow(clippy::print_stdout, reason = "a failure is understood by what was broken last")]

use std::cell::Cell;
use std::time::Duration;

use jiff::Timestamp;
use orders_acceptance::aws::Mapping;
use orders_acceptance::demo::dashboard::Window;
use orders_acceptance::demo::drive::{OrderRun, drive};
use orders_acceptance::demo::expected;
use orders_acceptance::demo::script::Script;
use orders_acceptance::demo::snapshot::{Snapshot, placed_orders};
use orders_acceptance::{Client, Patience, eventually, processes};

use crate::programs::{admin, clean_in_the_end, ledgerfold};
use crate::projections::{check_answers, check_commits, check_dashboard, scripts};
use crate::world::{PROJECTED, World, unique};

// Few, so that those who audit the whole log in other tests do not wait for what this one has left.
const WORKERS: usize = 2;
const ORDERS_PER_ROUND: usize = 10;
const MOST_ROUNDS: u64 = 80;
/// For how many more answers a fault lasts.
const ANSWERS_PER_FAULT: usize = 8;
const SWITCHED: Duration = Duration::from_secs(120);
/// A batch whose function was killed comes again after several times the function's own time.
const RECOVERED: Duration = Duration::from_secs(480);

/// Something that breaks.
#[derive(Debug)]
enum Fault {
    /// All processes of a function die in the middle of what they do.
    Kill(String),
    /// Nothing wakes a function.
    Unmapped(Mapping),
    /// What is published does not reach a projection.
    Unrouted(String),
    /// All that was archived so far comes again.
    Repeated(Timestamp),
}

/// Breaks one thing after the other, and mends it.
struct Saboteur<'a> {
    world: &'a World,
    faults: Vec<Fault>,
    answers: Cell<usize>,
    is_done: Cell<bool>,
}

impl<'a> Saboteur<'a> {
    /// Every fault that there is, in an order that is another each time and that is printed.
    async fn new(world: &'a World) -> Self {
        let (mut faults, orders) = (Vec::new(), &world.stack.contexts.orders);
        for function in orders.functions.values() {
            faults.push(Fault::Kill(function.clone()));
            let mappings = world.aws.mappings(function).await.expect("Lambda can be asked");
            faults.extend(mappings.into_iter().map(Fault::Unmapped));
        }
        faults.extend(orders.rules.keys().cloned().map(Fault::Unrouted));
        faults.push(Fault::Repeated(Timestamp::now()));
        assert!(faults.len() > 10, "the stack file names functions and rules: {faults:?}");
        // Names made anew sort in an order of their own.
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
            lasted.await.expect("commands flow whatever is broken behind them");
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

    /// Sends rounds of commands until everything has been broken once.
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

/// What was given up during an outage is sent on again by whoever ends it.
async fn redrive(world: &World) {
    let orders = &world.stack.contexts.orders;
    // Ticks of the clock that were lost have no queue to go back to.
    for projection in orders.dead_letters.keys().filter(|name| orders.queues.contains_key(*name)) {
        let (code, said) = ledgerfold(&["dead-letters", "redrive", projection, "--yes"]);
        assert_eq!(code, Some(0), "{said}");
    }
    world.aws.settled(RECOVERED).await.expect("the projections have read it");
    let left = world.aws.dead_letters().await.expect("the queues can be asked");
    assert_eq!(left.total(), 0, "nothing is given up for ever: {left}");
}

#[tokio::test]
async fn whatever_breaks_under_load_the_audit_is_clean_after_a_repair() {
    let world = World::alone();
    world.aws.settled(PROJECTED).await.expect("earlier tests are projected");
    let window = Window::around(Timestamp::now());
    let baseline = window.totals(&world.client).await.expect("the dashboard can be read");
    let client = world.client.with_patience(Patience::ThroughCrashes);
    let saboteur = Saboteur::new(&world).await;

    let ((), runs) = futures::join!(saboteur.run(), saboteur.drive(&client));
    assert!(saboteur.is_done.get(), "everything was broken once");
    world.aws.settled(RECOVERED).await.expect("the projections have read what reached them");
    redrive(&world).await;

    // What a rule did not route is in no queue any more, and in the log for ever.
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
