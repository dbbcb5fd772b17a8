//! The ports of a context's services.

use std::sync::Arc;

use super::{Context, Undeclared};
use crate::{
    Decider,
    command::{CommandHandler, JointDecider, JointHandler},
    ports::{
        Clock, EventReader, EventStore, GenerationReader, Random, ReadView, RowReader, Skips,
        TallyReader,
    },
    project::{Projection, Tally},
    query::{LiveRows, LiveTallies},
};

/// The ports of a service that handles commands.
#[derive(Clone)]
pub struct CommandPorts {
    /// The log.
    pub log: Arc<dyn EventStore>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The randomness of ids and of jitter.
    pub random: Arc<dyn Random>,
}

impl CommandPorts {
    /// A handler of one domain's commands, with a cache of its own.
    pub fn handler<D: Decider>(&self) -> CommandHandler<D> {
        CommandHandler::new(self.log.clone(), self.clock.clone(), self.random.clone())
    }

    /// A handler of joint commands.
    pub fn joint_handler<J: JointDecider>(&self) -> JointHandler<J> {
        JointHandler::new(self.log.clone(), self.clock.clone(), self.random.clone())
    }
}

/// The tables behind the read models, for a service that only reads them.
pub trait ReadPorts: Send + Sync {
    /// The read table of a projection. Its rows are listed by this index, if there is one.
    fn view(&self, projection: &'static str, index: Option<&'static str>) -> Arc<dyn ReadView>;

    /// The records of generations.
    fn generations(&self) -> Arc<dyn GenerationReader>;

    /// The events that are skipped for a projection.
    fn skips(&self, projection: &'static str) -> Arc<dyn Skips>;
}

/// A projection's live generation, with the events that are skipped for the projection.
pub struct Readable<T: ?Sized> {
    /// The rows or counters.
    pub table: Arc<T>,
    /// The skipped events.
    pub skips: Arc<dyn Skips>,
}

/// The ports of a service that answers queries.
pub struct QueryPorts<'a> {
    context: &'a Context,
    log: Arc<dyn EventReader>,
    tables: &'a dyn ReadPorts,
}

impl<'a> QueryPorts<'a> {
    /// The ports of this context's queries.
    pub const fn new(
        context: &'a Context,
        log: Arc<dyn EventReader>,
        tables: &'a dyn ReadPorts,
    ) -> Self {
        Self { context, log, tables }
    }

    /// The log.
    pub fn log(&self) -> Arc<dyn EventReader> {
        self.log.clone()
    }

    /// The rows of this model's projection.
    ///
    /// # Errors
    /// [`Undeclared`] if the context does not have the model.
    pub fn rows<P: Projection>(&self) -> Result<Readable<dyn RowReader>, Undeclared> {
        let projection = self.context.projection_of::<P>()?;
        let view = self.tables.view(projection.name(), projection.index());
        let live = LiveRows::new::<P>(projection.name(), view, self.tables.generations());
        Ok(Readable { table: Arc::new(live), skips: self.tables.skips(projection.name()) })
    }

    /// The counters of this model's projection.
    ///
    /// # Errors
    /// [`Undeclared`] if the context does not have the model.
    pub fn tallies<T: Tally>(&self) -> Result<Readable<dyn TallyReader>, Undeclared> {
        let projection = self.context.projection_of::<T>()?;
        let view = self.tables.view(projection.name(), projection.index());
        let live = LiveTallies::new::<T>(projection.name(), view, self.tables.generations());
        Ok(Readable { table: Arc::new(live), skips: self.tables.skips(projection.name()) })
    }
}
