//! `ledgerfold prove`: writes a proof that a commit is in the transparency log.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::Args;
use ledgerfold::{StreamId, Version};
use ledgerfold_transparency::{Checkpoint, ObjectStore as _, Prover};

use super::{
    LogCommandError,
    source::{LogAt, Place},
};
use crate::{error::CliError, output::Output, stream_name::StreamName, target::Target};

/// Write a proof that a commit is in the transparency log
///
/// The proof is a file in the form C2SP tlog-proof. It contains the entry of the commit, the hashes of the tree, and a
/// signed checkpoint. `ledgerfold verify-proof` and other programs verify it without a connection.
#[derive(Debug, Args)]
pub(crate) struct Prove {
    /// The stream, for example `order#4edde2f3-9e3f-8d71-857a-17616c743abd`
    stream: StreamName,
    /// A version of the commit
    version: u64,
    /// The log: `s3://BUCKET/PREFIX`, or a folder with a copy
    #[arg(long, value_name = "PLACE")]
    log: Place,
    /// The size of the checkpoint [default: the published one]
    #[arg(long)]
    size: Option<u64>,
    /// The file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) async fn run(
    command: &Prove,
    target: &Target,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let log = LogAt::open(&command.log, target).await;
    let stream = target.tenant.stream(&command.stream);
    let proof = proof(log, &stream, command.version, command.size).await?;
    match &command.out {
        Some(path) => std::fs::write(path, proof)
            .map_err(|source| CliError::Unwritable { path: path.clone(), source })?,
        None => output.write(proof.as_bytes())?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn proof(
    log: LogAt,
    stream: &StreamId,
    version: u64,
    size: Option<u64>,
) -> Result<String, LogCommandError> {
    let size = match size {
        Some(size) => size,
        None => published(&log).await?,
    };
    let prover = Prover::new(Arc::new(log.clone()), Arc::new(log));
    Ok(prover.prove(stream, Version::new(version), size).await?)
}

/// A proof from a copy of the log in a folder.
#[cfg(test)]
pub(super) async fn from_copy(
    place: &Place,
    stream: &StreamId,
    version: u64,
) -> Result<String, LogCommandError> {
    let Place::Folder(folder) = place else { return Err(LogCommandError::NoCheckpoint) };
    proof(LogAt::Folder(folder.clone()), stream, version, None).await
}

/// The size of the published checkpoint. Its signature is verified by whoever verifies the proof.
async fn published(log: &LogAt) -> Result<u64, LogCommandError> {
    let note = log.get("checkpoint").await?.and_then(|note| String::from_utf8(note).ok());
    let checkpoint = note.as_deref().and_then(Checkpoint::restore);
    checkpoint.map(|checkpoint| checkpoint.size).ok_or(LogCommandError::NoCheckpoint)
}
