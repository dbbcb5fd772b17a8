//! Failed calls, and their conversion to the errors of the ports.

use std::fmt;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::{display::DisplayErrorContext, metadata::ProvideErrorMetadata};

use ledgerfold::ports::{
    DeadlineError, ExportError, KeyringError, PayloadError, PortError, QuarantineError,
    ReadStoreError, StoreError,
};

use crate::Meaning;

/// The cause of a failure.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A failed call, with its meaning and cause. The SDK has already retried it.
#[derive(Debug)]
pub struct Failure {
    /// The meaning to the caller.
    pub meaning: Meaning,
    /// The error of the service or the connection.
    pub cause: BoxError,
}

impl Failure {
    /// Classifies an error of the SDK. A call without an answer may have taken effect, and is
    /// [`Meaning::Transient`].
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
            // The program has built an invalid request.
            SdkError::ConstructionFailure(_) => Meaning::Refused,
            _ => Meaning::Transient,
        };
        Self { meaning, cause: explain(&error).into() }
    }

    /// An item that the service can never accept, as the adapter knows.
    pub fn invalid(cause: impl Into<BoxError>) -> Self {
        Self { meaning: Meaning::Invalid, cause: cause.into() }
    }

    /// A request that the program cannot build.
    pub fn refused(cause: impl Into<BoxError>) -> Self {
        Self { meaning: Meaning::Refused, cause: cause.into() }
    }
}

/// How the TLS library begins its error about a certificate.
const REJECTED: &str = "invalid peer certificate";

/// An error of the SDK with all its causes. If the service's certificate was rejected, it also says what to do.
pub fn explain(error: &(dyn std::error::Error + 'static)) -> String {
    let text = DisplayErrorContext(error).to_string();
    if text.contains(REJECTED) {
        format!(
            "The certificate of the service is not trusted. A function trusts the authorities of AWS. For another \
             endpoint, set SSL_CERT_FILE to a PEM file with its authorities. {text}"
        )
    } else {
        text
    }
}

/// Most ports limit their input, so the service finds an item invalid only if the program is wrong.
impl From<Failure> for PortError {
    fn from(Failure { meaning, cause }: Failure) -> Self {
        match meaning {
            Meaning::Throttled => Self::Throttled,
            Meaning::Transient => Self::Unavailable(cause),
            Meaning::Refused | Meaning::Invalid => Self::Refused(cause),
        }
    }
}

macro_rules! from_port_error {
    ($($error:ident),+) => {$(
        impl From<Failure> for $error {
            fn from(failure: Failure) -> Self {
                PortError::from(failure).into()
            }
        }
    )+};
}

from_port_error!(
    StoreError,
    DeadlineError,
    ExportError,
    KeyringError,
    QuarantineError,
    PayloadError
);

impl From<Failure> for ReadStoreError {
    fn from(failure: Failure) -> Self {
        match failure.meaning {
            Meaning::Invalid => Self::Invalid(failure.cause),
            _ => PortError::from(failure).into(),
        }
    }
}
