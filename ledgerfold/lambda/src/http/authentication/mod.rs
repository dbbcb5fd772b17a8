//! The caller of a request: the one place where credentials become a [`Caller`].
//!
//! Every request passes here before a route is looked for, so no operation can forget it. The client learns whether it
//! has to send a token, and whether the one that it sent holds. The log has the reason, and never the token.

mod error;
mod gateway;
mod settings;

use std::sync::Arc;

use ledgerfold::{Caller, Granted, InvalidId, Role, ports::Clock};
use ledgerfold_tokens::{ClaimNames, InvalidToken, Verifier, VerifyError, bearer};
use serde_json::Value;

use super::{Problem, StatusCode};

pub use error::InvalidAuthentication;

/// The schemes of a challenge (RFC 6750, section 3). A client that sent no token gets no error code.
const CHALLENGE: &str = "Bearer";
const CHALLENGE_AFTER_A_TOKEN: &str = "Bearer error=\"invalid_token\"";

/// How callers prove who they are. A function has one way, which its environment chooses.
pub enum Authentication {
    /// By a token that the service verifies. The clock tells whether it has expired.
    Token {
        /// The verifier of the issuer's tokens.
        verifier: Box<Verifier>,
        /// The clock.
        clock: Arc<dyn Clock>,
    },
    /// By an authorizer of the gateway. Its claims have these names.
    Gateway(ClaimNames),
    /// By an API key that the gateway has checked. All callers have these roles, in the tenant `default`.
    ApiKey(Granted<Role>),
    /// Not at all: every caller is anonymous.
    None,
}

/// The parts of a request that can prove who its caller is.
pub(super) struct Credentials<'a> {
    /// The values of the header `Authorization`.
    pub(super) authorization: Vec<&'a str>,
    /// The gateway's own data about the request, which no client can set.
    pub(super) context: &'a Value,
}

/// The reason why a request has no caller, for the log.
#[derive(Debug, PartialEq, thiserror::Error)]
enum Refusal {
    /// No token was sent.
    #[error("the request has no bearer token")]
    NoToken,
    /// The token does not hold.
    #[error(transparent)]
    Token(#[from] InvalidToken),
    /// The gateway has not established a caller.
    #[error("the gateway has established no caller")]
    NoCaller,
    /// The gateway has established a caller whose data break a rule of ours.
    #[error("the {0} that the gateway has established must be {1}")]
    Claim(&'static str, &'static str),
    /// The gateway has established a caller with an invalid name.
    #[error("the caller that the gateway has established: {0}")]
    Subject(InvalidId),
}

impl Authentication {
    /// The caller of a request.
    ///
    /// # Errors
    /// 401 without valid credentials; 503 if the keys of the issuer cannot be fetched.
    pub(super) async fn caller(&self, credentials: &Credentials<'_>) -> Result<Caller, Problem> {
        match self {
            Self::Token { verifier, clock } => verified(verifier, &**clock, credentials).await,
            Self::Gateway(names) => {
                gateway::caller(credentials.context, names).map_err(|reason| refused(&reason))
            }
            Self::ApiKey(roles) => gateway::caller_of_key(credentials.context, roles)
                .map_err(|reason| refused(&reason)),
            Self::None => Ok(Caller::anonymous()),
        }
    }
}

async fn verified(
    verifier: &Verifier,
    clock: &dyn Clock,
    credentials: &Credentials<'_>,
) -> Result<Caller, Problem> {
    let token = token(&credentials.authorization).map_err(|reason| refused(&reason))?;
    match verifier.verify(token, clock.now()).await {
        Ok(caller) => Ok(caller),
        Err(VerifyError::Invalid(reason)) => Err(refused(&reason.into())),
        Err(VerifyError::Unavailable(reason)) => {
            tracing::warn!(error = %reason, "no token can be verified");
            Err(Problem::unavailable())
        }
    }
}

/// The one token of a request. A request with two tokens has none that we could choose.
fn token<'a>(authorization: &[&'a str]) -> Result<&'a str, Refusal> {
    let is_bearer = |value: &&str| {
        let scheme = value.trim_start_matches([' ', '\t']).split([' ', '\t', ',']).next();
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"))
    };
    if !authorization.iter().any(is_bearer) {
        return Err(Refusal::NoToken);
    }
    match authorization {
        // White space around a value is not part of it (RFC 9110, section 5.6.3).
        [only] => Ok(bearer(only.trim_matches([' ', '\t']))?),
        _ => Err(InvalidToken::NotBearer.into()),
    }
}

/// The answer to a request without a caller, which does not tell the reason.
fn refused(reason: &Refusal) -> Problem {
    tracing::info!(reason = reason.name(), error = %reason, "the caller is not known");
    let challenge = match reason {
        Refusal::Token(_) => CHALLENGE_AFTER_A_TOKEN,
        _ => CHALLENGE,
    };
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        "The caller is not known",
        "The request has no valid credentials.",
    )
    .with_header("WWW-Authenticate", challenge)
}

impl Refusal {
    /// A short name, for example to count by it.
    const fn name(&self) -> &'static str {
        match self {
            Self::NoToken => "no-token",
            Self::Token(reason) => reason.name(),
            Self::NoCaller => "no-caller",
            Self::Claim(..) | Self::Subject(_) => "claim",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&'static str]) -> Result<String, &'static str> {
        token(values).map(str::to_owned).map_err(|reason| reason.name())
    }

    #[test]
    fn a_request_has_one_bearer_token() {
        for values in [&["Bearer a.b.c"][..], &["bearer  a.b.c"], &[" \tBearer a.b.c \t"]] {
            assert_eq!(read(values), Ok("a.b.c".to_owned()), "{values:?}");
        }
        for values in [&[][..], &[""], &["Basic YTpi"], &["a.b.c"], &["Bearerer a.b.c"]] {
            assert_eq!(read(values), Err("no-token"), "{values:?}");
        }
        for values in [
            &["Bearer"][..],
            &["Bearer "],
            &["Bearer a b"],
            &["Bearer a,Bearer b"],
            &["Bearer a", "Bearer a"],
            &["Basic YTpi", "Bearer a"],
        ] {
            assert_eq!(read(values), Err("not-bearer"), "{values:?}");
        }
    }

    #[tokio::test]
    async fn without_authentication_every_caller_is_anonymous() {
        let credentials =
            Credentials { authorization: vec!["Bearer a.b.c"], context: &Value::Null };
        let caller = Authentication::None.caller(&credentials).await;
        assert_eq!(caller, Ok(Caller::anonymous()));
    }
}
