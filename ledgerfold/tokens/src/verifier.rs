//! From the text of a token to a caller.

use std::sync::Arc;

use ledgerfold::{Caller, Timestamp};

use crate::{FetchedKeys, InvalidToken, KeySet, KeysUnavailable, TrustedIssuer, jws::Jws};

/// The most bytes of a token. API Gateway accepts 10,240 bytes for all headers of a request.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Verifies the tokens of one issuer.
#[derive(Debug)]
pub struct Verifier {
    issuer: TrustedIssuer,
    keys: Keys,
}

/// The keys of an issuer.
#[derive(Debug)]
pub enum Keys {
    /// From the configuration.
    Fixed(Arc<KeySet>),
    /// From the issuer.
    Fetched(FetchedKeys),
}

impl From<KeySet> for Keys {
    fn from(keys: KeySet) -> Self {
        Self::Fixed(Arc::new(keys))
    }
}

impl From<FetchedKeys> for Keys {
    fn from(keys: FetchedKeys) -> Self {
        Self::Fetched(keys)
    }
}

/// Why a request has no caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The token does not hold: status 401, with `WWW-Authenticate: Bearer error="invalid_token"`.
    #[error("invalid token: {0}")]
    Invalid(#[from] InvalidToken),
    /// Nobody knows yet: status 503, with `Retry-After`.
    #[error(transparent)]
    Unavailable(#[from] KeysUnavailable),
}

impl Verifier {
    /// A verifier of the issuer's tokens with these keys.
    pub fn new(issuer: TrustedIssuer, keys: impl Into<Keys>) -> Self {
        Self { issuer, keys: keys.into() }
    }

    /// The caller that a token names at this time. The claims are not read before the signature was verified.
    ///
    /// # Errors
    /// [`VerifyError`]. Log it, and tell the client no more than its variant says.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Caller, VerifyError> {
        let token = Jws::parse(token)?;
        let keys = match &self.keys {
            Keys::Fixed(keys) => Arc::clone(keys),
            Keys::Fetched(keys) => keys.with_key(&token.key_id, now).await?,
        };
        let claims = keys.claims(&token)?;
        Ok(self.issuer.caller(&claims, now)?)
    }
}

/// The token in the value of a header `Authorization` (RFC 6750, section 2.1). The name of the scheme may have any case.
///
/// # Errors
/// [`InvalidToken::NotBearer`].
pub fn bearer(authorization: &str) -> Result<&str, InvalidToken> {
    let (scheme, token) = authorization.split_once(' ').ok_or(InvalidToken::NotBearer)?;
    let token = token.trim_start_matches(' ');
    let is_one =
        !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
    if scheme.eq_ignore_ascii_case("bearer") && is_one {
        Ok(token)
    } else {
        Err(InvalidToken::NotBearer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_is_the_only_credential_of_its_header() {
        for good in ["Bearer a.b.c", "bearer a.b.c", "BEARER  a.b.c"] {
            assert_eq!(bearer(good), Ok("a.b.c"), "{good}");
        }
        let bad =
            ["", "Bearer", "Bearer ", "a.b.c", "Basic a.b.c", "Bearera.b.c", "Bearer a.b.c d"];
        for bad in bad.into_iter().chain(["Bearer a.b.c, Bearer d", "Bearer a.b.c ", "Bearer é"]) {
            assert_eq!(bearer(bad), Err(InvalidToken::NotBearer), "{bad}");
        }
    }
}
