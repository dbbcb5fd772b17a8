//! A projection with its tables and its quarantine, and the product's handlers that are made of them. The processes
//! that run the handlers belong to the actors.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ledgerfold::{
    generations::RecordReader,
    ports::{EventReader, EventStore, GenerationStore},
    project::{Catalog, Models, Projector, ProjectorPorts, UnknownModel, Verifiable},
    rebuild::Rebuilder,
    vocabulary::Generations,
};

use crate::{
    domain::{
        accounts::POINTS,
        old_code::{Code, Deployment},
    },
    infrastructure::{
        defects::{EmptyLog, WithoutBuilding},
        generations::SimulatedGenerations,
        pipeline_log::PipelineLog,
        quarantine::SimulatedQuarantine,
        read_table::SimulatedTable,
    },
    network::scheduler::Scheduler,
    plan::plant::Plant,
};
use ledgerfold_testkit::Amended;

/// The longest run of the query function.
pub(crate) const LONGEST_READ: Duration = Duration::from_secs(8);

/// A projection. Clones share all of its state.
#[derive(Clone)]
pub(crate) struct SimulatedProjection {
    /// Its name, also in the record of generations.
    pub(crate) projection: &'static str,
    /// Rows and counters of all generations. Projectors, repairs and rebuilds write to it.
    pub(crate) table: Arc<SimulatedTable>,
    /// The record of generations. Rebuilds write to it, and projectors repair its copies.
    pub(crate) generations: Arc<SimulatedGenerations>,
    /// The parked streams. Only projectors write to it.
    pub(crate) quarantine: Arc<SimulatedQuarantine>,
    /// The log that its projectors read.
    pub(crate) log: Arc<PipelineLog>,
    pub(crate) scheduler: Scheduler,
    pub(crate) plant: Plant,
    /// Decides the code of each new function. Only operators and the end of the schedule change it.
    pub(crate) deployment: Deployment,
    /// Held by a repair or a rebuild, because these take turns.
    pub(crate) operator_lock: OperatorLock,
}

/// A lock that one operator holds at a time. Atomic, because an operator that finds it taken does not wait.
#[derive(Clone, Default)]
pub(crate) struct OperatorLock(Arc<AtomicBool>);

/// Holds the lock until it is dropped.
pub(crate) struct OperatorGuard(OperatorLock);

impl OperatorLock {
    /// Takes the lock, if it is free.
    pub(crate) fn take(&self) -> Option<OperatorGuard> {
        (!self.0.swap(true, Ordering::SeqCst)).then(|| OperatorGuard(self.clone()))
    }
}

impl Drop for OperatorGuard {
    fn drop(&mut self) {
        let Self(OperatorLock(taken)) = self;
        taken.store(false, Ordering::SeqCst);
    }
}

impl SimulatedProjection {
    /// The present record of generations.
    pub(crate) fn record(&self) -> Generations {
        self.generations.record(self.projection)
    }

    /// A reader of the record of generations, through its copies.
    pub(crate) fn record_reader(&self) -> RecordReader {
        let (_, random) = self.scheduler.clock_and_random();
        RecordReader::new(self.generations.clone(), random)
    }

    /// Whether no transaction runs and no stream is parked.
    pub(crate) fn is_idle(&self) -> bool {
        self.quarantine.is_empty() && self.table.is_idle()
    }

    fn models(&self, catalog: &Catalog) -> Models {
        let models = catalog.models(self.projection, self.table.clone());
        models.expect("the catalog has all projections of the simulation")
    }

    /// The model of the live generation.
    pub(crate) fn live(&self) -> Result<Arc<dyn Verifiable>, UnknownModel> {
        self.models(&Code::Fixed.catalog()).open(self.record().live())
    }

    /// The log, as the model reads it.
    pub(crate) fn reader(&self) -> Arc<dyn EventReader> {
        self.models(&Code::Fixed.catalog()).reader(self.log.clone())
    }

    fn ports(&self) -> ProjectorPorts {
        let (clock, random) = self.scheduler.clock_and_random();
        let log: Arc<dyn EventStore> = match self.plant {
            Plant::GapsIgnored => Amended::of(self.log.clone(), EmptyLog),
            Plant::ForeignGapsIgnored if self.projection == POINTS => {
                Amended::of(self.log.clone(), EmptyLog)
            }
            _ => self.log.clone(),
        };
        ProjectorPorts { log, skips: self.quarantine.clone(), clock, random }
    }

    /// The projector function that starts now.
    pub(crate) fn projector(&self) -> Projector {
        let generations: Arc<dyn GenerationStore> = match self.plant {
            Plant::BuildingNotKept => Arc::new(WithoutBuilding(self.generations.clone())),
            _ => self.generations.clone(),
        };
        let code = self.deployment.draw(&self.scheduler);
        let models = self.models(&code.catalog());
        let projector = Projector::of_generations(models, generations, self.ports());
        projector.with_quarantine(self.quarantine.clone())
    }

    /// The rebuilder.
    pub(crate) fn rebuilder(&self, code: Code) -> Rebuilder {
        let models = self.models(&code.catalog());
        let generations = self.generations.clone();
        Rebuilder::new(models, generations, self.log.clone(), self.ports())
            .with_longest_read(LONGEST_READ)
    }
}
