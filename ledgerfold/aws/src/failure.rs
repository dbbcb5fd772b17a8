use std::fmt;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::{display::DisplayErrorContext, metadata::ProvideErrorMetadata};

use ledgerfold::ports::{DeadlineError, PayloadError, QuarantineError, ReadStoreError, StoreError};

use crate::Meaning;

/// The cause of a failure, in words.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A failed call: what it means, and why it failed. The SDK has retried it already.
#[derive(Debug)]
pub struct Failure {
    /// What the caller does about it.
    pub meaning: Meaning,
    /// What the service or the connection said.
    pub cause: BoxError,
}

impl Failure {
    /// What this error of the SDK means. A call that got no answer of the service may have taken effect,
    /// and is [`Meaning::Transient`].
    #[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
    pub fn of<E, R>(error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: fmt::Debug + Send + Sync + 'static,
    {
        let meaning = match &error {
            SdkError::ServiceError(answer) => Meaning::of(
                answer.err().code().unwrap_or_default(),
                answer.err().message().unwrap_or_default(),
            ),
            // The program made no valid request of what it was given.
            SdkError::ConstructionFailure(_) => Meaning::Refused,
            _ => Meaning::Transient,
        };
        Self { meaning, cause: DisplayErrorContext(&error).to_string().into() }
    }

    /// An item that the adapter knows the service can never accept.
    pub fn invalid(cause: impl Into<BoxError>) -> Self {
        Self { meaning: Meaning::Invalid, cause: cause.into() }
    }

    /// A request that the program cannot make.
    pub fn refused(cause: impl Into<BoxError>) -> Self {
        Self { meaning: Meaning::Refused, cause: cause.into() }
    }
}

/// The ports' errors say these alike. Most ports bound what they are given, so that a service finds nothing
/// invalid in it unless the program is wrong; they have no word for it.
macro_rules! said_by {
    ($($error:ident { $invalid:ident }),+) => {$(
        impl From<Failure> for $error {
            fn from(Failure { meaning, cause }: Failure) -> Self {
                match meaning {
                    Meaning::Throttled => Self::Throttled,
                    Meaning::Transient => Self::Unavailable(cause),
                    Meaning::Refused => Self::Refused(cause),
                    Meaning::Invalid => Self::$invalid(cause),
                }
            }
        }
    )+};
}

said_by!(
    StoreError { Refused },
    ReadStoreError { Invalid },
    DeadlineError { Refused },
    QuarantineError { Refused }
);

impl From<Failure> for PayloadError {
    fn from(Failure { meaning, cause }: Failure) -> Self {
        match meaning {
            Meaning::Throttled | Meaning::Transient => Self::Unavailable(cause),
            Meaning::Refused | Meaning::Invalid => Self::Refused(cause),
        }
    }
}
