//! `ledgerfold verify`, `prove` and `verify-proof`: the commands about the transparency log.

mod export;
mod prove;
mod source;
mod table;
#[cfg(test)]
mod tests;
mod verify;
mod verify_proof;

use std::{
    io,
    path::{Path, PathBuf},
};

use ledgerfold_transparency::{LogError, ProveError};
use ledgerfold_verifier::{NoteError, ProofError, PublicKey, ReadError};

pub(crate) use prove::{Prove, run as prove};
pub(crate) use verify::{Verify, run as verify};
pub(crate) use verify_proof::{VerifyProof, run as verify_proof};

/// The reason why a command about the transparency log failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogCommandError {
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the key: {0}")]
    Key(NoteError),
    #[error("{place}: {error}")]
    Checkpoint { place: String, error: NoteError },
    #[error("the log has no published checkpoint yet")]
    NoCheckpoint,
    #[error("{}: line {line} is no item of an export in the JSON form of DynamoDB", path.display())]
    Export { path: PathBuf, line: usize },
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Prove(#[from] ProveError),
}

/// Reads a key from its text, or from a file with that text.
fn key(text: &str) -> Result<PublicKey, LogCommandError> {
    match std::fs::read_to_string(text) {
        Ok(content) => PublicKey::parse(&content),
        Err(_) => PublicKey::parse(text),
    }
    .map_err(LogCommandError::Key)
}

fn keys(texts: &[String]) -> Result<Vec<PublicKey>, LogCommandError> {
    texts.iter().map(|text| key(text)).collect()
}

fn read(path: &Path) -> Result<String, LogCommandError> {
    let unreadable = |source| LogCommandError::Unreadable { path: path.to_owned(), source };
    std::fs::read_to_string(path).map_err(unreadable)
}
