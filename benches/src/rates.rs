//! Commands per second, time per command and cost, for orders that are placed, paid and shipped.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use crate::{Entrant, Scale, contestant::Contestant, meter::Weighed, order, spread::quantile};

/// One repetition of one contestant.
#[derive(Clone, Debug, Default)]
pub struct Rate {
    /// Commands per second of one task.
    pub alone: f64,
    /// The duration of a command, in milliseconds.
    pub p50: f64,
    pub p99: f64,
    /// Commands per second of many tasks.
    pub crowded: f64,
}

/// The average cost of a command.
pub struct Weight {
    pub requests: f64,
    pub by_operation: Vec<(&'static str, f64)>,
    pub write_units: f64,
    pub read_units: f64,
}

const ORDERS_WEIGHED: usize = 50;

/// All ids have the same length, so that all items have the same size.
pub fn order_id(tag: &str, number: usize) -> String {
    format!("{tag:>8.8}-{number:08}").replace(' ', "_")
}

/// The contestants take turns in rotating order, so that other load on the machine affects all alike.
pub async fn measure(entrants: &[Entrant], scale: &Scale) -> Vec<Vec<Rate>> {
    for entrant in entrants {
        alone(&*entrant.contestant, "warm-up", 2 * scale.orders).await;
        crowded(&entrant.contestant, "warm-up2", scale).await;
    }
    let mut rates = vec![Vec::new(); entrants.len()];
    for repetition in 0..scale.repetitions {
        let mut times = vec![Vec::new(); entrants.len()];
        let mut seconds = vec![(0.0, 0.0); entrants.len()];
        for turn in 0..scale.turns {
            let order: Vec<_> =
                (0..entrants.len()).map(|at| (at + turn + repetition) % entrants.len()).collect();
            for at in &order {
                let tag = format!("a{repetition}-{turn}");
                let start = Instant::now();
                times[*at].extend(alone(&*entrants[*at].contestant, &tag, scale.orders).await);
                seconds[*at].0 += start.elapsed().as_secs_f64();
            }
            for at in &order {
                let tag = format!("c{repetition}-{turn}");
                let start = Instant::now();
                crowded(&entrants[*at].contestant, &tag, scale).await;
                seconds[*at].1 += start.elapsed().as_secs_f64();
            }
        }
        let commands = (scale.turns * scale.orders * 3) as f64;
        for (at, mut times) in times.into_iter().enumerate() {
            times.sort_by(f64::total_cmp);
            let rate = Rate {
                alone: commands / seconds[at].0,
                p50: quantile(&times, 50),
                p99: quantile(&times, 99),
                crowded: 2.0 * commands / seconds[at].1,
            };
            let name = entrants[at].contestant.name();
            eprintln!("{repetition} {name:<30} {:>6.0} {:>6.0}", rate.alone, rate.crowded);
            rates[at].push(rate);
        }
    }
    rates
}

/// Runs the three commands of one order. Returns the milliseconds of each.
async fn run_order(contestant: &dyn Contestant, id: &str, number: usize) -> Vec<f64> {
    let mut times = Vec::new();
    for (at, command) in order::life(number as u64).into_iter().enumerate() {
        let attempt = format!("{id}-{at}");
        let start = Instant::now();
        let done = contestant.execute(id, command, &attempt).await;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        let name = contestant.name();
        done.unwrap_or_else(|failure| panic!("{name}, command {at}: {}", failure.label()));
    }
    times
}

async fn alone(contestant: &dyn Contestant, tag: &str, orders: usize) -> Vec<f64> {
    let mut times = Vec::new();
    for number in 0..orders {
        times.extend(run_order(contestant, &order_id(tag, number), number).await);
    }
    times
}

async fn crowded(contestant: &Arc<dyn Contestant>, tag: &str, scale: &Scale) {
    let next = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..scale.tasks)
        .map(|_| {
            let contestant = contestant.clone();
            let tag = tag.to_owned();
            let next = next.clone();
            let orders = 2 * scale.orders;
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= orders {
                        return;
                    }
                    run_order(&*contestant, &order_id(&tag, number), number).await;
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.expect("no worker fails");
    }
}

/// Measures the average cost of a command.
pub async fn weigh(entrants: &[Entrant]) -> Vec<Weight> {
    let mut weights = Vec::new();
    for Entrant { contestant, meter } in entrants {
        meter.weigh();
        alone(&**contestant, "weighed", ORDERS_WEIGHED).await;
        let Weighed { requests, write_units, read_units, .. } = meter.weighed();
        let commands = (ORDERS_WEIGHED * 3) as f64;
        let by_operation: Vec<_> =
            requests.into_iter().map(|(name, count)| (name, count as f64 / commands)).collect();
        weights.push(Weight {
            requests: by_operation.iter().map(|(_, count)| count).sum(),
            by_operation,
            write_units: write_units / commands,
            read_units: read_units / commands,
        });
    }
    weights
}
