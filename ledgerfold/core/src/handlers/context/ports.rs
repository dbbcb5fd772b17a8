//! The ports of a context's services.

use std::sync::Arc;

use async_trait::async_trait;

use super::{
    Context, DeclaredProjection, Undeclared,
    missing::{MissingKeyring, MissingLog},
};
use crate::{
    Decider, StreamId,
    command::{CommandHandler, JointDecider, JointHandler, StreamReader},
    erasure::Terms,
    generations::RecordReader,
    ports::{
        CertificateSigner, Clock, ErasureReader, EventReader, EventStore, KeyEraser, KeyReader,
        Keyring, Listing, PartReader, PortError, Random, ReadStoreError, ReadView, RowReader,
        Skips, StoredRow, TallyReader,
    },
    project::{Parted, Projection, Tally, selected_log},
    query::{LiveParts, LiveRows, LiveTallies},
    vocabulary::{ConsistencyToken, Selection},
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
    /// The keys of a context that seals. For any other context every call fails.
    pub keyring: Arc<dyn Keyring>,
    /// The erasures of a context that erases. For any other context every call fails.
    pub eraser: Arc<dyn KeyEraser>,
}

impl CommandPorts {
    /// The ports of a context that does not seal.
    pub fn new(log: Arc<dyn EventStore>, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        let keyring = Arc::new(MissingKeyring);
        Self { log, clock, random, eraser: keyring.clone(), keyring }
    }

    /// The ports of a context that erases.
    #[must_use]
    pub fn with_eraser(self, eraser: Arc<dyn KeyEraser>) -> Self {
        Self { eraser, ..self }
    }

    /// The ports of a context that seals with these keys.
    #[must_use]
    pub fn with_keyring(self, keyring: Arc<dyn Keyring>) -> Self {
        Self { keyring, ..self }
    }

    /// A handler of one domain's commands, with a cache of its own.
    pub fn handler<D: Decider>(&self) -> CommandHandler<D> {
        CommandHandler::new(self.log.clone(), self.clock.clone(), self.random.clone())
    }

    /// A reader of the current states of streams.
    pub fn stream_reader(&self) -> StreamReader {
        StreamReader::new(self.log.clone())
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

/// A projection's live generation, with the events that are skipped for the projection.
pub struct Readable<T: ?Sized> {
    /// The rows, counters or parts.
    pub table: Arc<T>,
    /// The skipped events.
    pub skips: Arc<dyn Skips>,
    /// The log of the projection's events, for events that the generation lacks. It is the log of another context if the
    /// projection reads that context's events.
    pub log: Arc<dyn EventReader>,
    /// The streams that the projection reads. A token of any other stream changes nothing in its answers.
    pub selection: Selection,
}

impl<T: ?Sized> Readable<T> {
    /// The token, if it is of a stream that the projection reads.
    pub fn relevant<'a>(
        &self,
        token: Option<&'a ConsistencyToken>,
    ) -> Option<&'a ConsistencyToken> {
        token.filter(|token| self.selection.has(&token.stream))
    }
}

/// The ports of a service that answers queries.
pub struct QueryPorts<'a> {
    context: &'a Context,
    log: Arc<dyn EventReader>,
    tables: &'a dyn ReadPorts,
    keys: Arc<dyn KeyReader>,
    certificates: Option<CertificatePorts>,
    recording: Option<CommandPorts>,
}

/// The ports behind certificates of erasures.
#[derive(Clone)]
pub struct CertificatePorts {
    /// The marks.
    pub states: Arc<dyn ErasureReader>,
    /// The signer.
    pub signer: Arc<dyn CertificateSigner>,
    /// How long keys outlive their erasure.
    pub terms: Terms,
}

impl<'a> QueryPorts<'a> {
    /// The ports of this context's queries. Without [`with_keys`](Self::with_keys) no query can open a sealed field.
    pub fn new(context: &'a Context, log: Arc<dyn EventReader>, tables: &'a dyn ReadPorts) -> Self {
        let keys = Arc::new(MissingKeyring);
        Self { context, log, tables, keys, certificates: None, recording: None }
    }

    /// The queries of a context that erases make certificates.
    #[must_use]
    pub fn with_certificates(self, certificates: CertificatePorts) -> Self {
        Self { certificates: Some(certificates), ..self }
    }

    /// The queries of a context that records reads append to its log.
    #[must_use]
    pub fn with_recording(self, recording: CommandPorts) -> Self {
        Self { recording: Some(recording), ..self }
    }

    /// The ports behind certificates.
    ///
    /// # Errors
    /// [`Undeclared`] if the context does not erase.
    pub fn certificates(&self) -> Result<CertificatePorts, Undeclared> {
        self.certificates.clone().ok_or_else(|| self.undeclared("an erasure: .erasing::<…>()"))
    }

    /// The handler of the domain that records reads.
    ///
    /// # Errors
    /// [`Undeclared`] if the context does not record reads.
    pub fn recorder<D: Decider>(&self) -> Result<CommandHandler<D>, Undeclared> {
        let ports = self.recording.as_ref();
        let missing = || self.undeclared("a record of reads: .records_reads_in::<…>()");
        ports.map(CommandPorts::handler::<D>).ok_or_else(missing)
    }

    fn undeclared(&self, what: &'static str) -> Undeclared {
        Undeclared { context: self.context.name(), model: what }
    }

    /// The name of the context.
    pub const fn context_name(&self) -> &'static str {
        self.context.name()
    }

    /// The queries of a context that seals open its fields with these keys.
    #[must_use]
    pub fn with_keys(self, keys: Arc<dyn KeyReader>) -> Self {
        Self { keys, ..self }
    }

    /// The keys that open sealed fields. In a context that does not seal every call fails.
    pub fn keys(&self) -> Arc<dyn KeyReader> {
        self.keys.clone()
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

    /// The parts of this model's projection.
    ///
    /// # Errors
    /// [`Undeclared`] if the context does not have the model.
    pub fn parts<P: Parted>(&self) -> Result<Readable<dyn PartReader>, Undeclared> {
        let projection = self.context.projection_of::<P>()?;
        let view = self.tables.view(projection.name(), projection.index());
        let live = LiveParts::new::<P>(projection.name(), view, self.tables.generations());
        Ok(self.readable(projection, Arc::new(live)))
    }

    fn readable<T: ?Sized>(&self, projection: &DeclaredProjection, table: Arc<T>) -> Readable<T> {
        let log = match projection.foreign() {
            Some(source) => self.tables.log_of(source.context()),
            None => self.log.clone(),
        };
        let log = selected_log(log, projection.selection().clone());
        let skips = self.tables.skips(projection.name());
        Readable { table, skips, log, selection: projection.selection().clone() }
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
