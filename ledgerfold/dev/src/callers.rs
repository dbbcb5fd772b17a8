//! The callers of the development server, and a token to begin with.

use std::sync::Arc;

use ledgerfold::{Caller, Granted, Subject, TenantId, Via, ports::Clock};
use ledgerfold_aws::SystemClock;
use ledgerfold_lambda::{Service, http::Authentication};
use ledgerfold_tokens::{
    EmptySetting, InvalidKeySet, KeySet, TrustedIssuer, Verifier,
    issuer::{Grant, IssuerError, LocalIssuer},
};

/// The issuer is part of the server, so its name is no address.
const ISSUER: &str = "ledgerfold-dev";

/// How callers of the development server prove who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// By a token of an issuer that the server makes when it starts.
    #[default]
    Token,
    /// Not at all: every caller is anonymous, with every role.
    None,
}

/// The issuer of the development server cannot make tokens.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It has no keys, or cannot sign.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// Its key set cannot be read.
    #[error(transparent)]
    Keys(#[from] InvalidKeySet),
    /// The context has no name.
    #[error(transparent)]
    Name(#[from] EmptySetting),
}

/// The authentication of the server, with a caller to begin with.
pub(crate) struct Callers {
    pub(crate) authentication: Arc<Authentication>,
    /// The caller of the examples.
    pub(crate) first: Caller,
    /// Its token, if it needs one.
    pub(crate) token: Option<String>,
}

impl Callers {
    pub(crate) fn of(service: &Service, auth: Auth) -> Result<Self, TokenError> {
        match auth {
            Auth::None => Ok(Self {
                authentication: Arc::new(Authentication::None),
                first: Caller::anonymous(),
                token: None,
            }),
            Auth::Token => Self::with_token(service),
        }
    }

    fn with_token(service: &Service) -> Result<Self, TokenError> {
        let audience = service.context().name();
        let clock = Arc::new(SystemClock);
        let issuer = LocalIssuer::generate(ISSUER, audience)?;
        let roles = service.api().example_roles().to_vec();
        let subject = Subject::new("dev").expect("it has only letters");
        let grant = Grant { roles: roles.clone(), ..Grant::of(subject.clone()) };
        let token = issuer.mint(&grant, clock.now())?;
        let keys = KeySet::parse(issuer.key_set()?.as_bytes())?;
        let verifier = Verifier::new(TrustedIssuer::new(ISSUER, audience)?, keys);
        Ok(Self {
            authentication: Arc::new(Authentication::Token { verifier: Box::new(verifier), clock }),
            first: Caller {
                tenant: TenantId::default_tenant(),
                subject,
                roles: Granted::only(roles),
                scopes: Granted::none(),
                via: Via::Token,
            },
            token: Some(token),
        })
    }
}
