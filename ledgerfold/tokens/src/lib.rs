//! Verifies the tokens of callers: JSON Web Tokens (RFC 7519) with ES256 or RS256, as OpenID Connect and OAuth 2.0
//! issuers make them, and turns them into a [`Caller`](ledgerfold::Caller).
//!
//! ```
//! use ledgerfold::{Role, Timestamp};
//! use ledgerfold_tokens::{KeySet, TrustedIssuer, Verifier, VerifyError};
//! # use ledgerfold_tokens::issuer::{Grant, LocalIssuer};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let issuer = LocalIssuer::generate("https://issuer.example.org", "orders")?;
//! # let grant = Grant { roles: vec![Role::from_static("staff")], ..Grant::of("ada".parse()?) };
//! # let now = "2026-11-23T12:00:00Z".parse()?;
//! # let token = issuer.mint(&grant, now)?;
//! # let jwks = issuer.key_set()?;
//! let trusted = TrustedIssuer::new("https://issuer.example.org", "orders")?;
//! let verifier = Verifier::new(trusted, KeySet::parse(jwks.as_bytes())?);
//!
//! let caller = verifier.verify(&token, now).await?;
//! assert_eq!(caller.subject.as_str(), "ada");
//! assert_eq!(caller.tenant.as_str(), "default");
//! assert!(caller.has_role(&Role::from_static("staff")));
//!
//! let tomorrow: Timestamp = "2026-11-24T12:00:00Z".parse()?;
//! let refused = verifier.verify(&token, tomorrow).await;
//! assert!(matches!(refused, Err(VerifyError::Invalid(_))));
//! # Ok(())
//! # }
//! ```
//!
//! # Checks
//!
//! In this order, so that no claim is read before its signature was verified:
//!
//! 1. The form: at most [`MAX_TOKEN_BYTES`], three parts, base64url with one spelling, JSON objects without repeated
//!    names.
//! 2. The header. `alg` is ES256 or RS256, and `typ`, if present, `JWT` or `at+jwt`. `kid` is present. `crit` and `b64`
//!    are refused. Keys and addresses of keys (`jwk`, `jku`, `x5c`, `x5u`) are ignored.
//! 3. The key: the one with this `kid` in the issuer's key set. It must belong to the algorithm in the header.
//! 4. The signature, over the header and claims as they were sent.
//! 5. The claims. `iss` is the issuer. `aud` contains us, or is absent and `client_id` is us. `exp`, which is required,
//!    `nbf` and `iat` fit the time, give or take 30 seconds. `sub` is a [`Subject`](ledgerfold::Subject).
//! 6. Tenant, roles and scopes, from claims with configurable names ([`ClaimNames`]).
//!
//! An access token and an ID token of one issuer may have the same audience. Use an audience of your own for the API; with
//! Cognito, both name the client, so both are accepted.
//!
//! # Keys
//!
//! A key set comes from the configuration ([`KeySet::parse`]) or from the issuer ([`FetchedKeys`], through the port
//! [`KeySource`]). `ledgerfold-aws` has an implementation over HTTP.
//!
//! # The local issuer
//!
//! With the feature `issuer`, the module `issuer` makes keys and tokens for the local cloud, for development in one
//! process, and for tests.
//!
//! Nothing about HTTP, AWS or a deployment belongs in this crate.

mod claims;
mod fetched;
mod invalid;
#[cfg(feature = "issuer")]
pub mod issuer;
mod json;
mod jws;
mod key;
mod key_set;
mod source;
mod verifier;

pub use claims::{ClaimName, ClaimNames, EmptySetting, TrustedIssuer};
pub use fetched::{FetchedKeys, KeysUnavailable};
pub use invalid::{InvalidToken, Part, Quoted};
pub use key::{Algorithm, Unusable};
pub use key_set::{IgnoredKey, InvalidKeySet, KeySet, MAX_KEY_SET_BYTES};
pub use source::{InvalidUrl, KeySetUrl, KeySource, KeySourceError};
pub use verifier::{Keys, MAX_TOKEN_BYTES, Verifier, VerifyError, bearer};
