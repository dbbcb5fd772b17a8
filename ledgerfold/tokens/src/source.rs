//! Where the key set of an issuer comes from.

use std::{fmt, net::IpAddr, str::FromStr};

use async_trait::async_trait;
use http::{Uri, uri::Scheme};

/// The port to the key set of an issuer.
#[async_trait]
pub trait KeySource: Send + Sync {
    /// Fetches the text of the key set. The implementation bounds its time, and its length by
    /// [`MAX_KEY_SET_BYTES`](crate::MAX_KEY_SET_BYTES).
    ///
    /// # Errors
    /// [`KeySourceError`], also for an answer that is longer.
    async fn fetch(&self) -> Result<Vec<u8>, KeySourceError>;
}

/// A key set could not be fetched. The text has the reason, for the log.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct KeySourceError(#[from] Box<dyn std::error::Error + Send + Sync>);

impl KeySourceError {
    /// An error with this reason.
    pub fn new(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(reason.into())
    }
}

/// The address of a key set. A change of the answer on its way would let anybody sign tokens, so the scheme is `https`. Only for an
/// address of this machine it may be `http`.
///
/// ```
/// use ledgerfold_tokens::KeySetUrl;
///
/// assert!("https://issuer.example.org/jwks.json".parse::<KeySetUrl>().is_ok());
/// assert!("http://127.0.0.1:8080/jwks.json".parse::<KeySetUrl>().is_ok());
/// assert!("http://issuer.example.org/jwks.json".parse::<KeySetUrl>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySetUrl(Uri);

/// A text that is not the address of a key set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not the address of a key set: it must begin with https://, or http:// on this machine, and have no user"
)]
pub struct InvalidUrl(String);

impl FromStr for KeySetUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        let invalid = || InvalidUrl(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| invalid())?;
        let authority = uri.authority().ok_or_else(invalid)?;
        let is_safe = uri.scheme() == Some(&Scheme::HTTPS)
            || uri.scheme() == Some(&Scheme::HTTP) && is_loopback(authority.host());
        let has_user = authority.as_str().contains('@');
        if is_safe && !has_user && !authority.host().is_empty() {
            Ok(Self(uri))
        } else {
            Err(invalid())
        }
    }
}

impl KeySetUrl {
    /// Scheme and authority, for example `https://issuer.example.org`.
    pub fn origin(&self) -> String {
        let scheme = self.0.scheme_str().unwrap_or_default();
        let authority = self.0.authority().map_or("", |authority| authority.as_str());
        format!("{scheme}://{authority}")
    }

    /// Path and query, for example `/jwks.json`.
    pub fn path(&self) -> &str {
        self.0.path_and_query().map_or("/", |path| path.as_str())
    }
}

impl fmt::Display for KeySetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `localhost` is this machine by RFC 6761, section 6.3.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_may_serve_keys_without_tls() {
        for good in [
            "https://issuer.example.org/jwks.json",
            "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_A/.well-known/jwks.json",
            "HTTPS://issuer.example.org:8443",
            "http://localhost/keys",
            "http://LOCALHOST:9000/keys",
            "http://127.8.0.1/keys",
            "http://[::1]:9000/keys",
        ] {
            assert!(good.parse::<KeySetUrl>().is_ok(), "{good} was refused");
        }
        for bad in [
            "",
            "/jwks.json",
            "issuer.example.org",
            "ftp://issuer.example.org",
            "file:///etc/passwd",
            "http://issuer.example.org/jwks.json",
            "http://127.0.0.1@issuer.example.org/",
            "http://localhost:80@issuer.example.org/",
            "https://user:secret@issuer.example.org/",
            "http://127.0.0.1.example.org/",
            "http://localhost.example.org/",
            "http://0.0.0.0/",
            "http://169.254.169.254/",
            "http://[::2]/",
            "https:///jwks.json",
        ] {
            assert!(bad.parse::<KeySetUrl>().is_err(), "{bad} was accepted");
        }
    }
}
