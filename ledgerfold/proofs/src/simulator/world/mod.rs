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
    domain::{accounts::PROJECTIONS, observations::Witness, old_code::Deployment},
    infrastructure::{
        bus::{Bus, PROCESS, QUEUES},
        change_stream::{ChangeStream, Lane},
        deadlines::SimulatedDeadlines,
        generations::SimulatedGenerations,
        log::{LogLimits, SimulatedLog},
        projection::{Desk, Subject},
        quarantine::SimulatedQuarantine,
        queue::Queue,
        read_table::SimulatedTable,
    },
    network::{
        faults::{Way, Weather},
        scheduler::Clockwork,
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
    clockwork: Clockwork,
    witness: Arc<Witness>,
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
        let clockwork = Clockwork::new(seed, schedule.storm.deaths);
        let weather = Weather::new(&clockwork, schedule.storm.strikes);
        let witness = Arc::<Witness>::default();
        let all = || (clockwork.clone(), weather.clone(), witness.clone());
        let way = || Way { clockwork: clockwork.clone(), weather: weather.clone() };
        let changes = Arc::new(ChangeStream::new(&clockwork, schedule.stream, witness.clone()));
        let limits = LogLimits { page: schedule.page, commit_bytes: schedule.commit_bytes };
        let log = Arc::new(SimulatedLog::new(all(), plant, limits, changes.clone()));
        let queue = |_| Queue::new(&clockwork, witness.clone(), plant, schedule.queue);
        let queues = [0, 1, PROCESS].map(queue).map(Arc::new);
        let bus = Arc::new(Bus::new(all(), plant, queues.clone(), &schedule));
        let deployment = Deployment::new(!schedule.old_code);
        let subjects = PROJECTIONS.map(|projection| Subject {
            projection,
            table: Arc::new(SimulatedTable::new((way(), witness.clone(), plant), LAG)),
            generations: Arc::new(SimulatedGenerations::new(way())),
            quarantine: Arc::new(SimulatedQuarantine::new(way(), witness.clone(), plant)),
            log: log.clone(),
            clockwork: clockwork.clone(),
            plant,
            deployment: deployment.clone(),
            desk: Desk::default(),
        });
        let readers = Arc::new(Readers::new(&clockwork, witness.clone(), schedule, &subjects));
        let processes = Processes::new(clockwork.clone());
        let containers = Arc::new(Containers::new(all(), processes.clone(), log.clone()));
        let deadlines = Arc::new(SimulatedDeadlines::new(way(), witness.clone(), plant));
        let tasks = Tasks::new(clockwork.clone());
        let mapping = |lane: &Arc<Lane>| Mapping {
            clockwork: clockwork.clone(),
            weather: weather.clone(),
            witness: witness.clone(),
            plant,
            changes: changes.clone(),
            lane: lane.clone(),
            function: RelayFunction::new(bus.clone(), &clockwork, plant, processes.clone()),
            pending: VecDeque::new(),
        };
        let projector = |subject: &Subject| ProjectorFunction {
            subject: subject.clone(),
            processes: processes.clone(),
            witness: witness.clone(),
        };
        Self {
            mappings: changes.lanes().iter().map(mapping).collect(),
            projectors: subjects.each_ref().map(projector),
            process: ProcessFunctions {
                clockwork: clockwork.clone(),
                witness: witness.clone(),
                plant,
                patience: schedule.patience(),
                processes: processes.clone(),
                log: log.clone(),
                deadlines,
            },
            clients: Clients {
                clockwork: clockwork.clone(),
                schedule,
                witness: witness.clone(),
                containers,
                log: log.clone(),
                subjects: subjects.clone(),
                readers: readers.clone(),
            },
            operators: Operators {
                clockwork: clockwork.clone(),
                weather,
                witness: witness.clone(),
                schedule,
                plant,
                tasks: tasks.clone(),
                processes: processes.clone(),
                log: log.clone(),
                bus: bus.clone(),
                subjects: subjects.clone(),
                deployment: deployment.clone(),
            },
            rebuilds: Rebuilds {
                clockwork: clockwork.clone(),
                witness: witness.clone(),
                schedule,
                plant,
                tasks: tasks.clone(),
                processes: processes.clone(),
                subjects: subjects.clone(),
                readers,
                deployment,
            },
            evidence: Evidence {
                schedule,
                witness: witness.clone(),
                tasks: tasks.clone(),
                log,
                changes: changes.clone(),
                bus: bus.clone(),
                queues: queues.clone(),
                subjects,
            },
            schedule,
            plant,
            clockwork,
            witness,
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
            world.clockwork.spawn(mapping.run());
        }
        // Two functions at a queue: batches of one stream meet.
        for queue in [0, 0, 1, 1] {
            let world = world.clone();
            world.clone().clockwork.spawn(async move { world.project(queue).await });
        }
        for queue in [0, 1] {
            let world = world.clone();
            world.clone().clockwork.spawn(async move { world.retry_parked(queue).await });
        }
        for _ in 0..2 {
            let reactor = Reactor::new(&world.process);
            let at_queue = world.clone();
            world.clockwork.spawn(async move { at_queue.react(reactor).await });
            world.clockwork.spawn(reactions::sweep(world.process.clone()));
        }
        let ending = world.clone();
        world.clockwork.spawn(async move { ending.conclude().await });
        world
    }

    pub(super) fn run(&self, steps: usize) -> bool {
        self.clockwork.run(steps)
    }

    pub(super) fn check(&self) -> Vec<String> {
        checker::check(&self.evidence)
    }

    pub(super) fn violations(&self) -> Vec<String> {
        self.witness.violations()
    }

    pub(super) fn is_over(&self) -> bool {
        self.tasks.is_over()
    }

    pub(super) fn report(&self) -> Report {
        Report { deaths: self.clockwork.deaths(), ..self.witness.report() }
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
            projector.subject.quarantine.occupied().await;
            self.clockwork.sleep(self.clockwork.within(self.schedule.pace())).await;
            let scope = if self.clockwork.chance(50) { RetryScope::All } else { RetryScope::Due };
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
            self.clockwork.sleep(self.clockwork.within(POLL)).await;
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
            self.witness.violated(format!("a message was not applied at once: {reason}"));
        }
        let failed: Vec<_> = failed.into_iter().map(|failed| failed.receipt).collect();
        self.queues[queue].settle(batch, &failed);
    }
}

fn receipts(batch: &[Delivery]) -> Vec<Receipt> {
    batch.iter().map(|delivery| delivery.receipt.clone()).collect()
}
