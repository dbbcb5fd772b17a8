//! Measures the speed of a running stack.
//!
//! One client first, for the latency of a command. Then eight clients, for the commands per second of the whole
//! pipeline: the time ends when the dashboard has counted every event and all queues are empty.

use std::io::Write;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::dashboard::{self, Window};
use super::drive::drive;
use super::{DemoError, PROJECTION_DEADLINE, WORKERS, expected, generate, report, script};
use crate::aws::Aws;
use crate::client::Client;
use crate::wait::eventually;
use ledgerfold_testkit::http::Stack;

// The first requests of a stack start containers and open connections.
const ORDERS_TO_WARM_UP: usize = 12;
const ORDERS_ALONE: usize = 40;
const SEED: u64 = 11;

/// Measures the running stack, with this many orders for eight clients, and writes the results.
///
/// # Errors
/// If there is no stack, a command gets no answer, or the projections do not finish in time.
pub async fn run(orders: usize, out: &mut impl Write) -> Result<(), DemoError> {
    let stack = Stack::find()?;
    let speed = Speed { client: Client::new(&stack)?, aws: Aws::new(&stack) };

    speed.send(ORDERS_TO_WARM_UP, WORKERS).await?;
    let alone = speed.send(ORDERS_ALONE, 1).await?;
    let together = speed.send(orders, WORKERS).await?;

    report::speed(out, &[("one client", &alone), ("eight clients", &together)])?;
    Ok(())
}

struct Speed {
    client: Client,
    aws: Aws,
}

/// Commands that were sent and projected.
pub(super) struct Sent {
    /// The duration of every request.
    pub(super) took: Vec<Duration>,
    /// The time from the first request to the last answer.
    pub(super) answered: Duration,
    /// The time from the first request to the end of the last projection.
    pub(super) projected: Duration,
}

impl Speed {
    async fn send(&self, orders: usize, clients: usize) -> Result<Sent, DemoError> {
        self.aws.settled(PROJECTION_DEADLINE).await?;
        let now = Timestamp::now();
        let window = Window::around(now);
        let baseline = window.totals(&self.client).await?;
        let scripts = script::by_order(generate::lines(orders, SEED))
            .expect("generated lines place every order first");
        let expected = expected::figures(&scripts);
        let prefix = format!("speed-{}-", now.as_nanosecond());

        let started = Instant::now();
        let runs = drive(&self.client, scripts, &prefix, clients, || ()).await?;
        let answered = started.elapsed();
        eventually("every event is projected", PROJECTION_DEADLINE, async || {
            let totals = window.totals(&self.client).await.map_err(|error| error.to_string())?;
            if dashboard::added(&baseline, &totals) != expected {
                return Err("the dashboard lacks events".to_owned());
            }
            let backlog = self.aws.backlog().await.map_err(|error| error.to_string())?;
            if backlog.total() == 0 { Ok(()) } else { Err(backlog.to_string()) }
        })
        .await?;
        let projected = started.elapsed();
        let took = runs.iter().flat_map(|run| &run.outcomes).map(|outcome| outcome.took).collect();
        Ok(Sent { took, answered, projected })
    }
}
