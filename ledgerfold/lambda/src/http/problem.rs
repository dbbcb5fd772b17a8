//! Problems (RFC 9457), and the one place that maps each failure to its HTTP answer.

use ledgerfold::{
    Rejection, RejectionKind, UniqueKey,
    command::{CommandError, LoadError},
    keyring::FetchKeysError,
    ports::{KeyringError, PortError, ReadStoreError, StoreError},
    query::QueryError,
    sealed::OpenError,
};
use serde::Serialize;

use super::{Response, StatusCode};
use crate::metrics;

/// How long a caller should wait before it retries, in seconds.
const RETRY_AFTER: &str = "1";

/// A failure as the caller sees it: RFC 9457, with one `type` for each reason that a caller can act on. Internal
/// details are logged and never sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    status: StatusCode,
    name: String,
    title: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    headers: Vec<(&'static str, String)>,
}

/// An invalid field of a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// A JSON pointer to the field, for example `/items/0/quantity`.
    pub pointer: String,
    /// The error, and the allowed values.
    pub detail: String,
}

impl Problem {
    /// A problem of the type `/problems/<name>`.
    pub fn new(
        status: StatusCode,
        name: impl Into<String>,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        let name = name.into();
        let detail = detail.into();
        Self { status, name, title, detail, errors: Vec::new(), headers: Vec::new() }
    }

    /// The request violates the contract.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", "The request is malformed", detail)
    }

    /// Fields of the body are invalid. The problem names all of them.
    pub fn invalid_body(errors: Vec<FieldError>) -> Self {
        let count = errors.len();
        let detail = format!("{count} field{} invalid.", if count == 1 { " is" } else { "s are" });
        let problem =
            Self::new(StatusCode::BAD_REQUEST, "invalid-body", "The body is invalid", detail);
        Self { errors, ..problem }
    }

    /// The resource does not exist.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "The resource does not exist", detail)
    }

    /// The resource is about a person whose data was erased. It existed, and nobody can show it any more.
    pub fn erased(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::GONE, "erased", "The data was erased", detail)
    }

    /// A rule of the context forbids the caller to do this, whatever the state of the resource is.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "The caller may not do this", detail)
    }

    /// The resource does not exist for the caller.
    pub(super) fn no_such_resource() -> Self {
        Self::not_found("There is no such resource.")
    }

    /// The path allows only these methods. They are listed in the header `Allow`.
    pub fn method_not_allowed(allowed: &str) -> Self {
        let detail = format!("Only {allowed} is allowed here.");
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Self::new(status, "method-not-allowed", "The method is not allowed here", detail)
            .with_header("Allow", allowed)
    }

    /// The Content-Type is not JSON.
    pub fn unsupported_media_type() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "The body must be JSON",
            "Content-Type must be application/json, in UTF-8.",
        )
    }

    /// The body, or a commit that results from it, is too large.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The request is too large", detail)
    }

    /// A defect of the service. The log has the details.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal-error",
            "Internal error",
            "Nothing was changed. The error was logged under this request's id.",
        )
    }

    /// A table or the like limits the rate of requests.
    fn throttled() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "throttled",
            "Too many requests at the moment",
            "Send the same request again later.",
        )
        .with_header("Retry-After", RETRY_AFTER)
    }

    /// A service behind this one does not answer.
    pub(super) fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
                "The service is temporarily unavailable",
                "Send the same request again later, with the same Idempotency-Key. It takes effect only once.",
        )
        .with_header("Retry-After", RETRY_AFTER)
    }

    pub(super) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The response to the request with this id.
    pub fn into_response(self, request_id: &str) -> Response {
        #[derive(Serialize)]
        struct Body<'a> {
            #[serde(rename = "type")]
            kind: String,
            title: &'a str,
            status: u16,
            detail: &'a str,
            instance: &'a str,
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            errors: &'a [FieldError],
        }
        let body = Body {
            kind: format!("/problems/{}", self.name),
            title: self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
            instance: request_id,
            errors: &self.errors,
        };
        // A struct of strings and numbers can always be written as JSON.
        let body = serde_json::to_string(&body).unwrap_or_default();
        let mut headers = vec![("Content-Type", "application/problem+json".to_owned())];
        headers.extend(self.headers);
        Response { status: self.status, headers, body }
    }
}

impl<R: Rejection> From<CommandError<R>> for Problem {
    fn from(error: CommandError<R>) -> Self {
        match error {
            CommandError::Rejected(rejection) => rejected(&rejection),
            CommandError::Forbidden => Self::forbidden("The caller may not send this command."),
            CommandError::Hidden => Self::no_such_resource(),
            CommandError::ExpectedVersion { actual, .. } => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "version-mismatch",
                "The version in If-Match is not the current one",
                format!("The current version is {actual}."),
            ),
            CommandError::Reused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "The Idempotency-Key was used for another request",
                "This key belongs to an earlier request with different content. Nothing was changed now. \
                         To repeat the earlier request, send it unchanged. Before you send this one with a new key, \
                         read the resource: the earlier request may have done what you want.",
            ),
            CommandError::SameStream { .. } => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "same-resource",
                "The request names the same resource twice",
                error.to_string(),
            ),
            CommandError::Contention { .. } => Self::new(
                StatusCode::CONFLICT,
                "contention",
                "The resource is being changed by other requests",
                "Other requests kept changing the same resource. Send this request again.",
            )
            .with_header("Retry-After", RETRY_AFTER),
            CommandError::TooLarge(reason) => Self::too_large(format!("The command: {reason}.")),
            CommandError::Store(error) => error.into(),
            CommandError::Reserved { ref key, .. } => Self::new(
                StatusCode::CONFLICT,
                format!("{}-taken", key.key.kind().as_str()),
                "The value is already taken",
                taken(&key.key),
            ),
            CommandError::Transaction(_)
            | CommandError::NotReserved { .. }
            | CommandError::NotAmongStreams { .. }
            | CommandError::UnkeyedClaim(_)
            | CommandError::UndeclaredStrict(_) => defect(&error),
            CommandError::Load(error) => error.into(),
            CommandError::Encode(error) => defect(&error),
            CommandError::Panicked(error) => defect(&error),
        }
    }
}

/// A keyed hash says nothing to the caller, and would let it compare the keys of others.
fn taken(key: &UniqueKey) -> String {
    let kind = key.kind().as_str();
    match key.is_keyed() {
        true => format!("The {kind} is already taken."),
        false => format!("The {kind} {:?} is already taken.", key.value()),
    }
}

fn rejected(rejection: &impl Rejection) -> Problem {
    match rejection.kind() {
        RejectionKind::NotFound => Problem::not_found(rejection.to_string()),
        RejectionKind::Erased => Problem::erased(rejection.to_string()),
        RejectionKind::Conflict => Problem::new(
            StatusCode::CONFLICT,
            rejection.rule(),
            "The current state does not allow this",
            rejection.to_string(),
        ),
    }
}

impl From<LoadError> for Problem {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Store(error) => error.into(),
            LoadError::Event { .. } | LoadError::Panicked { .. } | LoadError::Hole { .. } => {
                defect(&error)
            }
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Port(PortError::Throttled) => Self::throttled(),
            StoreError::Port(PortError::Unavailable(_)) | StoreError::Newer { .. } => {
                unavailable(&error)
            }
            StoreError::Port(PortError::Refused(_)) | StoreError::Corrupt { .. } => defect(&error),
        }
    }
}

/// Also throttling of keys is 503: the limits of KMS are those of the whole account, and not of the caller.
impl From<KeyringError> for Problem {
    fn from(error: KeyringError) -> Self {
        metrics::key_failure();
        match error {
            KeyringError::Port(PortError::Throttled | PortError::Unavailable(_)) => {
                unavailable(&error)
            }
            KeyringError::Port(PortError::Refused(_)) | KeyringError::Damaged { .. } => {
                defect(&error)
            }
        }
    }
}

impl From<FetchKeysError> for Problem {
    fn from(error: FetchKeysError) -> Self {
        match error {
            FetchKeysError::Keyring(error) => error.into(),
            FetchKeysError::TooManySubjects(_) => {
                Self::too_large("It is about too many people at once.")
            }
            FetchKeysError::Encode(error) => defect(&error),
        }
    }
}

/// An error while opening is never an erasure. Only an outdated key becomes right by itself, when the cached one expires.
impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Outdated { .. } => unavailable(&error),
            _ => defect(&error),
        }
    }
}

impl From<ReadStoreError> for Problem {
    fn from(error: ReadStoreError) -> Self {
        match error {
            ReadStoreError::Port(PortError::Throttled) => Self::throttled(),
            ReadStoreError::Port(PortError::Unavailable(_)) | ReadStoreError::Newer { .. } => {
                unavailable(&error)
            }
            ReadStoreError::Port(PortError::Refused(_))
            | ReadStoreError::Invalid(_)
            | ReadStoreError::Corrupt { .. } => defect(&error),
        }
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Log(error) => error.into(),
            QueryError::ReadStore(error) => error.into(),
            QueryError::Forbidden => Self::forbidden("The caller may not see this."),
            QueryError::Ahead { .. } => {
                Self::bad_request("Consistency-Token was not issued by this service.")
            }
            QueryError::Fold(_) => defect(&error),
        }
    }
}

fn unavailable(error: &dyn std::error::Error) -> Problem {
    tracing::warn!(%error, "a dependency is unavailable");
    Problem::unavailable()
}

pub(super) fn defect(error: &dyn std::error::Error) -> Problem {
    tracing::error!(%error, "defect");
    Problem::internal()
}

#[cfg(test)]
mod tests {
    use ledgerfold::ports::PortError;

    use super::{KeyringError, Problem, ReadStoreError, Response, StatusCode, StoreError};

    /// The status and type of a failure's response, and whether it has `Retry-After`.
    fn answered(failure: impl Into<Problem>) -> (u16, String, bool) {
        let Response { status, headers, body } = failure.into().into_response("request-1");
        let secret = ["secret", "Dynamo", "arn:"].iter().any(|word| body.contains(word));
        assert!(!secret, "the response contains internal details: {body}");
        let body: serde_json::Value = serde_json::from_str(&body).expect("it is JSON");
        let kind = body["type"].as_str().unwrap_or_default().to_owned();
        (status.as_u16(), kind, headers.iter().any(|(name, _)| *name == "Retry-After"))
    }

    #[test]
    fn a_transient_failure_has_retry_after_and_a_permanent_one_is_internal() {
        let cause = || "the secret arn:aws:table".into();
        let throttled = (429, "/problems/throttled".to_owned(), true);
        let unavailable = (503, "/problems/unavailable".to_owned(), true);
        let defect = (500, "/problems/internal-error".to_owned(), false);
        assert_eq!(answered(StoreError::Port(PortError::Throttled)), throttled);
        assert_eq!(answered(StoreError::Port(PortError::Unavailable(cause()))), unavailable);
        assert_eq!(answered(StoreError::Port(PortError::Refused(cause()))), defect);
        assert_eq!(answered(KeyringError::Port(PortError::Throttled)), unavailable);
        assert_eq!(answered(KeyringError::Port(PortError::Unavailable(cause()))), unavailable);
        assert_eq!(answered(KeyringError::Port(PortError::Refused(cause()))), defect);
        let of = "tenant#secret".to_owned();
        let reason = "secret".to_owned();
        assert_eq!(answered(KeyringError::Damaged { of, reason }), defect);
        assert_eq!(answered(ReadStoreError::Port(PortError::Throttled)), throttled);
        assert_eq!(answered(ReadStoreError::Port(PortError::Unavailable(cause()))), unavailable);
        assert_eq!(answered(ReadStoreError::Port(PortError::Refused(cause()))), defect);
        assert_eq!(answered(Problem::new(StatusCode::CONFLICT, "rule", "title", "detail")).0, 409);
    }
}
