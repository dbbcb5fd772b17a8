use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use ledgerfold::ports::{DeadlineError, QuarantineError, ReadStoreError, StoreError};

/// What a failed call means to whoever made it. The client has tried again already.
pub(crate) enum Failure {
    Throttled,
    Unavailable(BoxError),
    /// An item or a key is larger than DynamoDB takes.
    TooLarge(BoxError),
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
            Some("ValidationException") if is_too_large(service.err().message()) => {
                Self::TooLarge(text)
            }
            Some(_) => Self::Refused(text),
        }
    }
}

/// DynamoDB has one code for all that is invalid, so that its words must do: "Item size has exceeded the
/// maximum allowed size", "Size of hashkey has exceeded the maximum size limit", "Size limit exceeded",
/// of an index. In other words it is a refusal like others.
pub(crate) fn is_too_large(message: Option<&str>) -> bool {
    let message = message.unwrap_or_default().to_lowercase();
    message.contains("size") && message.contains("exceeded")
}

/// The ports' errors say these alike. Most are of ports that bound what they are given, and have no word
/// for what is too large.
macro_rules! said_by {
    ($($error:ident),+) => {$(
        impl From<Failure> for $error {
            fn from(failure: Failure) -> Self {
                match failure {
                    Failure::Throttled => Self::Throttled,
                    Failure::Unavailable(error) => Self::Unavailable(error),
                    Failure::TooLarge(error) | Failure::Refused(error) => Self::Refused(error),
                }
            }
        }
    )+};
}

said_by!(StoreError, DeadlineError, QuarantineError);

impl From<Failure> for ReadStoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Throttled => Self::Throttled,
            Failure::Unavailable(error) => Self::Unavailable(error),
            Failure::TooLarge(error) => Self::TooLarge(error),
            Failure::Refused(error) => Self::Refused(error),
        }
    }
}
