use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ledgerfold::{
    context::{CommandPorts, Context, MissingLog, ReadPorts},
    generations::RecordReader,
    ports::{EventReader, ReadView, Skips},
    project::{Projector, ProjectorPorts, UnknownProjection},
};

use super::{MemoryGenerationStore, MemoryQuarantine, MemoryReadTable, SeededRandom};

/// Determines which copy of a record each reader reads. Every copy has the same answer.
const SEED: u64 = 1;

/// The read side of a context in memory: the read tables, generations and quarantines of all projections.
///
/// The tables are in a mutex, because the first use of a projection adds its own.
#[derive(Default)]
pub struct MemoryReadSide {
    generations: Arc<MemoryGenerationStore>,
    projections: Mutex<BTreeMap<String, Tables>>,
    /// The logs of other contexts, by name.
    logs: BTreeMap<&'static str, Arc<dyn EventReader>>,
}

impl fmt::Debug for MemoryReadSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let projections = self.lock();
        let logs: Vec<_> = self.logs.keys().collect();
        f.debug_struct("MemoryReadSide")
            .field("projections", &projections)
            .field("logs", &logs)
            .finish_non_exhaustive()
    }
}

/// The tables of one projection.
#[derive(Clone, Debug, Default)]
struct Tables {
    read_table: Arc<MemoryReadTable>,
    quarantine: Arc<MemoryQuarantine>,
}

impl MemoryReadSide {
    /// Adds the log of another context, for the projections that read its events.
    #[must_use]
    pub fn with_log_of(mut self, context: &'static str, log: Arc<dyn EventReader>) -> Self {
        self.logs.insert(context, log);
        self
    }

    /// The generations of all projections.
    pub fn generation_store(&self) -> Arc<MemoryGenerationStore> {
        self.generations.clone()
    }

    /// The read table of a projection.
    pub fn read_table(&self, projection: &str) -> Arc<MemoryReadTable> {
        self.tables(projection).read_table
    }

    /// The quarantine and the skips of a projection.
    pub fn quarantine(&self, projection: &str) -> Arc<MemoryQuarantine> {
        self.tables(projection).quarantine
    }

    /// The projector of one of the context's projections, with the log, clock and randomness of these ports. If it reads
    /// another context's events, its log is the one of [`with_log_of`](Self::with_log_of).
    ///
    /// # Errors
    /// [`UnknownProjection`].
    pub fn projector(
        &self,
        context: &Context,
        projection: &str,
        ports: &CommandPorts,
    ) -> Result<Projector, UnknownProjection> {
        let Tables { read_table, quarantine } = self.tables(projection);
        let models = context.catalog().models(projection, read_table)?;
        let CommandPorts { log, clock, random, .. } = ports.clone();
        let log = match models.source() {
            Some(source) => self.log_of(source.context()),
            None => log,
        };
        let ports = ProjectorPorts { log, skips: quarantine.clone(), clock, random };
        let projector = Projector::of_generations(models, self.generations.clone(), ports);
        Ok(projector.with_quarantine(quarantine))
    }

    fn tables(&self, projection: &str) -> Tables {
        self.lock().entry(projection.to_owned()).or_default().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Tables>> {
        self.projections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReadPorts for MemoryReadSide {
    fn view(&self, projection: &'static str, _index: Option<&'static str>) -> Arc<dyn ReadView> {
        self.read_table(projection)
    }

    fn generations(&self) -> RecordReader {
        RecordReader::new(self.generations.clone(), Arc::new(SeededRandom::new(SEED)))
    }

    fn skips(&self, projection: &'static str) -> Arc<dyn Skips> {
        self.quarantine(projection)
    }

    fn log_of(&self, context: &'static str) -> Arc<dyn EventReader> {
        match self.logs.get(context) {
            Some(log) => log.clone(),
            None => Arc::new(MissingLog(context)),
        }
    }
}
