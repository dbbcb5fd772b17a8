//! Reports of a context's own: they read its log and write text.

use std::{
    collections::VecDeque, error::Error, io::Write, marker::PhantomData, process::ExitCode,
    sync::Arc,
};

use async_trait::async_trait;
use clap::{ArgMatches, Args};
use ledgerfold::{
    Category, Event, Recorded, StreamId, TenantId, Version,
    ports::{EventReader, PageWalk, Segment, Streams},
};
use ledgerfold_dynamodb::DynamoStreams;

use super::walk::COMMITS_PER_PAGE;
use crate::{
    error::{CliError, FINDINGS},
    output::Output,
    stream_name::{Included, TenantChoice},
    target::Target,
};

/// A report over the log of a context, which is a command of its admin program. Its fields are the options of the command.
///
/// ```
/// # use std::io::Write;
/// use async_trait::async_trait;
/// use ledgerfold::Decider;
/// use ledgerfold_cli::{LogReport, Outcome, ReportError, ReportLog};
/// # use ledgerfold_testkit::bank::{AccountEvent, Accounts};
///
/// #[derive(clap::Args)]
/// struct SumOfDeposits {}
///
/// #[async_trait]
/// impl LogReport for SumOfDeposits {
///     const NAME: &'static str = "sum-of-deposits";
///     const ABOUT: &'static str = "Add up the deposits to all accounts";
///
///     async fn write(self, log: &ReportLog, out: &mut (dyn Write + Send)) -> Result<Outcome, ReportError> {
///         let mut sum = 0;
///         let mut accounts = log.streams_of(<Accounts>::CATEGORY);
///         while let Some(account) = accounts.next().await? {
///             let mut events = log.events_of::<AccountEvent>(&account);
///             while let Some(event) = events.next().await? {
///                 if let AccountEvent::Deposited(deposited) = event.event {
///                     sum += deposited.amount;
///                 }
///             }
///         }
///         writeln!(out, "{sum}")?;
///         Ok(Outcome::Fine)
///     }
/// }
///
/// # fn of(context: ledgerfold::context::Context) -> std::process::ExitCode {
/// ledgerfold_cli::Admin::new(context).reporting::<SumOfDeposits>().main()
/// # }
/// ```
#[async_trait]
pub trait LogReport: Args + Send + 'static {
    /// The name of the command.
    const NAME: &'static str;
    /// The help of the command, in one sentence without a full stop.
    const ABOUT: &'static str;

    /// Reads the log and writes the report.
    ///
    /// # Errors
    /// Those of the log and of the output, or one of the report's own.
    async fn write(
        self,
        log: &ReportLog,
        out: &mut (dyn Write + Send),
    ) -> Result<Outcome, ReportError>;
}

/// The reason why a report could not be written.
pub type ReportError = Box<dyn Error + Send + Sync>;

/// The result of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The program ends with exit code 0.
    Fine,
    /// The report has found a fault: the program ends with exit code 3.
    Faults,
}

/// The log of a context, for a report.
pub struct ReportLog {
    log: Arc<dyn EventReader>,
    index: Arc<dyn Streams>,
    tenant: TenantChoice,
}

impl ReportLog {
    async fn of(target: &Target) -> Result<Self, CliError> {
        let index = DynamoStreams::new(target.connection.dynamodb().await, target.event_table()?);
        let index = index.in_pages_of(COMMITS_PER_PAGE);
        let tenant = target.tenant.clone();
        let index = Arc::new(Included { index, tenant: tenant.clone() });
        Ok(Self { log: Arc::new(target.log().await?), index, tenant })
    }

    /// The tenant of `--tenant`, or the default one, for a report about one tenant.
    pub fn tenant(&self) -> TenantId {
        self.tenant.or_default()
    }

    /// The streams of a category, in no particular order: those of the tenant of `--tenant`, or of all tenants. Each walk
    /// reads the list of all streams once.
    pub fn streams_of(&self, category: Category) -> StreamWalk<'_> {
        StreamWalk {
            index: &*self.index,
            category,
            walk: PageWalk::start(),
            found: VecDeque::new(),
        }
    }

    /// The events of a stream in their types of today, oldest first.
    pub fn events_of<E: Event>(&self, stream: &StreamId) -> EventWalk<'_, E> {
        EventWalk {
            log: &*self.log,
            stream: stream.clone(),
            after: Some(Version::NONE),
            found: VecDeque::new(),
            events: PhantomData,
        }
    }
}

/// A walk over streams, page by page.
pub struct StreamWalk<'a> {
    index: &'a dyn Streams,
    category: Category,
    walk: PageWalk,
    found: VecDeque<StreamId>,
}

impl StreamWalk<'_> {
    /// The next stream, until there is none.
    ///
    /// # Errors
    /// Those of the list of streams.
    pub async fn next(&mut self) -> Result<Option<StreamId>, ReportError> {
        loop {
            if let Some(stream) = self.found.pop_front() {
                return Ok(Some(stream));
            }
            let Some(from) = self.walk.next_place() else { return Ok(None) };
            let page = self.walk.turn(self.index.list(Segment::WHOLE, from.as_ref()).await?);
            let of_category = |stream: &StreamId| *stream.category() == self.category;
            self.found = page.into_iter().filter(of_category).collect();
        }
    }
}

/// A walk over the events of a stream, page by page.
pub struct EventWalk<'a, E> {
    log: &'a dyn EventReader,
    stream: StreamId,
    /// The last version that was read; `None` behind the last page.
    after: Option<Version>,
    found: VecDeque<Recorded<E>>,
    events: PhantomData<fn() -> E>,
}

impl<E: Event> EventWalk<'_, E> {
    /// The next event, until there is none.
    ///
    /// # Errors
    /// Those of the log, and of an event that cannot be read.
    pub async fn next(&mut self) -> Result<Option<Recorded<E>>, ReportError> {
        loop {
            if let Some(event) = self.found.pop_front() {
                return Ok(Some(event));
            }
            let Some(after) = self.after else { return Ok(None) };
            let page = self.log.read(&self.stream, after).await?;
            for envelope in page.commits.iter().flat_map(|commit| commit.envelopes()) {
                let opened = envelope.open::<E>();
                let version = envelope.version;
                let named = |error| format!("version {version} of {}: {error}", self.stream);
                self.found.extend(opened.map_err(named)?);
            }
            self.after = page.commits.last().filter(|_| page.more).map(|last| last.to());
        }
    }
}

/// A report without its type.
#[async_trait]
trait AnyReport: Send {
    async fn write(
        self: Box<Self>,
        log: &ReportLog,
        out: &mut (dyn Write + Send),
    ) -> Result<Outcome, ReportError>;
}

#[async_trait]
impl<R: LogReport> AnyReport for R {
    async fn write(
        self: Box<Self>,
        log: &ReportLog,
        out: &mut (dyn Write + Send),
    ) -> Result<Outcome, ReportError> {
        LogReport::write(*self, log, out).await
    }
}

/// A report that a context declares.
pub(super) struct DeclaredReport {
    name: &'static str,
    command: fn() -> clap::Command,
    parse: fn(&ArgMatches) -> Result<Box<dyn AnyReport>, clap::Error>,
}

/// A report with its options.
pub(super) struct Chosen(Box<dyn AnyReport>);

impl DeclaredReport {
    pub(super) fn of<R: LogReport>() -> Self {
        Self {
            name: R::NAME,
            command: || R::augment_args(clap::Command::new(R::NAME)).about(R::ABOUT),
            parse: |matches| Ok(Box::new(R::from_arg_matches(matches)?)),
        }
    }

    /// Its command.
    pub(super) fn command(&self) -> clap::Command {
        (self.command)()
    }

    /// The report, if the arguments name it.
    pub(super) fn chosen(&self, matches: &ArgMatches) -> Result<Option<Chosen>, clap::Error> {
        match matches.subcommand() {
            Some((name, options)) if name == self.name => {
                (self.parse)(options).map(Chosen).map(Some)
            }
            _ => Ok(None),
        }
    }
}

impl Chosen {
    /// Writes the report to standard output.
    pub(super) async fn run(
        self,
        target: &Target,
        output: &mut Output,
    ) -> Result<ExitCode, CliError> {
        let log = ReportLog::of(target).await?;
        let written = self.0.write(&log, output.writer()).await;
        match written.map_err(CliError::Report)? {
            Outcome::Fine => Ok(ExitCode::SUCCESS),
            Outcome::Faults => Ok(ExitCode::from(FINDINGS)),
        }
    }
}
