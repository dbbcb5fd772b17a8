//! The local issuer: makes keys and tokens for the local cloud, for development in one process, and for tests.
//!
//! Its private key lies in a file that every program on the machine can read. Never let a deployment on AWS trust it.

use std::{fmt, time::Duration};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ledgerfold::{Role, Scope, Subject, TenantId, Timestamp};
use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::Algorithm;

/// The length of a line of PEM: RFC 7468, section 2.
const PEM_LINE: usize = 64;
/// How long a token holds if nobody says otherwise: a working day.
const LIFETIME: Duration = Duration::from_secs(8 * 60 * 60);

/// An issuer with its private key, as `auth` in the local cloud's `stack.json`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LocalIssuer {
    issuer: String,
    audience: String,
    algorithm: Algorithm,
    key_id: String,
    /// PKCS #8, as PEM.
    private_key: String,
}

/// The content of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// `sub`.
    pub subject: Subject,
    /// `tenant`.
    pub tenant: TenantId,
    /// `roles`.
    pub roles: Vec<Role>,
    /// `scope`.
    pub scopes: Vec<Scope>,
    /// The time until `exp`.
    pub lifetime: Duration,
}

impl Grant {
    /// A subject of the tenant `default`, without roles and scopes, for a working day.
    pub fn of(subject: Subject) -> Self {
        Self {
            subject,
            tenant: TenantId::default_tenant(),
            roles: Vec::new(),
            scopes: Vec::new(),
            lifetime: LIFETIME,
        }
    }
}

/// An issuer that cannot make tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// The algorithm is not ES256.
    #[error("the local issuer signs with ES256, not with {}", .0.name())]
    Algorithm(Algorithm),
    /// The private key cannot be read.
    #[error("the private key of the local issuer is not a PEM file with a P-256 key in PKCS #8")]
    PrivateKey,
    /// The token would end after the last instant that exists.
    #[error("the token would never expire")]
    Lifetime,
    /// The operating system has no random numbers.
    #[error("the operating system gives no random numbers")]
    NoRandomness,
}

impl LocalIssuer {
    /// A new issuer with these names and a new key.
    ///
    /// # Errors
    /// [`IssuerError::NoRandomness`].
    pub fn generate(
        issuer: impl Into<String>,
        audience: impl Into<String>,
    ) -> Result<Self, IssuerError> {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            .map_err(|_| IssuerError::NoRandomness)?;
        let mut made = Self {
            issuer: issuer.into(),
            audience: audience.into(),
            algorithm: Algorithm::Es256,
            key_id: String::new(),
            private_key: pem(document.as_ref()),
        };
        made.key_id = thumbprint(&made.key_pair()?);
        Ok(made)
    }

    /// The name of the issuer, for `iss`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The name of the services, for `aud`.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// A token that is valid from now on.
    ///
    /// # Errors
    /// [`IssuerError`].
    pub fn mint(&self, grant: &Grant, now: Timestamp) -> Result<String, IssuerError> {
        let expires = now.checked_add(grant.lifetime).map_err(|_| IssuerError::Lifetime)?;
        let mut claims = json!({
            "iss": self.issuer,
            "aud": self.audience,
            "sub": grant.subject,
            "tenant": grant.tenant,
            "roles": grant.roles.iter().map(Role::as_str).collect::<Vec<_>>(),
            "iat": now.as_second(),
            "exp": expires.as_second(),
        });
        if !grant.scopes.is_empty() {
            let scopes: Vec<&str> = grant.scopes.iter().map(Scope::as_str).collect();
            claims["scope"] = scopes.join(" ").into();
        }
        let header = json!({"alg": self.algorithm.name(), "typ": "JWT", "kid": self.key_id});
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = self
            .key_pair()?
            .sign(&SystemRandom::new(), signed.as_bytes())
            .map_err(|_| IssuerError::NoRandomness)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The key set with the public key, as JSON.
    ///
    /// # Errors
    /// [`IssuerError::PrivateKey`], [`IssuerError::Algorithm`].
    pub fn key_set(&self) -> Result<String, IssuerError> {
        let mut jwk = public_jwk(&self.key_pair()?);
        let more = [("kid", self.key_id.as_str()), ("use", "sig"), ("alg", self.algorithm.name())];
        jwk.extend(more.map(|(name, value)| (name.to_owned(), value.into())));
        Ok(json!({"keys": [jwk]}).to_string())
    }

    fn key_pair(&self) -> Result<EcdsaKeyPair, IssuerError> {
        if self.algorithm != Algorithm::Es256 {
            return Err(IssuerError::Algorithm(self.algorithm));
        }
        let der = PrivatePkcs8KeyDer::from_pem_slice(self.private_key.as_bytes())
            .map_err(|_| IssuerError::PrivateKey)?;
        let der = der.secret_pkcs8_der();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &SystemRandom::new())
            .map_err(|_| IssuerError::PrivateKey)
    }
}

/// Hides the private key.
impl fmt::Debug for LocalIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalIssuer")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn pem(pkcs8: &[u8]) -> String {
    let text = STANDARD.encode(pkcs8);
    let lines = text.as_bytes().chunks(PEM_LINE).map(String::from_utf8_lossy);
    let lines: String = lines.map(|line| format!("{line}\n")).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{lines}-----END PRIVATE KEY-----\n")
}

/// The required members of the public key, in the order of their names.
fn public_jwk(pair: &EcdsaKeyPair) -> Map<String, Value> {
    // The first byte says that both coordinates follow.
    let coordinates = pair.public_key().as_ref().get(1..).unwrap_or_default();
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    let number = |bytes: &[u8]| Value::from(URL_SAFE_NO_PAD.encode(bytes));
    let members =
        [("crv", "P-256".into()), ("kty", "EC".into()), ("x", number(x)), ("y", number(y))];
    members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

/// The id of a key that follows from the key: RFC 7638.
fn thumbprint(pair: &EcdsaKeyPair) -> String {
    let members = Value::Object(public_jwk(pair)).to_string();
    URL_SAFE_NO_PAD.encode(digest(&SHA256, members.as_bytes()))
}
