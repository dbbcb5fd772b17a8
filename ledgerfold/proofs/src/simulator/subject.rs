//! A projection with all that belongs to it, and the handlers that are made of that.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use ledgerfold::{
    ports::{EventStore, GenerationStore},
    project::{Catalog, Models, Projector, ProjectorPorts, UnknownModel, Verifiable},
    rebuild::Rebuilder,
    vocabulary::Generations,
};

use super::{
    Plant,
    defects::{Blinkered, Deaf},
    generations::SimulatedGenerations,
    old_code::Code,
    quarantine::SimulatedQuarantine,
    read_table::SimulatedTable,
    readers::LONGEST_READ,
    world::World,
};
use ledgerfold_testkit::Amended;

/// The projections, by the number of their queue: one of rows, and one of counters.
pub(super) const PROJECTIONS: [&str; 2] = [STATEMENTS, TOTALS];
pub(super) const STATEMENTS: &str = "statements";
pub(super) const TOTALS: &str = "totals";

/// One of them.
#[derive(Clone)]
pub(super) struct Subject {
    pub(super) projection: &'static str,
    pub(super) table: Arc<SimulatedTable>,
    pub(super) generations: Arc<SimulatedGenerations>,
    pub(super) quarantine: Arc<SimulatedQuarantine>,
    /// Whether somebody rebuilds or repairs it now: nobody does both at the same time.
    pub(super) desk: Desk,
}

/// Where one operator at a time sits.
#[derive(Clone, Default)]
pub(super) struct Desk(Arc<AtomicBool>);

/// A seat at a desk, until it is dropped.
pub(super) struct Seat(Desk);

impl Desk {
    /// Takes the seat, if it is free.
    pub(super) fn take(&self) -> Option<Seat> {
        (!self.0.swap(true, Ordering::SeqCst)).then(|| Seat(self.clone()))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Self(Desk(taken)) = self;
        taken.store(false, Ordering::SeqCst);
    }
}

impl Subject {
    /// Which generations there are, as it is recorded.
    pub(super) fn record(&self) -> Generations {
        self.generations.record(self.projection)
    }

    /// Whether nothing of it is under way or stands parked.
    pub(super) fn rests(&self) -> bool {
        self.quarantine.is_empty() && self.table.rests()
    }

    fn models(&self, catalog: &Catalog) -> Models {
        let models = catalog.models(self.projection, self.table.clone());
        models.expect("the catalog has all projections of the simulation")
    }

    /// The model of what readers see now.
    pub(super) fn live(&self) -> Result<Arc<dyn Verifiable>, UnknownModel> {
        self.models(&Code::Mended.catalog()).open(self.record().live())
    }

    fn ports(&self, world: &World) -> ProjectorPorts {
        let (clock, random) = world.time_and_chance();
        let log: Arc<dyn EventStore> = match world.plant {
            Plant::GapsIgnored => Amended::of(world.log.clone(), Deaf),
            _ => world.log.clone(),
        };
        ProjectorPorts { log, skips: self.quarantine.clone(), clock, random }
    }

    /// The projector function that starts now.
    pub(super) fn projector(&self, world: &World) -> Projector {
        let generations: Arc<dyn GenerationStore> = match world.plant {
            Plant::BuildingNotKept => Arc::new(Blinkered(self.generations.clone())),
            _ => self.generations.clone(),
        };
        let code = world.deployment.draw(&world.clockwork);
        let models = self.models(&code.catalog());
        let projector = Projector::of_generations(models, generations, self.ports(world));
        projector.with_quarantine(self.quarantine.clone())
    }

    /// What rebuilds it.
    pub(super) fn rebuilder(&self, world: &World, code: Code) -> Rebuilder {
        let models = self.models(&code.catalog());
        let generations = self.generations.clone();
        Rebuilder::new(models, generations, world.log.clone(), self.ports(world))
            .with_longest_read(LONGEST_READ)
    }
}
