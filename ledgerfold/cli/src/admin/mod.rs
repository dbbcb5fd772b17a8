//! The commands that need the read models and domains of a context: `audit`, `repair`, `rebuild`, `claims`
//! and `generations`, for a team's own binary.

mod audit;
mod bus;
mod claims;
mod deadlines;
mod export;
mod generate;
mod generations;
mod progress_bars;
mod rebuild;
mod repair;
mod reports;
mod snapshots;
#[cfg(test)]
mod tests;
mod walk;

use std::{ffi::OsString, fmt::Display, path::PathBuf, process::ExitCode, sync::Arc};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use ledgerfold::{
    Category, StreamId,
    context::Context as Declaration,
    ports::{EventReader, GenerationStore, Quarantine, Skips},
    project::{Models, ProjectorPorts, Verifiable},
    rebuild::Rebuilder,
    vocabulary::{Generations, Source},
};
use ledgerfold_dynamodb::{
    DynamoEventStore, DynamoGenerationStore, DynamoQuarantine, DynamoReadTable, DynamoSkips,
    DynamoStreams,
};

use self::{
    generate::Document,
    reports::{Chosen, DeclaredReport},
};
use crate::{
    completions::{self, Completions},
    error::{CliError, EXIT_CODES, exit, usage},
    output::Output,
    stream_name::Included,
    target::{Target, TargetOptions},
};
use ledgerfold_aws::{SystemClock, SystemRandom};
use ledgerfold_infra::Changes;

pub use reports::{EventWalk, LogReport, Outcome, ReportError, ReportLog, StreamWalk};

/// The command line of a context's admin program, which is called `<context>-admin`: `audit`, `repair`, `rebuild`,
/// `claims`, `generate` and others.
///
/// ```no_run
/// # use ledgerfold::context::Context;
/// # fn of(context: Context) -> std::process::ExitCode {
/// ledgerfold_cli::Admin::new(context).main()
/// # }
/// ```
pub struct Admin {
    name: String,
    declaration: Declaration,
    changes: Changes,
    document: Option<Document>,
    reports: Vec<DeclaredReport>,
}

/// A projection with its read table. Its stores are shared with the rebuilders and repairers that it creates.
struct Subject {
    models: Models,
    generations: Arc<dyn GenerationStore>,
    skips: Arc<dyn Skips>,
    quarantine: Arc<dyn Quarantine>,
}

/// The live read model of a projection.
struct Model {
    projection: &'static str,
    models: Models,
    model: Arc<dyn Verifiable>,
    generations: Arc<dyn GenerationStore>,
    /// The record of generations that named this model as live.
    record: Generations,
    skips: Arc<dyn Skips>,
    quarantine: Arc<dyn Quarantine>,
}

/// Everything a command works on.
struct Context {
    target: Target,
    log: Arc<DynamoEventStore>,
    index: DynamoStreams,
    declaration: Declaration,
    subjects: Vec<Subject>,
    /// The other context whose events all subjects read, if any. The log and the index are then those of that context.
    source: Option<Source>,
}

/// Compares the read models of a context with the log, repairs them and rebuilds them
#[derive(Debug, Parser)]
#[command(disable_help_subcommand = true, after_help = EXIT_CODES)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    target: TargetOptions,
}

/// The arguments of the program.
enum Line {
    Known(CommandLine),
    /// A report of the context's own.
    Own(Chosen, TargetOptions),
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    OnContext(OnContext),
    /// Build or show the reservations of unique keys
    #[command(subcommand)]
    Claims(claims::Claims),
    /// Export events as Parquet files, wait for windows, verify files, or list them
    #[command(subcommand)]
    Export(export::Export),
    /// Write the templates of the context and of the platform, and the OpenAPI document
    Generate(generate::Options),
    /// Write completions for a shell
    Completions(Completions),
}

/// The commands that need the read models and their tables.
#[derive(Debug, Subcommand)]
enum OnContext {
    /// Compare the read models with the log and report differences
    Audit(audit::Options),
    /// Write the events that read models are missing, from the log
    Repair(repair::Options),
    /// Rebuild read models from the log while they are read and written, then switch readers over
    Rebuild(rebuild::Options),
    /// Switch readers back to the previous generation, once it is up to date. Soon after a switch, this
    /// waits for running reads to end
    RollBack(rebuild::RollBackOptions),
    /// Show the generations of projections
    Generations(generations::ShowOptions),
    /// Give up the previous generation and remove its rows. Soon after a switch, this waits for running
    /// reads to end
    RemoveOld(generations::RemoveOptions),
    /// Give up the generation under construction and remove its rows
    Abandon(generations::RemoveOptions),
}

impl Admin {
    /// The command line of a context.
    pub fn new(context: Declaration) -> Self {
        let name = format!("{}-admin", context.name());
        Self {
            name,
            declaration: context,
            changes: Changes::none(),
            document: None,
            reports: Vec::new(),
        }
    }

    /// Makes these changes in the template of the context.
    #[must_use]
    pub fn changing(self, changes: Changes) -> Self {
        Self { changes, ..self }
    }

    /// Writes this OpenAPI document at a path in the project.
    #[must_use]
    pub fn documented<E: Display>(
        self,
        path: impl Into<PathBuf>,
        document: Result<serde_json::Value, E>,
    ) -> Self {
        let content = document.map_err(|error| error.to_string());
        Self { document: Some(Document { path: path.into(), content }), ..self }
    }

    /// Adds a report of the context's own, as a command of its name.
    #[must_use]
    pub fn reporting<R: LogReport>(mut self) -> Self {
        self.reports.push(DeclaredReport::of::<R>());
        self
    }

    /// Runs the command in the program's arguments. Unreadable stored data is reported and never panics, and
    /// only commands that say so write anything.
    pub fn main(self) -> ExitCode {
        match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(self.run()),
            Err(error) => exit(Err(CliError::Runtime(error))),
        }
    }

    async fn run(self) -> ExitCode {
        let line = match self.parse(std::env::args_os()) {
            Ok(line) => line,
            Err(error) => return usage(&error),
        };
        match (self.declaration.check(), line) {
            (Err(contradictions), _) => exit(Err(CliError::Declaration(contradictions))),
            (Ok(()), Line::Own(report, target)) => exit(Self::report(report, &target).await),
            (Ok(()), Line::Known(line)) => exit(self.execute(line).await),
        }
    }

    async fn report(report: Chosen, target: &TargetOptions) -> Result<ExitCode, CliError> {
        report.run(&target.resolve()?, &mut Output::of(target)).await
    }

    fn parse(&self, arguments: impl IntoIterator<Item = OsString>) -> Result<Line, clap::Error> {
        let matches = self.command().try_get_matches_from(arguments)?;
        for report in &self.reports {
            if let Some(report) = report.chosen(&matches)? {
                return Ok(Line::Own(
                    report,
                    self.target(TargetOptions::from_arg_matches(&matches)?),
                ));
            }
        }
        let line = CommandLine::from_arg_matches(&matches)?;
        Ok(Line::Known(CommandLine { target: self.target(line.target), ..line }))
    }

    /// The deployment of this program's context. The read models of another one would have other tables.
    fn target(&self, options: TargetOptions) -> TargetOptions {
        options.of_context(self.declaration.name())
    }

    fn command(&self) -> clap::Command {
        let known = CommandLine::command().bin_name(self.name.clone());
        known.subcommands(self.reports.iter().map(DeclaredReport::command))
    }

    async fn execute(self, line: CommandLine) -> Result<ExitCode, CliError> {
        let mut output = Output::of(&line.target);
        match line.command {
            Command::OnContext(command) => {
                let context = self.context(&line.target.resolve()?, &command).await?;
                command.run(&context, &mut output).await
            }
            Command::Claims(command) => {
                claims::run(
                    &command,
                    self.declaration.claimants(),
                    &line.target.resolve()?,
                    &mut output,
                )
                .await
            }
            Command::Export(command) => {
                export::run(&command, &self.declaration, &line.target.resolve()?, &mut output).await
            }
            Command::Generate(options) => {
                let document = self.document.as_ref();
                generate::run(&options, &self.declaration, &self.changes, document, &mut output)
            }
            Command::Completions(options) => {
                completions::run(&options, self.command(), &mut output)
            }
        }
    }

    /// The projections that are named, or all that read the context's own events.
    fn chosen(&self, command: &OnContext) -> Result<Vec<&'static str>, CliError> {
        let wanted = command.projections();
        let catalog = self.declaration.catalog();
        let known = catalog.projections();
        if let Some(unknown) = wanted.iter().find(|wanted| !known.contains(&wanted.as_str())) {
            let known = known.into_iter().map(str::to_owned).collect();
            return Err(CliError::Unknown { subject: "projection", name: unknown.clone(), known });
        }
        if !wanted.is_empty() {
            let is_wanted = |name: &&str| wanted.iter().any(|wanted| wanted == *name);
            return Ok(known.into_iter().filter(is_wanted).collect());
        }
        let (own, foreign): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|name| catalog.source(name).is_none());
        if !command.reads_the_log() {
            return Ok([own, foreign].concat());
        }
        for name in foreign {
            eprintln!(
                "{name} is left out, because it reads another context: name it to include it"
            );
        }
        Ok(own)
    }

    /// The other context whose events all of these projections read, if any.
    fn source(&self, chosen: &[&'static str]) -> Result<Option<Source>, CliError> {
        let catalog = self.declaration.catalog();
        let mut sources = chosen.iter().map(|name| catalog.source(name));
        let first = sources.next().flatten();
        match sources.all(|source| source == first) {
            true => Ok(first.cloned()),
            false => Err(CliError::SeveralSources),
        }
    }

    async fn context(self, target: &Target, command: &OnContext) -> Result<Context, CliError> {
        if command.covers_all_tenants() && target.tenant.chosen().is_some() {
            return Err(CliError::EveryTenant);
        }
        let chosen = self.chosen(command)?;
        let source = if command.reads_the_log() { self.source(&chosen)? } else { None };
        let target = match &source {
            Some(source) if command.needs_own_log() => {
                return Err(CliError::OwnLogNeeded { source_context: source.context() });
            }
            Some(source) => target.clone().reading(source.context())?,
            None => target.clone(),
        };
        let client = target.connection.dynamodb().await;
        let table = target.event_table()?;
        let states = target.projection_states()?;
        let generations = Arc::new(DynamoGenerationStore::new(client.clone(), states));
        let mut subjects = Vec::new();
        for name in chosen {
            let table = DynamoReadTable::new(client.clone(), target.read_table(name)?);
            // The name comes from this catalog, so it is known.
            if let Ok(models) = self.declaration.catalog().models(name, Arc::new(table)) {
                let quarantine = Arc::new(DynamoQuarantine::new(client.clone(), states, name));
                let skips = Arc::new(DynamoSkips::new(client.clone(), states, name));
                let generations = generations.clone();
                subjects.push(Subject { models, generations, skips, quarantine });
            }
        }
        Ok(Context {
            log: Arc::new(target.log().await?),
            index: DynamoStreams::new(client, table).in_pages_of(walk::COMMITS_PER_PAGE),
            declaration: self.declaration,
            subjects,
            source,
            target,
        })
    }
}

impl OnContext {
    async fn run(self, context: &Context, output: &mut Output) -> Result<ExitCode, CliError> {
        match self {
            Self::Audit(options) => audit::run(&options, context, output).await,
            Self::Repair(options) => repair::run(&options, context, output).await,
            Self::Rebuild(options) => rebuild::run(&options, context, output).await,
            Self::RollBack(options) => rebuild::roll_back(&options, context, output).await,
            Self::Generations(_) => generations::show(context, output).await,
            Self::RemoveOld(options) => generations::remove_old(&options, context, output).await,
            Self::Abandon(options) => generations::abandon(&options, context, output).await,
        }
    }

    /// Whether it compares read models with the log, or fills them from it.
    const fn reads_the_log(&self) -> bool {
        match self {
            Self::Audit(_) | Self::Repair(_) | Self::Rebuild(_) | Self::RollBack(_) => true,
            Self::Generations(_) | Self::RemoveOld(_) | Self::Abandon(_) => false,
        }
    }

    /// Whether it needs the log of the context itself, even if the projections read another one.
    const fn needs_own_log(&self) -> bool {
        match self {
            Self::Audit(options) => options.needs_own_log(),
            Self::Repair(options) => options.needs_own_log(),
            _ => false,
        }
    }

    /// Whether it works on the rows of all tenants, because a generation has all of them.
    const fn covers_all_tenants(&self) -> bool {
        match self {
            Self::Audit(_) | Self::Repair(_) | Self::Generations(_) => false,
            Self::Rebuild(_) | Self::RollBack(_) | Self::RemoveOld(_) | Self::Abandon(_) => true,
        }
    }

    /// The projections that are named.
    fn projections(&self) -> &[String] {
        match self {
            Self::Audit(options) => options.projections(),
            Self::Repair(options) => options.projections(),
            Self::Rebuild(options) => options.projections(),
            Self::RollBack(options) => options.projections(),
            Self::Generations(options) => options.projections(),
            Self::RemoveOld(options) | Self::Abandon(options) => options.projections(),
        }
    }
}

impl Context {
    /// The live read models.
    async fn models(&self) -> Result<Vec<Model>, CliError> {
        let mut models = Vec::new();
        for subject in &self.subjects {
            let Subject { models: of, generations, skips, quarantine } = subject;
            let record = of.peek(&**generations).await?;
            models.push(Model {
                projection: of.projection(),
                models: of.clone(),
                model: of.open(record.live())?,
                generations: generations.clone(),
                record,
                skips: skips.clone(),
                quarantine: quarantine.clone(),
            });
        }
        Ok(models)
    }

    fn rebuilder(&self, subject: &Subject) -> Rebuilder {
        let models = subject.models.clone();
        let generations = subject.generations.clone();
        let streams = Arc::new(self.index.clone().strongly_consistent());
        let ports = self.projector_ports(&subject.skips);
        Rebuilder::new(models, generations, streams, ports).only(self.only_category().cloned())
    }

    /// The index without the streams that the command leaves out.
    fn included(&self) -> Included<DynamoStreams> {
        Included { index: self.index.clone(), tenant: self.target.tenant.clone() }
    }

    /// The log, as the subjects read it. Each subject may still read one category of its streams only.
    fn reader(&self) -> Arc<dyn EventReader> {
        match self.subjects.first().filter(|_| self.source.is_some()) {
            Some(subject) => subject.models.reader(self.log.clone()),
            None => self.log.clone(),
        }
    }

    /// The category of all streams that the subjects read, if they share one.
    fn only_category(&self) -> Option<&Category> {
        self.source.as_ref().map(Source::category).or_else(|| self.declaration.only_category())
    }

    /// Whether the subjects read this stream.
    fn has(&self, stream: &StreamId) -> bool {
        match &self.source {
            Some(source) => source.category() == stream.category(),
            None => self.declaration.categories().contains(stream.category()),
        }
    }

    fn projector_ports(&self, skips: &Arc<dyn Skips>) -> ProjectorPorts {
        ProjectorPorts {
            log: self.reader(),
            skips: skips.clone(),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        }
    }
}

impl Model {
    /// Fails if a rebuild is running. A repair writes to the live generation only, so the one under
    /// construction would fall behind without notice. The rebuild itself writes the missing events.
    async fn still_alone(&self) -> Result<(), CliError> {
        let projection = self.projection;
        // No record means that nothing was projected yet, and a repair must not be the first to write.
        let now = self.models.recorded(&*self.generations, &SystemClock).await?;
        match self.still(now)?.building() {
            Some(_) => Err(CliError::Changing { projection, why: "is being rebuilt" }),
            None => Ok(()),
        }
    }

    /// Fails if another generation has become live. A previous generation may lack events and will be
    /// removed, so findings about it mean nothing.
    async fn still_live(&self) -> Result<Generations, CliError> {
        self.still(self.models.peek(&*self.generations).await?)
    }

    fn still(&self, now: Generations) -> Result<Generations, CliError> {
        let projection = self.projection;
        if now.live() != self.record.live() {
            return Err(CliError::Changing { projection, why: "was rebuilt in the meantime" });
        }
        Ok(now)
    }
}
