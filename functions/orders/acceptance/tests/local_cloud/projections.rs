//! The final state of all projections, also after a replay of the archive.

use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use orders_acceptance::demo::dashboard::{ByCurrency, Window, added};
use orders_acceptance::demo::drive::{OrderRun, drive};
use orders_acceptance::demo::script::{Script, by_order};
use orders_acceptance::demo::snapshot::{Snapshot, placed_orders};
use orders_acceptance::demo::{expected, generate};
use orders_acceptance::eventually;
use orders_acceptance::model::{Figures, Money};

use crate::world::{PROJECTED, World, basket, currency, unique};

const WORKERS: usize = 8;
const REPLAYED: Duration = Duration::from_secs(240);

/// A few dozen orders with every final stage and every mistake.
pub(crate) fn scripts(orders: usize, seed: u64) -> Vec<Script> {
    by_order(generate::lines(orders, seed)).expect("every order is placed first")
}

/// Checks that every line got the expected answer, and every repetition the first answer.
pub(crate) fn check_answers(runs: &[OrderRun]) {
    for run in runs {
        assert_eq!(run.script.lines.len(), run.outcomes.len(), "{}: all sent", run.script.order);
        for (index, (line, outcome)) in run.script.lines.iter().zip(&run.outcomes).enumerate() {
            assert!(outcome.is_expected(line), "{}: {:?}", line.key, outcome.answer);
            if let Some(first) = run.script.repeated_by(index) {
                assert_eq!(outcome.answer, run.outcomes[first].answer, "{} again", line.key);
            }
        }
    }
}

/// Checks that the event table has one commit for each command that took effect.
pub(crate) async fn check_commits(world: &World, runs: &[OrderRun]) {
    for order in placed_orders(runs) {
        let commits = world.commits(&order.id).await;
        assert_eq!(commits, order.expected.commits, "commits of {}", order.id);
    }
}

/// Waits until exactly these figures were added to the dashboard.
pub(crate) async fn check_dashboard(
    world: &World,
    window: Window,
    baseline: &ByCurrency,
    expected: &ByCurrency,
    deadline: Duration,
) {
    eventually("the dashboard counts every event once", deadline, async || {
        let now = window.totals(&world.client).await.map_err(|error| error.to_string())?;
        let added = added(baseline, &now);
        if added == *expected { Ok(()) } else { Err(format!("{added:?}, not {expected:?}")) }
    })
    .await
    .expect("the dashboard is right in the end");
}

// Guards: a-replay-changes-nothing
#[tokio::test]
async fn all_projections_agree_with_the_input_and_a_replay_changes_nothing() {
    let world = World::alone();
    world.aws.settled(PROJECTED).await.expect("earlier tests are projected");
    let started = Timestamp::now();
    let window = Window::around(started);
    let baseline = window.totals(&world.client).await.expect("the dashboard can be read");

    let scripts = scripts(30, 11);
    let expected = expected::figures(&scripts);
    let runs = drive(&world.client, scripts, &unique("replay-"), WORKERS, || ()).await;
    let runs = runs.expect("the service answers");
    check_answers(&runs);
    check_commits(&world, &runs).await;
    check_dashboard(&world, window, &baseline, &expected, PROJECTED).await;
    let orders = placed_orders(&runs);
    let before = Snapshot::take(&world.client, &orders, PROJECTED).await;
    assert_eq!(before.wrong, Vec::<String>::new());

    world.aws.settled(PROJECTED).await.expect("everything is projected");
    let dashboard = window.text(&world.client).await.expect("the dashboard can be read");
    let replay = world.aws.start_replay(started, Timestamp::now()).await.expect("it starts");
    world.aws.replayed(&replay, REPLAYED).await.expect("it is completed");
    world.aws.settled(REPLAYED).await.expect("the projections have read it");

    let after = Snapshot::take(&world.client, &orders, PROJECTED).await;
    assert_eq!(before.differences(&after), Vec::<String>::new());
    assert_eq!(window.text(&world.client).await.expect("the dashboard can be read"), dashboard);
    check_commits(&world, &runs).await;
    let dead = world.aws.dead_letters().await.expect("the queues can be asked");
    assert_eq!(dead.total(), 0, "nothing was given up: {dead}");
}

async fn counted(world: &World, currency: &str) -> Figures {
    let window = Window::around(Timestamp::now());
    let totals = window.totals(&world.client).await.expect("the dashboard can be read");
    totals.get(currency).copied().unwrap_or_default()
}

async fn counted_in_the_end(world: &World, currency: &str, expected: Figures) {
    eventually("the dashboard counts every event once", PROJECTED, async || {
        let counted = counted(world, currency).await;
        if counted == expected { Ok(()) } else { Err(format!("{counted:?}, not {expected:?}")) }
    })
    .await
    .expect("the dashboard is right in the end");
}

#[tokio::test]
async fn a_refund_takes_the_money_out_of_the_revenue_again() {
    let world = World::shared();
    let mut expected = counted(&world, currency::CANCELLED_AFTER_PAYMENT).await;
    let body = basket(&unique("customer"), currency::CANCELLED_AFTER_PAYMENT);
    let (mut kept, mut returned) = (world.place(&body).await, world.place(&body).await);
    for order in [&mut kept, &mut returned] {
        world.pay(order).await;
    }
    world.cancel(&mut returned).await;

    expected.placed += 2;
    expected.paid += 2;
    expected.cancelled += 1;
    expected.revenue += kept.total.amount;
    counted_in_the_end(&world, currency::CANCELLED_AFTER_PAYMENT, expected).await;
}

#[tokio::test]
async fn a_command_sent_many_times_is_counted_once() {
    let world = World::shared();
    let mut expected = counted(&world, currency::RACE).await;
    let order = world.place(&basket(&unique("customer"), currency::RACE)).await;
    let payment = world.client.pay(&unique("pay"), &order.id, &order.payment());
    for answer in join_all((0..20).map(|_| payment.clone().send())).await {
        answer.and_then(|answer| answer.expect_status(200)).expect("it is paid");
    }
    assert_eq!(order.total, Money::new(900, currency::RACE));

    expected.placed += 1;
    expected.paid += 1;
    expected.revenue += 900;
    counted_in_the_end(&world, currency::RACE, expected).await;
}
