use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use ledgerfold::ports::{DeadlineError, QuarantineError, ReadStoreError, StoreError};

/// What a failed call means to whoever made it. The client has tried again already.
pub(crate) enum Failure {
    Throttled,
    Unavailable(BoxError),
    Refused(BoxError),
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Failure {
    #[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
    pub(crate) fn of<E, R>(error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let text: BoxError = DisplayErrorContext(&error).to_string().into();
        let SdkError::ServiceError(service) = &error else {
            return Self::Unavailable(text);
        };
        match service.err().code() {
            Some(
                "ProvisionedThroughputExceededException"
                | "ThrottlingException"
                | "RequestLimitExceeded"
                | "LimitExceededException",
            ) => Self::Throttled,
            Some("InternalServerError" | "ServiceUnavailable" | "InternalFailure") | None => {
                Self::Unavailable(text)
            }
            Some(_) => Self::Refused(text),
        }
    }
}

/// The ports' errors say these three alike.
macro_rules! said_by {
    ($($error:ident),+) => {$(
        impl From<Failure> for $error {
            fn from(failure: Failure) -> Self {
                match failure {
                    Failure::Throttled => Self::Throttled,
                    Failure::Unavailable(error) => Self::Unavailable(error),
                    Failure::Refused(error) => Self::Refused(error),
                }
            }
        }
    )+};
}

said_by!(StoreError, ReadStoreError, DeadlineError, QuarantineError);
