//! The composition root: it starts a schedule, and feeds the queues' messages to their functions. Only this layer knows
//! all parts. Behaviour of a part does not belong here.

mod parts;
mod quiescence;

use std::{sync::Arc, time::Duration};

use ledgerfold::{
    ports::Clock,
    project::RetryScope,
    vocabulary::{Delivery, FailedReceipt, Receipt},
};

use crate::{
    actors::{
        clients,
        functions::ProjectorFunction,
        operators,
        reactions::{self, ProcessFunctions, Reactor},
        rebuilds,
    },
    checker::{self, Evidence},
    infrastructure::bus::{FOREIGN, PROCESS},
    plan::{plant::Plant, report::Report},
    world::parts::Parts,
};

/// How long a projector's poll takes.
const POLL: Duration = Duration::from_secs(2);

/// A schedule with all its parts.
pub(super) struct World {
    /// All parts. Only this module and `parts` see them together.
    parts: Parts,
    /// The projector function of each queue of a projection.
    projectors: [ProjectorFunction; 3],
    /// The functions of the process.
    process: ProcessFunctions,
    /// For the checker, after the schedule has ended.
    evidence: Evidence,
}

impl World {
    pub(super) fn new(seed: u64, plant: Plant) -> Self {
        let parts = Parts::new(seed, plant);
        Self {
            projectors: parts.projectors(),
            process: parts.process(),
            evidence: parts.evidence(),
            parts,
        }
    }

    /// Starts everything. The order of these tasks is part of every schedule.
    pub(super) fn start(self) -> Arc<Self> {
        let world = Arc::new(self);
        let Parts { scheduler, tasks, .. } = &world.parts;
        clients::start(&world.parts.clients(), tasks);
        operators::start(&world.parts.operators());
        rebuilds::start(&world.parts.rebuilds());
        for mapping in world.parts.mappings() {
            scheduler.spawn(mapping.run());
        }
        // Two functions at a queue: batches of one stream meet.
        for queue in [0, 0, 1, 1, FOREIGN, FOREIGN] {
            let world = world.clone();
            scheduler.spawn(async move { world.project(queue).await });
        }
        for queue in [0, 1, FOREIGN] {
            let world = world.clone();
            scheduler.spawn(async move { world.retry_parked(queue).await });
        }
        for _ in 0..2 {
            let reactor = Reactor::new(&world.process);
            let at_queue = world.clone();
            scheduler.spawn(async move { at_queue.react(reactor).await });
            scheduler.spawn(reactions::sweep(world.process.clone()));
            scheduler.spawn(reactions::work(world.process.clone()));
        }
        let quiescence = world.parts.quiescence();
        scheduler.spawn(async move { quiescence.reach().await });
        world
    }

    pub(super) fn run(&self, steps: usize) -> bool {
        self.parts.scheduler.run(steps)
    }

    pub(super) fn check(&self) -> Vec<String> {
        checker::check(&self.evidence)
    }

    pub(super) fn violations(&self) -> Vec<String> {
        self.parts.observations.violations()
    }

    pub(super) fn is_over(&self) -> bool {
        self.parts.tasks.is_over()
    }

    pub(super) fn report(&self) -> Report {
        Report { deaths: self.parts.scheduler.deaths(), ..self.parts.observations.report() }
    }

    async fn project(&self, number: usize) {
        loop {
            let batch = self.next_batch(number).await;
            let receipts = receipts(&batch);
            let failed = self.projectors[number].project(batch).await;
            self.settle(number, &receipts, failed);
        }
    }

    /// Retries parked streams, round by round.
    async fn retry_parked(&self, number: usize) {
        loop {
            let projector = &self.projectors[number];
            projector.projection.quarantine.occupied().await;
            self.parts
                .scheduler
                .sleep(self.parts.scheduler.within(self.parts.schedule.pace()))
                .await;
            let scope =
                if self.parts.scheduler.chance(50) { RetryScope::All } else { RetryScope::Due };
            projector.retry_parked(scope).await;
        }
    }

    async fn react(&self, mut reactor: Reactor) {
        loop {
            let batch = self.next_batch(PROCESS).await;
            let receipts = receipts(&batch);
            if self.parts.plant == Plant::ProcessAcknowledgesFirst {
                self.settle(PROCESS, &receipts, Some(Vec::new()));
            }
            let failed = reactor.react(&self.process, batch).await;
            if failed.is_none() {
                reactor = Reactor::new(&self.process);
            }
            self.settle(PROCESS, &receipts, failed);
        }
    }

    async fn next_batch(&self, queue: usize) -> Vec<Delivery> {
        let queue = &self.parts.queues[queue];
        loop {
            queue.arrived().await;
            self.parts.scheduler.sleep(self.parts.scheduler.within(POLL)).await;
            let batch = queue.receive();
            if !batch.is_empty() {
                return batch;
            }
        }
    }

    /// Deletes the finished messages of a batch. If a function died, none of them counts as finished.
    fn settle(&self, queue: usize, batch: &[Receipt], failed: Option<Vec<FailedReceipt>>) {
        let Some(failed) = failed else { return };
        // A process's command may conflict with clients, and then its message is delivered again.
        let needs_no_retries = self.parts.schedule.needs_no_retries() && queue != PROCESS;
        if let Some(FailedReceipt { reason, .. }) = failed.first().filter(|_| needs_no_retries) {
            self.parts
                .observations
                .violated(format!("a message was not applied at once: {reason}"));
        }
        let failed: Vec<_> = failed.into_iter().map(|failed| failed.receipt).collect();
        self.parts.queues[queue].settle(batch, &failed);
    }
}

fn receipts(batch: &[Delivery]) -> Vec<Receipt> {
    batch.iter().map(|delivery| delivery.receipt.clone()).collect()
}
