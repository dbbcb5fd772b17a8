//! All parts of a schedule, and the narrow handles that each actor gets. Nothing here runs.

use crate::{
    actors::{
        clients::Clients,
        functions::{Containers, ProjectorFunction, RelayFunction},
        mapping::Mapping,
        operators::Operators,
        reactions::ProcessFunctions,
        readers::Readers,
        rebuilds::Rebuilds,
    },
    checker::Evidence,
    domain::{
        accounts::{POINTS, PROJECTIONS},
        observations::Observations,
        old_code::Deployment,
    },
    infrastructure::{
        bus::{Bus, FOREIGN, PROCESS, QUEUES},
        change_stream::{ChangeStream, Lane},
        deadlines::SimulatedDeadlines,
        due_queue::DueQueue,
        generations::SimulatedGenerations,
        log::{LogLimits, SimulatedLog},
        pipeline_log::{PipelineLog, Recorder},
        projection::{OperatorLock, SimulatedProjection},
        quarantine::SimulatedQuarantine,
        queue::Queue,
        read_table::SimulatedTable,
    },
    network::{
        faults::{Faults, Network},
        processes::Processes,
        scheduler::Scheduler,
        tasks::Tasks,
    },
    plan::{plant::Plant, schedule::Schedule},
    world::quiescence::Quiescence,
};
use std::{collections::VecDeque, sync::Arc, time::Duration};

/// The longest delay of the index of rows.
const LAG: Duration = Duration::from_secs(2);

/// Every part of a schedule. The parts with state are shared by reference count, and each documents its own state. The
/// fields never change after `new`: actors get clones of the handles that they need.
pub(super) struct Parts {
    pub(super) schedule: Schedule,
    pub(super) plant: Plant,
    pub(super) scheduler: Scheduler,
    faults: Faults,
    pub(super) observations: Arc<Observations>,
    pub(super) tasks: Tasks,
    processes: Processes,
    changes: Arc<ChangeStream>,
    bus: Arc<Bus>,
    pub(super) queues: [Arc<Queue>; QUEUES],
    log: Arc<PipelineLog>,
    projections: [SimulatedProjection; 2],
    foreign: SimulatedProjection,
    deployment: Deployment,
    readers: Arc<Readers>,
    deadlines: Arc<SimulatedDeadlines>,
    due: Arc<DueQueue>,
}

impl Parts {
    pub(super) fn new(seed: u64, plant: Plant) -> Self {
        let schedule = Schedule::of(seed);
        let scheduler = Scheduler::new(seed, schedule.fault_rates.deaths);
        let faults = Faults::new(&scheduler, schedule.fault_rates.failures);
        let observations = Arc::<Observations>::default();
        let all = || (scheduler.clone(), faults.clone(), observations.clone());
        let network = || Network { scheduler: scheduler.clone(), faults: faults.clone() };
        let changes = ChangeStream::new(&scheduler, schedule.stream, observations.clone());
        let changes = Arc::new(changes);
        let limits = LogLimits { page: schedule.page, commit_bytes: schedule.commit_bytes };
        let effects = Recorder::new(observations.clone(), changes.clone());
        let log =
            Arc::new(SimulatedLog::new(&scheduler, &faults, limits, effects).with_defects(plant));
        let queue = |_| Queue::new(&scheduler, observations.clone(), plant, schedule.queue);
        let queues = [0, 1, FOREIGN, PROCESS].map(queue).map(Arc::new);
        let bus = Arc::new(Bus::new(all(), plant, queues.clone(), &schedule));
        let deployment = Deployment::new(!schedule.old_code);
        let projected = |projection| SimulatedProjection {
            projection,
            table: Arc::new(SimulatedTable::new((network(), observations.clone(), plant), LAG)),
            generations: Arc::new(SimulatedGenerations::new((
                network(),
                observations.clone(),
                plant,
            ))),
            quarantine: Arc::new(SimulatedQuarantine::new(network(), observations.clone(), plant)),
            log: log.clone(),
            scheduler: scheduler.clone(),
            plant,
            deployment: deployment.clone(),
            operator_lock: OperatorLock::default(),
        };
        let projections = PROJECTIONS.map(&projected);
        let foreign = projected(POINTS);
        let readers = Readers::new(&scheduler, observations.clone(), schedule, &projections);
        Self {
            readers: Arc::new(readers),
            deadlines: Arc::new(SimulatedDeadlines::new(network(), observations.clone(), plant)),
            due: Arc::new(DueQueue::new(network(), observations.clone(), plant, schedule.queue)),
            processes: Processes::new(scheduler.clone()),
            tasks: Tasks::new(scheduler.clone()),
            schedule,
            plant,
            scheduler,
            faults,
            observations,
            changes,
            bus,
            queues,
            log,
            projections,
            foreign,
            deployment,
        }
    }

    pub(super) fn mappings(&self) -> Vec<Mapping> {
        let Self { scheduler, faults, observations, plant, changes, bus, processes, .. } = self;
        let mapping = |lane: &Arc<Lane>| Mapping {
            scheduler: scheduler.clone(),
            faults: faults.clone(),
            observations: observations.clone(),
            plant: *plant,
            changes: changes.clone(),
            lane: lane.clone(),
            function: RelayFunction::new(bus.clone(), scheduler, *plant, processes.clone()),
            pending: VecDeque::new(),
        };
        changes.lanes().iter().map(mapping).collect()
    }

    /// The projector functions, by the number of their queue.
    pub(super) fn projectors(&self) -> [ProjectorFunction; 3] {
        let [rows, tallies] = &self.projections;
        [rows, tallies, &self.foreign].map(|projection| ProjectorFunction {
            projection: projection.clone(),
            processes: self.processes.clone(),
            observations: self.observations.clone(),
        })
    }

    pub(super) fn process(&self) -> ProcessFunctions {
        ProcessFunctions {
            scheduler: self.scheduler.clone(),
            observations: self.observations.clone(),
            plant: self.plant,
            unused_timeout: self.schedule.unused_timeout(),
            processes: self.processes.clone(),
            log: self.log.clone(),
            deadlines: self.deadlines.clone(),
            due: self.due.clone(),
        }
    }

    pub(super) fn clients(&self) -> Clients {
        let all = (self.scheduler.clone(), self.faults.clone(), self.observations.clone());
        Clients {
            scheduler: self.scheduler.clone(),
            schedule: self.schedule,
            observations: self.observations.clone(),
            containers: Arc::new(Containers::new(all, self.processes.clone(), self.log.clone())),
            log: self.log.clone(),
            projections: self.projections.clone(),
            readers: self.readers.clone(),
        }
    }

    pub(super) fn operators(&self) -> Operators {
        Operators {
            scheduler: self.scheduler.clone(),
            faults: self.faults.clone(),
            observations: self.observations.clone(),
            schedule: self.schedule,
            plant: self.plant,
            tasks: self.tasks.clone(),
            processes: self.processes.clone(),
            log: self.log.clone(),
            bus: self.bus.clone(),
            projections: self.projections.clone(),
            foreign: self.foreign.clone(),
            deployment: self.deployment.clone(),
        }
    }

    pub(super) fn rebuilds(&self) -> Rebuilds {
        Rebuilds {
            scheduler: self.scheduler.clone(),
            observations: self.observations.clone(),
            schedule: self.schedule,
            plant: self.plant,
            tasks: self.tasks.clone(),
            processes: self.processes.clone(),
            projections: self.projections.clone(),
            readers: self.readers.clone(),
            deployment: self.deployment.clone(),
        }
    }

    pub(super) fn evidence(&self) -> Evidence {
        Evidence {
            schedule: self.schedule,
            observations: self.observations.clone(),
            tasks: self.tasks.clone(),
            log: self.log.clone(),
            changes: self.changes.clone(),
            bus: self.bus.clone(),
            queues: self.queues.clone(),
            projections: self.projections.clone(),
            foreign: self.foreign.clone(),
        }
    }

    pub(super) fn quiescence(&self) -> Quiescence {
        Quiescence {
            scheduler: self.scheduler.clone(),
            faults: self.faults.clone(),
            processes: self.processes.clone(),
            deadlines: self.deadlines.clone(),
            due: self.due.clone(),
            operators: self.operators(),
            rebuilds: self.rebuilds(),
            evidence: self.evidence(),
        }
    }
}
