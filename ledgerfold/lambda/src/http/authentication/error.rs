//! The reasons why the settings of the authentication are invalid.

use ledgerfold::context::variables::AUTHENTICATION;
use ledgerfold_tokens::{EmptySetting, InvalidKeySet, InvalidUrl};

use crate::{
    InvalidTrustStore,
    service::{InvalidVariable, MissingVariable},
};

/// The environment does not say how callers prove who they are. A function with this error does not start.
#[derive(Debug, thiserror::Error)]
pub enum InvalidAuthentication {
    /// The way is missing. There is no default, because a forgotten setting would let everybody in.
    #[error("the environment variable {AUTHENTICATION} is not set; it must be {ALLOWED}")]
    Missing,
    /// The way does not exist.
    #[error("the environment variable {AUTHENTICATION} is {0:?}; it must be {ALLOWED}")]
    Unknown(String),
    /// A variable that the way needs is missing.
    #[error(transparent)]
    Variable(#[from] MissingVariable),
    /// A variable is invalid.
    #[error(transparent)]
    Invalid(#[from] InvalidVariable),
    /// The issuer or the audience is empty.
    #[error("the variables of tokens: {0}")]
    Empty(#[from] EmptySetting),
    /// The key set cannot be used. The text of the set is left out.
    #[error("the environment variable TOKEN_KEYS: {0}")]
    Keys(#[from] InvalidKeySet),
    /// The address of the key set cannot be used.
    #[error("the environment variable TOKEN_KEYS must be a JSON Web Key Set or its address: {0}")]
    Address(#[from] InvalidUrl),
    /// The certificates that the client of the issuer trusts cannot be read.
    #[error(transparent)]
    Trust(#[from] InvalidTrustStore),
}

/// The values of [`AUTHENTICATION`].
const ALLOWED: &str = "token, gateway, api-key or none";
