//! What can go wrong, and the exit code that says so.

use std::{io, path::PathBuf, process::ExitCode};

use ledgerfold::{
    ports::{ReadStoreError, StoreError, StreamsError},
    project::{ProjectError, UnknownModel},
    rebuild::RebuildError,
};

pub(crate) const EXIT_CODES: &str =
    "Exit codes: 0 all is well, 1 trouble, 2 called wrongly, 3 something was found wrong.";

const TROUBLE: u8 = 1;
const USAGE: u8 = 2;
/// Something was found wrong, or the repair had to leave something.
pub(crate) const FINDINGS: u8 = 3;

/// A command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
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
    #[error("nothing was done: it was not confirmed; --yes confirms it beforehand")]
    NotConfirmed,
    #[error(transparent)]
    Log(#[from] StoreError),
    #[error(transparent)]
    Streams(#[from] StreamsError),
    #[error("{0}")]
    ReadModel(#[from] ProjectError),
    #[error("cannot read which generations there are: {0}")]
    Generations(#[from] ReadStoreError),
    #[error(transparent)]
    Model(#[from] UnknownModel),
    #[error("{projection} {why}: begin again when it has come to an end")]
    Changing { projection: &'static str, why: &'static str },
    #[error("{projection}: {cause}")]
    Rebuild { projection: &'static str, cause: RebuildError },
    #[error("cannot write the answer: {0}")]
    Output(#[from] io::Error),
    #[error("{cause}; go on with --from {place}")]
    Interrupted { cause: Box<Self>, place: String },
}

impl Trouble {
    fn exit_code(&self) -> u8 {
        match self {
            Self::NoName { .. } | Self::Unknown { .. } | Self::Streams(StreamsError::Resume(_)) => {
                USAGE
            }
            _ => TROUBLE,
        }
    }
}

/// Says on standard error what went wrong.
pub(crate) fn exit(outcome: Result<ExitCode, Trouble>) -> ExitCode {
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
