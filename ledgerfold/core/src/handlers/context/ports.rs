//! The ports of a context's services.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Context, DeclaredProjection, Undeclared};
use crate::{
    Decider, StreamId, Version,
    command::{CommandHandler, JointDecider, JointHandler},
    generations::RecordReader,
    ports::{
        Clock, CommitPage, EventReader, EventStore, Listing, PortError, Random, ReadStoreError,
        ReadView, RowReader, Skips, Span, StoreError, StoredRow, TallyReader,
    },
    project::{Projection, Tally, foreign_log},
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
    fn generations(&self) -> RecordReader;

    /// The events that are skipped for a projection.
    fn skips(&self, projection: &'static str) -> Arc<dyn Skips>;

    /// The log of another context, whose events a projection reads. By default there are no such logs, and every read
    /// fails.
    fn log_of(&self, context: &'static str) -> Arc<dyn EventReader> {
        Arc::new(MissingLog(context))
    }
}

/// The log of a context that the program does not know. Every read fails.
#[derive(Clone, Copy, Debug)]
pub struct MissingLog(pub &'static str);

impl MissingLog {
    fn refused<T>(self) -> Result<T, StoreError> {
        let reason = format!("the program has no log of {}: give it the event table", self.0);
        Err(PortError::Refused(reason.into()).into())
    }
}

#[async_trait]
impl EventReader for MissingLog {
    async fn read(&self, _: &StreamId, _: Version) -> Result<CommitPage, StoreError> {
        self.refused()
    }

    async fn read_back(&self, _: &StreamId, _: Span, _: usize) -> Result<CommitPage, StoreError> {
        self.refused()
    }
}

/// A projection's live generation, with the events that are skipped for the projection.
pub struct Readable<T: ?Sized> {
    /// The rows or counters.
    pub table: Arc<T>,
    /// The skipped events.
    pub skips: Arc<dyn Skips>,
    /// The log of the projection's events, for events that the generation lacks. It is the log of another context if the
    /// projection reads that context's events.
    pub log: Arc<dyn EventReader>,
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

    /// The log of the context's own streams.
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
        let table: Arc<dyn RowReader> = match projection.index() {
            Some(_) => Arc::new(live),
            None => Arc::new(Unlisted { projection: projection.name(), rows: live }),
        };
        Ok(self.readable(projection, table))
    }

    /// The counters of this model's projection.
    ///
    /// # Errors
    /// [`Undeclared`] if the context does not have the model.
    pub fn tallies<T: Tally>(&self) -> Result<Readable<dyn TallyReader>, Undeclared> {
        let projection = self.context.projection_of::<T>()?;
        let view = self.tables.view(projection.name(), projection.index());
        let live = LiveTallies::new::<T>(projection.name(), view, self.tables.generations());
        Ok(self.readable(projection, Arc::new(live)))
    }

    fn readable<T: ?Sized>(&self, projection: &DeclaredProjection, table: Arc<T>) -> Readable<T> {
        let log = match projection.foreign() {
            Some(source) => foreign_log(self.tables.log_of(source.context()), source.clone()),
            None => self.log.clone(),
        };
        Readable { table, skips: self.tables.skips(projection.name()), log }
    }
}

/// The rows of a projection without an index. On AWS its table cannot be listed, so it cannot be listed anywhere.
struct Unlisted<R> {
    projection: &'static str,
    rows: R,
}

#[async_trait]
impl<R: RowReader> RowReader for Unlisted<R> {
    async fn get(&self, stream: &StreamId) -> Result<Option<StoredRow>, ReadStoreError> {
        self.rows.get(stream).await
    }

    async fn list(&self, _: &Listing) -> Result<Vec<StoredRow>, ReadStoreError> {
        let projection = self.projection;
        let reason = format!(
            "the projection {projection} has no index: declare one with .listed_by(…) behind .rows::<…>({projection:?})"
        );
        Err(ReadStoreError::Port(PortError::Refused(reason.into())))
    }
}
