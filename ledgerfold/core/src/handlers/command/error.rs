use super::LoadError;
use crate::{
    Category, CommandId, CommandName, EncodeError, Rejection, ReservedKey, StreamId, Version,
    ports::{AppendError, CommandRecord, InvalidTransaction, StoreError},
    vocabulary::{Commit, Panicked},
};

/// A command failed and had no effect. The exception is [`CommandError::Store`] with
/// [`PortError::Unavailable`](crate::ports::PortError::Unavailable): the outcome is then unknown, and sending the
/// command again with the same id settles it.
#[derive(Debug, thiserror::Error)]
pub enum CommandError<R: Rejection> {
    /// The domain refuses the command.
    #[error(transparent)]
    Rejected(R),
    /// The domain's rule does not allow the command to this caller.
    #[error("the caller may not send this command")]
    Forbidden,
    /// The stream belongs to somebody else, so it does not exist for this caller. If the domain has an answer of its own
    /// for a stream without events, the caller gets that answer ([`CommandError::Rejected`]).
    #[error("the stream does not exist for this caller")]
    Hidden,
    /// The stream is not at the version that the caller expects.
    #[error("the stream is at version {actual}, not at the expected version {expected}")]
    ExpectedVersion {
        /// The version that the caller expects.
        expected: Version,
        /// The version of the stream.
        actual: Version,
    },
    /// The command id was used before, for another request.
    #[error("the command id was used before, for another request")]
    Reused,
    /// A command for several streams names one of them twice.
    #[error("the command names {stream} twice, but its streams must all differ")]
    SameStream {
        /// The stream.
        stream: StreamId,
    },
    /// A command for several streams expects a version of a stream that is none of them: a defect of the caller's code.
    #[error("the command expects a version of {stream}, which is none of its streams")]
    NotAmongStreams {
        /// The stream.
        stream: StreamId,
    },
    /// The command needs a key that is reserved for another stream.
    #[error("{key} is reserved by {holder}")]
    Reserved {
        /// The key.
        key: ReservedKey,
        /// The stream that the key is reserved for.
        holder: StreamId,
    },
    /// Other commands changed the streams first, on every attempt.
    #[error("other commands changed {streams} first, on each of {attempts} attempts")]
    Contention {
        /// The stream, or several streams.
        streams: String,
        /// The number of attempts.
        attempts: u32,
    },
    /// The decision does not fit into one commit.
    #[error("the decision is too large: {0}")]
    TooLarge(String),
    /// The decision cannot be stored as one transaction: a defect of the domain's claims.
    #[error("the decision cannot be committed: {0}")]
    Transaction(InvalidTransaction),
    /// The command releases a key that is not reserved for its stream, although the reservations are complete: a defect
    /// of the domain's claims.
    #[error("{key} is not reserved by {stream}")]
    NotReserved {
        /// The key.
        key: ReservedKey,
        /// The stream that releases the key.
        stream: StreamId,
    },
    /// A domain that seals claims a unique key in clear: a defect of the domain's claims.
    #[error(
        "a unique key of the kind {0} is in clear: a domain that seals must use UniqueKey::keyed"
    )]
    UnkeyedClaim(Category),
    /// The command is strict, but its type declares no strict commands, so its deployment has no table for results.
    #[error("{0} is strict, but SOME_ARE_STRICT of its type is false")]
    UndeclaredStrict(CommandName),
    /// The stream cannot be read.
    #[error(transparent)]
    Load(LoadError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An event cannot be written as JSON, or cannot be read back.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The domain's code panicked: a defect.
    #[error("the decision failed: {0}")]
    Panicked(#[from] Panicked),
}

impl<R: Rejection> From<LoadError> for CommandError<R> {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Store(error) => Self::Store(error),
            other => Self::Load(other),
        }
    }
}

impl<R: Rejection> From<InvalidTransaction> for CommandError<R> {
    fn from(error: InvalidTransaction) -> Self {
        match error {
            InvalidTransaction::TooMany { .. } => Self::TooLarge(error.to_string()),
            other => Self::Transaction(other),
        }
    }
}

/// The meaning of a refused append for its command.
pub(super) enum Refusal<R: Rejection> {
    /// The state was out of date: load and decide again.
    Outdated,
    /// The stream has this commit of the same command.
    Committed(Box<Commit>),
    /// The command is strict, and this record shows its first effect.
    Recorded(Box<CommandRecord>),
    /// Another attempt would fail in the same way.
    Final(CommandError<R>),
}

impl<R: Rejection> Refusal<R> {
    /// The meaning of a failed append for the command with this id. Failures are classified only here.
    pub(super) fn of(error: AppendError, id: &CommandId) -> Self {
        match error {
            AppendError::Conflict { winner } if winner.command().id == *id => {
                Self::Committed(winner)
            }
            AppendError::Conflict { .. } | AppendError::Changed { .. } | AppendError::Busy => {
                Self::Outdated
            }
            AppendError::Repeated { record } => Self::Recorded(record),
            AppendError::Reserved { key, holder } => {
                Self::Final(CommandError::Reserved { key, holder })
            }
            AppendError::NotReserved { key, stream, .. } => {
                Self::Final(CommandError::NotReserved { key, stream })
            }
            AppendError::TooLarge { .. } | AppendError::EventTooLarge { .. } => {
                Self::Final(CommandError::TooLarge(error.to_string()))
            }
            AppendError::Store(error) => Self::Final(error.into()),
        }
    }
}
