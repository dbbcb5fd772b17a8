//! `ledgerfold verify-proof`: verifies a proof without a connection.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use ledgerfold_verifier as verifier;
use serde::Serialize;

use super::{LogCommandError, keys, read};
use crate::{
    error::CliError,
    output::{Output, Report},
};

/// Verify a file that `ledgerfold prove` wrote
///
/// It needs no connection: only the file and the public key of the log.
#[derive(Debug, Args)]
pub(crate) struct VerifyProof {
    /// The file
    pub(super) file: PathBuf,
    /// The public key of the log, or a file with it; may be repeated
    #[arg(long = "key", required = true, value_name = "KEY")]
    pub(super) keys: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Proven {
    stream: String,
    from: u64,
    to: u64,
    hash: String,
    index: u64,
    origin: String,
    size: u64,
}

pub(crate) fn run(command: &VerifyProof, output: &mut Output) -> Result<ExitCode, CliError> {
    output.report(&proven(command)?)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn proven(command: &VerifyProof) -> Result<Proven, LogCommandError> {
    let file = read(&command.file)?;
    let proven = verifier::verify_proof(&file, &keys(&command.keys)?)?;
    let verifier::Proven { stream, from, to, hash, index, checkpoint } = proven;
    let verifier::Checkpoint { origin, size, .. } = checkpoint;
    Ok(Proven { stream, from, to, hash: hash.to_string(), index, origin, size })
}

impl Report for Proven {
    fn text(&self) -> String {
        let Self { stream, from, to, hash, index, origin, size } = self;
        format!(
            "{origin} of size {size} contains the commit of {stream} with the versions {from} to {to} as entry {index}. \
             Its hash is {hash}.\n"
        )
    }
}
