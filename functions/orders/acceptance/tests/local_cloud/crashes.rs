//! Function processes are killed while commands are running.

use std::cell::Cell;
use std::time::Duration;

use acceptance::killer::Killer;
use jiff::Timestamp;
use orders_acceptance::demo::dashboard::Window;
use orders_acceptance::demo::drive::{OrderRun, drive};
use orders_acceptance::demo::expected;
use orders_acceptance::demo::script::Script;
use orders_acceptance::demo::snapshot::{Snapshot, placed_orders};
use orders_acceptance::{Client, Patience};

use crate::projections::{check_answers, check_commits, check_dashboard, scripts};
use crate::world::{PROJECTED, World, unique};

const WORKERS: usize = 6;
// A killed function's batch is delivered again after its visibility timeout, which is several times the function's
// timeout.
const RECOVERED: Duration = Duration::from_secs(480);
// Few enough that no message is moved to a dead-letter queue, and no stream record to the failure bucket.
const KILLS_PER_FUNCTION: usize = 2;
const KILL_EVERY: Duration = Duration::from_millis(150);
const MOST_ROUNDS: u64 = 12;

/// Sends queries while commands are running.
async fn read_on(client: &Client, window: Window, commands_are_done: &Cell<bool>) {
    while !commands_are_done.get() {
        window.totals(client).await.expect("a query sent again is answered");
    }
}

/// Also invokes the functions that would otherwise run only once a minute, once an hour or for a due deadline.
async fn tick_on(world: &World, commands_are_done: &Cell<bool>) {
    while !commands_are_done.get() {
        for function in ["deadline-sweep", "payment-deadline-due", "spot-check"] {
            // It may be killed before it answers.
            let _ = world.aws.wake(function).await;
        }
    }
}

/// Sends rounds of commands until every function was killed often enough.
async fn drive_until(
    killer: &Killer<'_>,
    client: &Client,
    commands_are_done: &Cell<bool>,
) -> Vec<OrderRun> {
    let mut runs = Vec::new();
    for round in 0..MOST_ROUNDS {
        let scripts: Vec<Script> = scripts(30, 100 + round);
        let sent = drive(client, scripts, &unique("crash-"), WORKERS, || ()).await;
        runs.extend(sent.expect("a command sent again is answered"));
        if killer.is_done() {
            break;
        }
    }
    commands_are_done.set(true);
    runs
}

// Guards: nothing-acknowledged-is-lost
#[tokio::test]
async fn killed_functions_lose_nothing_and_do_nothing_twice() {
    let world = World::alone();
    world.aws.settled(PROJECTED).await.expect("earlier tests are projected");
    let window = Window::around(Timestamp::now());
    let baseline = window.totals(&world.client).await.expect("the dashboard can be read");
    let dead_before = world.aws.dead_letters().await.expect("the queues can be asked");
    let client = world.client.with_patience(Patience::ThroughCrashes);
    let functions = world.stack.contexts["orders"].functions.values().cloned();
    let left = functions.map(|function| (function, KILLS_PER_FUNCTION)).collect();
    let killer = Killer::new(&world.stack, left);
    assert!(killer.left().len() >= 4, "the stack file names the functions");
    let commands_are_done = Cell::new(false);

    let (killing, (), (), runs) = futures::join!(
        killer.run(KILL_EVERY, &commands_are_done),
        read_on(&client, window, &commands_are_done),
        tick_on(&world, &commands_are_done),
        drive_until(&killer, &client, &commands_are_done),
    );
    killing.expect("/proc is there, and a kill program");
    assert!(killer.is_done(), "kills left by function: {:?}", killer.left());

    check_answers(&runs);
    check_commits(&world, &runs).await;
    let sent: Vec<Script> = runs.iter().map(|run| run.script.clone()).collect();
    check_dashboard(&world, window, &baseline, &expected::figures(&sent), RECOVERED).await;
    let snapshot = Snapshot::take(&client, &placed_orders(&runs), RECOVERED).await;
    assert_eq!(snapshot.wrong, Vec::<String>::new());
    let dead_after = world.aws.dead_letters().await.expect("the queues can be asked");
    assert_eq!(dead_after, dead_before, "nothing was given up");
}
