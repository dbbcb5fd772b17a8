//! Everything there is in a schedule, and its beginning and end.

mod ending;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use ledgerfold::{
    ports::Clock,
    project::RetryScope,
    vocabulary::{Delivery, FailedReceipt, Receipt},
};

use crate::simulator::{
    actors::{
        clients::{self, Clients},
        functions::{Containers, Processes, ProjectorFunction, RelayFunction},
        mapping::Mapping,
        operators::{self, Operators},
        reactions::{self, ProcessFunctions, Reactor},
        readers::Readers,
        rebuilds::{self, Rebuilds},
    },
    checker::{self, Evidence},
    domain::{accounts::PROJECTIONS, observations::Observations, old_code::Deployment},
    infrastructure::{
        bus::{Bus, PROCESS, QUEUES},
        change_stream::{ChangeStream, Lane},
        deadlines::SimulatedDeadlines,
        generations::SimulatedGenerations,
        log::{LogLimits, SimulatedLog},
        projection::{OperatorLock, SimulatedProjection},
        quarantine::SimulatedQuarantine,
        queue::Queue,
        read_table::SimulatedTable,
    },
    network::{
        faults::{Faults, Network},
        scheduler::Scheduler,
        tasks::Tasks,
    },
    plan::{plant::Plant, report::Report, schedule::Schedule},
};

/// How late the index of the rows may be.
const LAG: Duration = Duration::from_secs(2);
/// How long a projector's poll takes.
const POLL: Duration = Duration::from_secs(2);

/// A schedule with all its parts: the only place that knows every one of them.
pub(super) struct World {
    schedule: Schedule,
    plant: Plant,
    scheduler: Scheduler,
    observations: Arc<Observations>,
    tasks: Tasks,
    processes: Processes,
    changes: Arc<ChangeStream>,
    bus: Arc<Bus>,
    queues: [Arc<Queue>; QUEUES],
    mappings: Vec<Mapping>,
    projectors: [ProjectorFunction; 2],
    process: ProcessFunctions,
    clients: Clients,
    operators: Operators,
    rebuilds: Rebuilds,
    evidence: Evidence,
}

impl World {
    pub(super) fn new(seed: u64, plant: Plant) -> Self {
        let schedule = Schedule::of(seed);
        let scheduler = Scheduler::new(seed, schedule.fault_rates.deaths);
        let faults = Faults::new(&scheduler, schedule.fault_rates.strikes);
        let observations = Arc::<Observations>::default();
        let all = || (scheduler.clone(), faults.clone(), observations.clone());
        let way = || Network { scheduler: scheduler.clone(), faults: faults.clone() };
        let changes =
            Arc::new(ChangeStream::new(&scheduler, schedule.stream, observations.clone()));
        let limits = LogLimits { page: schedule.page, commit_bytes: schedule.commit_bytes };
        let log = Arc::new(SimulatedLog::new(all(), plant, limits, changes.clone()));
        let queue = |_| Queue::new(&scheduler, observations.clone(), plant, schedule.queue);
        let queues = [0, 1, PROCESS].map(queue).map(Arc::new);
        let bus = Arc::new(Bus::new(all(), plant, queues.clone(), &schedule));
        let deployment = Deployment::new(!schedule.old_code);
        let projections = PROJECTIONS.map(|projection| SimulatedProjection {
            projection,
            table: Arc::new(SimulatedTable::new((way(), observations.clone(), plant), LAG)),
            generations: Arc::new(SimulatedGenerations::new(way())),
            quarantine: Arc::new(SimulatedQuarantine::new(way(), observations.clone(), plant)),
            log: log.clone(),
            scheduler: scheduler.clone(),
            plant,
            deployment: deployment.clone(),
            operator_lock: OperatorLock::default(),
        });
        let readers =
            Arc::new(Readers::new(&scheduler, observations.clone(), schedule, &projections));
        let processes = Processes::new(scheduler.clone());
        let containers = Arc::new(Containers::new(all(), processes.clone(), log.clone()));
        let deadlines = Arc::new(SimulatedDeadlines::new(way(), observations.clone(), plant));
        let tasks = Tasks::new(scheduler.clone());
        let mapping = |lane: &Arc<Lane>| Mapping {
            scheduler: scheduler.clone(),
            faults: faults.clone(),
            observations: observations.clone(),
            plant,
            changes: changes.clone(),
            lane: lane.clone(),
            function: RelayFunction::new(bus.clone(), &scheduler, plant, processes.clone()),
            pending: VecDeque::new(),
        };
        let projector = |projection: &SimulatedProjection| ProjectorFunction {
            projection: projection.clone(),
            processes: processes.clone(),
            observations: observations.clone(),
        };
        Self {
            mappings: changes.lanes().iter().map(mapping).collect(),
            projectors: projections.each_ref().map(projector),
            process: ProcessFunctions {
                scheduler: scheduler.clone(),
                observations: observations.clone(),
                plant,
                patience: schedule.patience(),
                processes: processes.clone(),
                log: log.clone(),
                deadlines,
            },
            clients: Clients {
                scheduler: scheduler.clone(),
                schedule,
                observations: observations.clone(),
                containers,
                log: log.clone(),
                projections: projections.clone(),
                readers: readers.clone(),
            },
            operators: Operators {
                scheduler: scheduler.clone(),
                faults,
                observations: observations.clone(),
                schedule,
                plant,
                tasks: tasks.clone(),
                processes: processes.clone(),
                log: log.clone(),
                bus: bus.clone(),
                projections: projections.clone(),
                deployment: deployment.clone(),
            },
            rebuilds: Rebuilds {
                scheduler: scheduler.clone(),
                observations: observations.clone(),
                schedule,
                plant,
                tasks: tasks.clone(),
                processes: processes.clone(),
                projections: projections.clone(),
                readers,
                deployment,
            },
            evidence: Evidence {
                schedule,
                observations: observations.clone(),
                tasks: tasks.clone(),
                log,
                changes: changes.clone(),
                bus: bus.clone(),
                queues: queues.clone(),
                projections,
            },
            schedule,
            plant,
            scheduler,
            observations,
            tasks,
            processes,
            changes,
            bus,
            queues,
        }
    }

    /// Starts everything. The order of these tasks is part of every schedule.
    pub(super) fn start(self) -> Arc<Self> {
        let mut world = self;
        let mappings = std::mem::take(&mut world.mappings);
        let world = Arc::new(world);
        clients::start(&world.clients, &world.tasks);
        operators::start(&world.operators);
        rebuilds::start(&world.rebuilds);
        for mapping in mappings {
            world.scheduler.spawn(mapping.run());
        }
        // Two functions at a queue: batches of one stream meet.
        for queue in [0, 0, 1, 1] {
            let world = world.clone();
            world.clone().scheduler.spawn(async move { world.project(queue).await });
        }
        for queue in [0, 1] {
            let world = world.clone();
            world.clone().scheduler.spawn(async move { world.retry_parked(queue).await });
        }
        for _ in 0..2 {
            let reactor = Reactor::new(&world.process);
            let at_queue = world.clone();
            world.scheduler.spawn(async move { at_queue.react(reactor).await });
            world.scheduler.spawn(reactions::sweep(world.process.clone()));
        }
        let ending = world.clone();
        world.scheduler.spawn(async move { ending.conclude().await });
        world
    }

    pub(super) fn run(&self, steps: usize) -> bool {
        self.scheduler.run(steps)
    }

    pub(super) fn check(&self) -> Vec<String> {
        checker::check(&self.evidence)
    }

    pub(super) fn violations(&self) -> Vec<String> {
        self.observations.violations()
    }

    pub(super) fn is_over(&self) -> bool {
        self.tasks.is_over()
    }

    pub(super) fn report(&self) -> Report {
        Report { deaths: self.scheduler.deaths(), ..self.observations.report() }
    }

    async fn project(&self, number: usize) {
        loop {
            let batch = self.next_batch(number).await;
            let receipts = receipts(&batch);
            let failed = self.projectors[number].project(batch).await;
            self.settle(number, &receipts, failed);
        }
    }

    /// Has parked streams tried again, round by round.
    async fn retry_parked(&self, number: usize) {
        loop {
            let projector = &self.projectors[number];
            projector.projection.quarantine.occupied().await;
            self.scheduler.sleep(self.scheduler.within(self.schedule.pace())).await;
            let scope = if self.scheduler.chance(50) { RetryScope::All } else { RetryScope::Due };
            projector.retry_parked(scope).await;
        }
    }

    async fn react(&self, mut reactor: Reactor) {
        loop {
            let batch = self.next_batch(PROCESS).await;
            let receipts = receipts(&batch);
            if self.plant == Plant::ProcessAcknowledgesFirst {
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
        let queue = &self.queues[queue];
        loop {
            queue.arrived().await;
            self.scheduler.sleep(self.scheduler.within(POLL)).await;
            let batch = queue.receive();
            if !batch.is_empty() {
                return batch;
            }
        }
    }

    /// Deletes the finished messages of a batch. If a function died, none of them counts as finished.
    fn settle(&self, queue: usize, batch: &[Receipt], failed: Option<Vec<FailedReceipt>>) {
        let Some(failed) = failed else { return };
        // A process's command may lose its races against clients, and then its message comes again.
        let is_smooth = self.schedule.is_smooth() && queue != PROCESS;
        if let Some(FailedReceipt { reason, .. }) = failed.first().filter(|_| is_smooth) {
            self.observations.violated(format!("a message was not applied at once: {reason}"));
        }
        let failed: Vec<_> = failed.into_iter().map(|failed| failed.receipt).collect();
        self.queues[queue].settle(batch, &failed);
    }
}

fn receipts(batch: &[Delivery]) -> Vec<Receipt> {
    batch.iter().map(|delivery| delivery.receipt.clone()).collect()
}
