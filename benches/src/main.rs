//! Runs Ledgerfold, the baseline and other libraries with the same tasks, in one run on the DynamoDB Local at
//! `DYNAMODB_ENDPOINT`. `make bench` starts one and writes the tables of COMPARE.md. `BENCH_QUICK=1` makes a short run
//! and only prints them.

mod contestant;
mod cpu;
mod dynamo_es;
mod es_adapter;
mod floor;
mod meter;
mod order;
mod ours;
mod pipeline;
mod probes;
mod rates;
mod report;
mod spread;
mod streams;
mod tables;
mod targets;

use std::{path::Path, sync::Arc};

use contestant::Contestant;
use floor::Floor;
use meter::Meter;

/// A contestant, with the meter of its client.
pub struct Entrant {
    /// Shared by the tasks that send commands concurrently.
    pub contestant: Arc<dyn Contestant>,
    /// Shared with the interceptor in the client, which counts.
    pub meter: Arc<Meter>,
}

/// The size of the measurement.
pub struct Scale {
    pub repetitions: usize,
    /// Turns of each contestant per repetition.
    pub turns: usize,
    /// Orders of three commands in a turn of one task. A turn of many tasks has twice as many.
    pub orders: usize,
    pub tasks: usize,
    /// Loads of each stream per repetition.
    pub loads: usize,
    pub long_stream: usize,
    pub race_rounds: usize,
    pub folded_events: usize,
    /// Messages of a turn of the relay and of each projector.
    pub messages: usize,
}

impl Scale {
    const FULL: Self = Self {
        repetitions: 5,
        turns: 4,
        orders: 100,
        tasks: 16,
        loads: 5,
        long_stream: 10_000,
        race_rounds: 20,
        folded_events: 50_000,
        messages: 1_000,
    };
    const QUICK: Self = Self {
        repetitions: 3,
        turns: 1,
        orders: 30,
        loads: 2,
        long_stream: 2_000,
        race_rounds: 3,
        folded_events: 20_000,
        messages: 200,
        ..Self::FULL
    };
}

#[tokio::main]
async fn main() {
    let quick = std::env::var_os("BENCH_QUICK").is_some();
    let scale = if quick { Scale::QUICK } else { Scale::FULL };
    let busy_before = report::busy();
    let cpu = cpu::measure(&scale);
    let entrants = open_all().await;
    let rates = rates::measure(&entrants, &scale).await;
    let weights = rates::weigh(&entrants).await;
    let streams = streams::measure(&entrants, &scale).await;
    let growth = streams::growth(&scale).await;
    let probes = probes::measure(&entrants, &scale).await;
    let pipeline = pipeline::measure(&scale).await;
    let names = entrants.iter().map(|entrant| entrant.contestant.name()).collect();
    let report = report::Report {
        names,
        rates,
        weights,
        streams,
        growth,
        probes,
        pipeline,
        cpu,
        busy: [busy_before, report::busy()],
    };
    let text = report.markdown(&scale);
    println!("{text}");
    if !quick {
        report::replace(Path::new("COMPARE.md"), &text).expect("COMPARE.md can be written");
    }
}

/// Opens all contestants, each with its own client and tables.
async fn open_all() -> Vec<Entrant> {
    let padding = padding().await;
    let mut all = Vec::new();
    macro_rules! add {
        ($open:path, $($argument:expr),*) => {{
            let (client, meter) = Meter::client();
            let contestant = Arc::new($open(client, $($argument),*).await);
            all.push(Entrant { contestant, meter });
        }};
    }
    add!(Floor::open, "bare-put", false, padding);
    add!(ours::WithoutSnapshots::warm, "warm");
    add!(Floor::open, "bare-query-put", true, padding);
    add!(ours::WithoutSnapshots::cold, "cold");
    add!(ours::WithSnapshots::cold, "snapshots");
    add!(dynamo_es::DynamoEs::open, "dynamo-es", None);
    add!(dynamo_es::DynamoEs::open, "dynamo-es-snapshots", Some(10));
    add!(es_adapter::EsAdapter::open, "es-adapter", None);
    add!(es_adapter::EsAdapter::open, "es-adapter-snapshots", Some(10));
    all
}

/// How much larger our item is than one with only key and event.
async fn padding() -> usize {
    let ours = ours::WithoutSnapshots::cold(Meter::client().0, "size").await;
    let id = rates::order_id("size", 1);
    let command = order::place(1);
    ours.execute(&id, command.clone(), &format!("{id}-0")).await.expect("it is placed");
    let event = order::Order::default().decide(&command).expect("it can be placed");
    ours.first_item_size(&id).await.saturating_sub(Floor::item_size(&id, &event))
}
