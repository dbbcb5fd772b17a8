//! What can go wrong, and the exit code that says so.

use std::{io, path::PathBuf, process::ExitCode};

use ledgerfold::{
    StreamId, Timestamp, Version,
    claims::ClaimsError,
    ports::{DeadlineError, QuarantineError, ReadStoreError, SkipError, StoreError, StreamsError},
    process::ScheduleError,
    project::{ProjectError, UnknownModel},
    rebuild::RebuildError,
};
use ledgerfold_eventbridge::{EmptyWindow, NotARule, ReplayError, ReplayState};

pub(crate) const EXIT_CODES: &str =
    "Exit codes: 0 all is well, 1 trouble, 2 called wrongly, 3 something was found wrong.";

const TROUBLE: u8 = 1;
const USAGE: u8 = 2;
/// Something was found wrong, or the repair had to leave something.
pub(crate) const FINDINGS: u8 = 3;

/// A command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error(
        "no {what} is named: use {option}, or --stack with the file that `make up` writes (target/local/stack.json)"
    )]
    NoName { what: String, option: &'static str },
    #[error("there is no {what} called {name}: there are {}", known.join(", "))]
    Unknown { what: &'static str, name: String, known: Vec<String> },
    #[error("cannot read {}: {source}", path.display())]
    UnreadableStack { path: PathBuf, source: io::Error },
    #[error("{} is not a stack file: {source}", path.display())]
    MalformedStack { path: PathBuf, source: serde_json::Error },
    #[error("{stream} does not exist{until}")]
    NoStream { stream: String, until: &'static str },
    #[error("{call}: {reason}")]
    Queue { call: &'static str, reason: String },
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error(
        "it is not known whether the replay has started: {reason}; `ledgerfold replay watch {name}` looks"
    )]
    ReplayInDoubt { name: String, reason: String },
    #[error("the replay {name} is {state}: {reason}")]
    ReplayEnded { name: String, state: ReplayState, reason: String },
    #[error("the audit {name} is running, and two would take each other's messages")]
    AuditRunning { name: String },
    #[error(
        "not everything has come from the bus in time: {events} events did, and the replay {name} was \
         cancelled; --within gives it more"
    )]
    NotAllHeard { name: String, events: usize },
    #[error("the bus did not take {commit}: {reason}")]
    Unsent { commit: String, reason: String },
    #[error("the setting of the process {process} cannot be read: {reason}")]
    Setting { process: String, reason: String },
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    #[error(transparent)]
    Rule(#[from] NotARule),
    #[error(transparent)]
    Window(#[from] EmptyWindow),
    #[error("the window ends at {to}, and nothing is in the archive of what is to come")]
    WindowInFuture { to: Timestamp },
    #[error(
        "there is no {program} beside this program or on the PATH: audit, repair, rebuild and \
         generations need the read models of the context, which only its own binary has"
    )]
    NoAdmin { program: String },
    #[error("{program} cannot be run: {source}")]
    UnusableAdmin { program: String, source: io::Error },
    #[error("{call}: {reason}")]
    Call { call: &'static str, reason: String },
    #[error("nothing was done: it was not confirmed; --yes confirms it beforehand")]
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
        "the skip is in force, but the projection was not told to try again: {0}; call again, or wait for the next scheduled round"
    )]
    SkippedNotRetried(Box<Self>),
    #[error(transparent)]
    Deadlines(#[from] DeadlineError),
    #[error("cannot read which generations there are: {0}")]
    Generations(#[from] ReadStoreError),
    #[error(transparent)]
    Model(#[from] UnknownModel),
    #[error("{projection} {why}: begin again when it has come to an end")]
    Changing { projection: &'static str, why: &'static str },
    #[error("{projection}: {cause}")]
    Rebuild { projection: &'static str, cause: RebuildError },
    #[error(transparent)]
    Claims(#[from] ClaimsError),
    #[error(
        "no domain of this context claims unique keys: give the one that does to `Admin::with_claims`"
    )]
    NoClaims,
    #[error("cannot write the answer: {0}")]
    Output(#[from] io::Error),
    #[error("{cause}; go on with --from {place}")]
    Interrupted { cause: Box<Self>, place: String },
}

impl CliError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::NoName { .. }
            | Self::Unknown { .. }
            | Self::Rule(_)
            | Self::Window(_)
            | Self::NoClaims
            | Self::WindowInFuture { .. }
            | Self::Replay(ReplayError::BadName(_))
            | Self::Streams(StreamsError::Resume(_)) => USAGE,
            _ => TROUBLE,
        }
    }
}

/// Says on standard error what went wrong.
pub(crate) fn exit(outcome: Result<ExitCode, CliError>) -> ExitCode {
    outcome.unwrap_or_else(|trouble| {
        eprintln!("error: {trouble}");
        ExitCode::from(trouble.exit_code())
    })
}

/// Answers a call for help, or says what was wrong with the arguments.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // If neither stream can be written to there is nobody to tell.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { USAGE } else { 0 })
}
