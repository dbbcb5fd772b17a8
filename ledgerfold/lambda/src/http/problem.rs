use ledgerfold::{
    Rejection, RejectionKind,
    command::CommandError,
    ports::{ReadStoreError, StoreError},
    query::QueryError,
};
use serde::Serialize;

use super::{Response, StatusCode};

/// How long a caller should wait before the next try, in seconds.
const RETRY_AFTER: &str = "1";

/// A failure as a caller sees it: RFC 9457, with one `type` per reason that a caller can act on.
/// What only we can act on goes to the log, and never into an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    status: StatusCode,
    name: String,
    title: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    headers: Vec<(&'static str, String)>,
}

/// What is wrong with one field of a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Which field: a JSON pointer, as `/items/0/quantity`.
    pub pointer: String,
    /// What is wrong with it, and what is allowed.
    pub detail: String,
}

impl Problem {
    /// A problem of this kind: `/problems/<name>`.
    pub fn new(
        status: StatusCode,
        name: impl Into<String>,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        let (name, detail) = (name.into(), detail.into());
        Self { status, name, title, detail, errors: Vec::new(), headers: Vec::new() }
    }

    /// The request is not of the form that the contract asks for.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", "The request is malformed", detail)
    }

    /// Fields of the body are not as the contract asks; all of them are named.
    pub fn invalid_body(errors: Vec<FieldError>) -> Self {
        let count = errors.len();
        let detail = format!("{count} field{} cannot be taken.", if count == 1 { "" } else { "s" });
        let problem = Self::new(
            StatusCode::BAD_REQUEST,
            "invalid-body",
            "The body is not as it should be",
            detail,
        );
        Self { errors, ..problem }
    }

    /// There is no such thing.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is no such thing", detail)
    }

    /// The path takes other methods, as the header `Allow` lists them.
    pub fn method_not_allowed(allowed: &'static str) -> Self {
        let detail = format!("Only {allowed} is allowed here.");
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Self::new(status, "method-not-allowed", "The method is not known here", detail)
            .with_header("Allow", allowed)
    }

    /// The body is not JSON by its own account.
    pub fn unsupported_media_type() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "The body must be JSON",
            "Content-Type must be application/json, in UTF-8.",
        )
    }

    /// The body, or what follows from it, is larger than is taken.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The request is too large", detail)
    }

    /// A defect of ours. The log knows more.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal-error",
            "The service has a defect",
            "Nothing was changed. The defect was logged under this request's id.",
        )
    }

    /// More is asked than is given now.
    fn throttled() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "throttled",
            "Too much is asked at this moment",
            "Send the same request again later.",
        )
        .with_header("Retry-After", RETRY_AFTER)
    }

    /// Something that the service stands on does not answer.
    fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "The service is not available at this moment",
            "Send the same request again later, with the same Idempotency-Key: it takes effect once.",
        )
        .with_header("Retry-After", RETRY_AFTER)
    }

    fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The answer to the request of this id.
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
        // A struct of texts and numbers, which JSON can carry.
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
            CommandError::ExpectedVersion { actual, .. } => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "version-mismatch",
                "If-Match does not hold",
                format!("The version is {actual}."),
            ),
            CommandError::Reused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "The Idempotency-Key was used with another request",
                "This key belongs to an earlier request with other content, and nothing was done now. \
                 To repeat that request, send it as it was. Before you send this one with a new key, \
                 read the resource: the earlier request may have done what you want.",
            ),
            CommandError::SameStream { .. } => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "same-resource",
                "The request names one resource twice",
                error.to_string(),
            ),
            CommandError::Contention { .. } => Self::new(
                StatusCode::CONFLICT,
                "contention",
                "Others were faster",
                "Others kept changing the same thing. Send the same request again.",
            )
            .with_header("Retry-After", RETRY_AFTER),
            CommandError::TooLarge(reason) => Self::too_large(format!("The command: {reason}.")),
            CommandError::Store(error) => error.into(),
            CommandError::Reserved { ref key, .. } => Self::new(
                StatusCode::CONFLICT,
                format!("{}-taken", key.kind().as_str()),
                "It is taken",
                format!("Another one has the {} {:?}.", key.kind().as_str(), key.value()),
            ),
            CommandError::Transaction(_) | CommandError::NotReserved { .. } => defect(&error),
            CommandError::Load(error) => defect(&error),
            CommandError::Encode(error) => defect(&error),
            CommandError::Panicked(error) => defect(&error),
        }
    }
}

fn rejected(rejection: &impl Rejection) -> Problem {
    match rejection.kind() {
        RejectionKind::NotFound => Problem::not_found(rejection.to_string()),
        RejectionKind::Conflict => Problem::new(
            StatusCode::CONFLICT,
            rejection.rule(),
            "The current state does not allow it",
            rejection.to_string(),
        ),
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Throttled => Self::throttled(),
            StoreError::Unavailable(_) | StoreError::Newer { .. } => unavailable(&error),
            StoreError::Refused(_) | StoreError::Corrupt { .. } => defect(&error),
        }
    }
}

impl From<ReadStoreError> for Problem {
    fn from(error: ReadStoreError) -> Self {
        match error {
            ReadStoreError::Throttled => Self::throttled(),
            ReadStoreError::Unavailable(_) | ReadStoreError::Newer { .. } => unavailable(&error),
            ReadStoreError::Refused(_)
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
            QueryError::Ahead { .. } => {
                Self::bad_request("Consistency-Token is not one that this service issued.")
            }
            QueryError::Fold(_) => defect(&error),
        }
    }
}

fn unavailable(error: &dyn std::error::Error) -> Problem {
    tracing::warn!(%error, "not available");
    Problem::unavailable()
}

pub(super) fn defect(error: &dyn std::error::Error) -> Problem {
    tracing::error!(%error, "defect");
    Problem::internal()
}

#[cfg(test)]
mod tests {
    use super::{Problem, ReadStoreError, Response, StatusCode, StoreError};

    /// The status and type of a failure's answer, and whether it says when to come again.
    fn answered(failure: impl Into<Problem>) -> (u16, String, bool) {
        let Response { status, headers, body } = failure.into().into_response("request-1");
        let secret = ["secret", "Dynamo", "arn:"].iter().any(|word| body.contains(word));
        assert!(!secret, "an answer tells what is nobody's business: {body}");
        let body: serde_json::Value = serde_json::from_str(&body).expect("it is JSON");
        let kind = body["type"].as_str().unwrap_or_default().to_owned();
        (status.as_u16(), kind, headers.iter().any(|(name, _)| *name == "Retry-After"))
    }

    #[test]
    fn what_passes_says_when_to_come_again_and_what_does_not_is_a_defect() {
        let cause = || "the secret arn:aws:table".into();
        let throttled = (429, "/problems/throttled".to_owned(), true);
        let unavailable = (503, "/problems/unavailable".to_owned(), true);
        let defect = (500, "/problems/internal-error".to_owned(), false);
        assert_eq!(answered(StoreError::Throttled), throttled);
        assert_eq!(answered(StoreError::Unavailable(cause())), unavailable);
        assert_eq!(answered(StoreError::Refused(cause())), defect);
        assert_eq!(answered(ReadStoreError::Throttled), throttled);
        assert_eq!(answered(ReadStoreError::Unavailable(cause())), unavailable);
        assert_eq!(answered(ReadStoreError::Refused(cause())), defect);
        assert_eq!(answered(Problem::new(StatusCode::CONFLICT, "rule", "title", "detail")).0, 409);
    }
}
