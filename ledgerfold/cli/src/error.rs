//! The errors of the command line and their exit codes.

use std::{io, path::PathBuf, process::ExitCode};

use ledgerfold::{
    StreamId, Timestamp, Version,
    claims::ClaimsError,
    context::{Contradictions, InvalidSetting},
    ports::{
        DeadlineError, ExportError, QuarantineError, ReadStoreError, SkipError, StoreError,
        StreamsError,
    },
    process::ScheduleError,
    project::{ProjectError, UnknownModel},
    rebuild::RebuildError,
};
use ledgerfold_eventbridge::{EmptyWindow, NotARule, ReplayError, ReplayState};
use ledgerfold_infra::TemplateError;
use ledgerfold_tokens::issuer::IssuerError;

use crate::{admin::ReportError, load::ScenarioError, transparency::LogCommandError};

pub(crate) const EXIT_CODES: &str =
    "Exit codes: 0 success, 1 error, 2 wrong usage, 3 faults were found or remain.";

const ERROR: u8 = 1;
const USAGE: u8 = 2;
/// Faults were found, or the repair could not remove all of them.
pub(crate) const FINDINGS: u8 = 3;

/// The reason why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("the report cannot be written: {0}")]
    Report(ReportError),
    #[error("the program cannot start: {0}")]
    Runtime(io::Error),
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error("the API has no document: {0}")]
    Api(String),
    #[error("{0}")]
    ProjectName(String),
    #[error("{} is not empty: choose another folder with --at", .0.display())]
    NotEmpty(PathBuf),
    #[error(
        "{} is no checkout of Ledgerfold: say with --library where it is, because its packages are not published yet",
        .0.display()
    )]
    NoLibrary(PathBuf),
    #[error("cannot read {}: {source}", path.display())]
    UnreadableLibrary { path: PathBuf, source: io::Error },
    #[error("cannot read {}: {source}", path.display())]
    UnreadableCertificate { path: PathBuf, source: io::Error },
    #[error("cannot write {}: {source}", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
    #[error(
        "the {subject} is not known: use {option}, or --stack with the file that `make up` writes (target/local/stack.json)"
    )]
    NoName { subject: String, option: &'static str },
    #[error("there is no {subject} called {name}; known: {}", known.join(", "))]
    Unknown { subject: &'static str, name: String, known: Vec<String> },
    #[error(
        "these projections read the events of different contexts: name projections that read the same events"
    )]
    SeveralSources,
    #[error(
        "the named projections read the events of {source_context}, and this comparison needs the own log of the \
         context: leave out the projections"
    )]
    OwnLogNeeded { source_context: &'static str },
    #[error("this command works on the streams of all tenants: leave out --tenant")]
    EveryTenant,
    #[error("cannot read {}: {source}", path.display())]
    UnreadableStack { path: PathBuf, source: io::Error },
    #[error("{} is not a stack file: {source}", path.display())]
    MalformedStack { path: PathBuf, source: serde_json::Error },
    #[error(
        "no stack file was found: run `make up`, or name the file that it wrote with --stack (target/local/stack.json)"
    )]
    NoStack,
    #[error(
        "the stack file has no local issuer (`auth`): only a local cloud has one; for a deployment on AWS, get a token \
         from its issuer"
    )]
    NoIssuer,
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    #[error("cannot read {}: {source}", path.display())]
    UnreadableScenario { path: PathBuf, source: io::Error },
    #[error("{} is no scenario: {source}; see `ledgerfold load --help`", path.display())]
    Scenario { path: PathBuf, source: ScenarioError },
    #[error("the API key or the token cannot be sent in a header")]
    Credentials(#[from] http::header::InvalidHeaderValue),
    #[error("{stream} does not exist{until}")]
    NoStream { stream: String, until: &'static str },
    #[error("{call}: {reason}")]
    Queue { call: &'static str, reason: String },
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error(
        "it is unknown whether the replay has started: {reason}; run `ledgerfold replay watch {name}` to find out"
    )]
    ReplayInDoubt { name: String, reason: String },
    #[error("the replay {name} is {state}: {reason}")]
    ReplayEnded { name: String, state: ReplayState, reason: String },
    #[error(
        "another audit of the bus is running ({name}); two at once would take each other's messages"
    )]
    AuditRunning { name: String },
    #[error(
        "the replay {name} did not finish in time and was cancelled after {events} events; use --within to \
         allow more time"
    )]
    ReplayTooSlow { name: String, events: usize },
    #[error("the bus did not accept {commit}: {reason}")]
    Unsent { commit: String, reason: String },
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error("{0} has no export: declare .exports::<…>() in its context")]
    NoExport(&'static str),
    #[error("the window up to {0} was not closed in time")]
    NotClosed(Timestamp),
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
    #[error(transparent)]
    Declaration(#[from] Contradictions),
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    #[error(transparent)]
    Rule(#[from] NotARule),
    #[error(transparent)]
    Window(#[from] EmptyWindow),
    #[error("the window ends at {to}, which is in the future")]
    WindowInFuture { to: Timestamp },
    #[error(
        "there is no {program} beside this program or on the PATH: audit, repair, rebuild, claims and \
         generations need the context's own binary, because only it has the read models"
    )]
    NoAdmin { program: String },
    #[error("cannot run {program}: {source}")]
    UnusableAdmin { program: String, source: io::Error },
    #[error("{call}: {reason}")]
    Call { call: &'static str, reason: String },
    #[error("nothing was done, because it was not confirmed; --yes skips the question")]
    NotConfirmed,
    #[error(transparent)]
    Log(#[from] StoreError),
    #[error(transparent)]
    Streams(#[from] StreamsError),
    #[error("{0}")]
    ReadModel(#[from] ProjectError),
    #[error(transparent)]
    Quarantine(#[from] QuarantineError),
    #[error(transparent)]
    Skip(#[from] SkipError),
    #[error("version {version} of {stream} is not skipped for {projection}")]
    NotSkipped { projection: String, stream: StreamId, version: Version },
    #[error(
        "the skip is recorded, but the projection was not notified: {0}; run the command again, or wait for the next scheduled retry"
    )]
    SkippedNotRetried(Box<Self>),
    #[error(transparent)]
    Deadlines(#[from] DeadlineError),
    #[error("cannot read the generations: {0}")]
    Generations(#[from] ReadStoreError),
    #[error(transparent)]
    Model(#[from] UnknownModel),
    #[error("{projection} {why}; run this command again afterwards")]
    Changing { projection: &'static str, why: &'static str },
    #[error("{projection}: {cause}")]
    Rebuild { projection: &'static str, cause: RebuildError },
    #[error(transparent)]
    Claims(#[from] ClaimsError),
    #[error(
        "no domain of this context claims unique keys; declare one that does with `.decider_with_claims`"
    )]
    NoClaims,
    #[error(transparent)]
    Transparency(#[from] LogCommandError),
    #[error("cannot write the answer: {0}")]
    Output(#[from] io::Error),
    #[error("{cause}; continue with --from {place}")]
    Interrupted { cause: Box<Self>, place: String },
}

impl CliError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::NoName { .. }
            | Self::Unknown { .. }
            | Self::NoStack
            | Self::SeveralSources
            | Self::EveryTenant
            | Self::OwnLogNeeded { .. }
            | Self::Rule(_)
            | Self::Window(_)
            | Self::NoClaims
            | Self::WindowInFuture { .. }
            | Self::Replay(ReplayError::BadName(_))
            | Self::Streams(StreamsError::Resume(_)) => USAGE,
            _ => ERROR,
        }
    }
}

/// Prints an error to standard error and returns its exit code.
pub(crate) fn exit(outcome: Result<ExitCode, CliError>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(error.exit_code())
    })
}

/// Prints the help, or the reason why the arguments are wrong.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // If neither stream can be written to, there is no way to report it.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { USAGE } else { 0 })
}
