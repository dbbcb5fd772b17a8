//! The suites that DynamoDB must pass, run on the simulation's own stores without faults. Rules do not belong here: they
//! are in `ledgerfold-proofs`.
//!
//! Guards: the-simulator-behaves-like-dynamodb

mod driven;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ledgerfold::vocabulary::Generation;

use crate::{
    conformance::driven::Driven,
    domain::observations::Observations,
    infrastructure::{
        change_stream::ChangeStream,
        generations::SimulatedGenerations,
        log::{LogLimits, SimulatedLog},
        pipeline_log::{PipelineLog, Recorder},
        read_table::SimulatedTable,
        rows::SimulatedRows,
        tallies::SimulatedTallies,
    },
    network::{
        faults::{Faults, Network},
        scheduler::Scheduler,
    },
    plan::{plant::Plant, schedule::Schedule},
};

fn parts() -> (Scheduler, Faults, Arc<Observations>) {
    static SEED: AtomicU64 = AtomicU64::new(1);
    let scheduler = Scheduler::new(SEED.fetch_add(1, Ordering::Relaxed), 0);
    (scheduler.clone(), Faults::new(&scheduler, 0), Arc::default())
}

async fn log(page: usize) -> Driven<PipelineLog> {
    let (scheduler, faults, observations) = parts();
    let shape = Schedule::of(0).stream;
    let changes = Arc::new(ChangeStream::new(&scheduler, shape, observations.clone()));
    let limits = LogLimits { page, commit_bytes: 300 * 1_024 };
    let effects = Recorder::new(observations, changes);
    let store = Arc::new(SimulatedLog::new(&scheduler, &faults, limits, effects));
    Driven { scheduler, store }
}

async fn table() -> Driven<SimulatedTable> {
    let (scheduler, faults, observations) = parts();
    let network = Network { scheduler: scheduler.clone(), faults };
    // The suite asks the index at once, and DynamoDB Local's is never late.
    let store = Arc::new(SimulatedTable::new((network, observations, Plant::None), Duration::ZERO));
    Driven { scheduler, store }
}

async fn rows() -> Driven<SimulatedRows> {
    let Driven { scheduler, store } = table().await;
    Driven { scheduler, store: store.rows_of(Generation::FIRST) }
}

async fn tallies() -> Driven<SimulatedTallies> {
    let Driven { scheduler, store } = table().await;
    Driven { scheduler, store: store.tallies_of(Generation::FIRST) }
}

async fn generations() -> Driven<SimulatedGenerations> {
    let (scheduler, faults, observations) = parts();
    let network = Network { scheduler: scheduler.clone(), faults };
    let store = Arc::new(SimulatedGenerations::new((network, observations, Plant::None)));
    Driven { scheduler, store }
}

mod event_store {
    ledgerfold_proofs::event_store_conformance!(super::log(3));

    #[test]
    fn the_log_of_the_simulation_answers_like_the_model_whatever_is_done() {
        for page in [1, 3, 1_000] {
            ledgerfold_proofs::conformance::history::check(100, super::log(page));
        }
    }
}

mod streams {
    use ledgerfold_proofs::conformance::streams::ListedLog;

    ledgerfold_proofs::streams_conformance!(async { ListedLog::of(super::log(3).await) });
}

mod row_store {
    ledgerfold_proofs::row_store_conformance!(super::rows());
}

mod tally_store {
    ledgerfold_proofs::tally_store_conformance!(super::tallies());
}

mod read_table {
    ledgerfold_proofs::read_table_conformance!(rows: super::table());
    ledgerfold_proofs::read_table_conformance!(tallies: super::table());
}

mod generation_store {
    ledgerfold_proofs::generation_store_conformance!(super::generations());
}
